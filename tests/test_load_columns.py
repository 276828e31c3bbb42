"""A model against the columns of its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from semantic.load import check_columns, load_texts
from semantic.model.facts import Kind
from semantic.model.model import Model

EVENTS = {
    "event_id": Kind.STRING,
    "event_time": Kind.TIMESTAMP,
    "user_id": Kind.STRING,
    "channel": Kind.STRING,
    "event_name": Kind.STRING,
    "day": Kind.DATE,
}
USERS = {"user_id": Kind.STRING, "level": Kind.INTEGER}
COLUMNS = {"events": EVENTS, "users": USERS}

MODEL = """\
version: 1
datasets:
  - name: events
    source: data/events.parquet
    primary_key: [event_id, user_id]
    time_dimension: event_time
    entities: {user: user_id}
    dimensions:
      - {name: channel}
      - {name: source, expr: lower(channel)}
    segments: [{name: paid, where: channel = 'ads'}]
    passive: event_name = 'hide'
  - name: users
    source: data/users.parquet
    primary_key: user_id
    dimensions: [{name: grade, expr: level + 1}, {name: level, type: number}]
relationships:
  - {name: visitor, from: events, to: users, columns: {user_id: user_id}}
metrics:
  - {name: pv, type: simple, dataset: events, agg: count, where: visitor.level > 1 and visitor.grade > 2}
  - {name: days, type: simple, dataset: events, agg: count_distinct, expr: day, time_dimension: day}
policies:
  - {name: own, dataset: events, where: user_id = :user_id}
"""


def problems(text: str) -> str:
    return "\n".join(str(problem) for problem in check_columns(load_texts({"m.yml": text}), COLUMNS))


def changed(old: str, new: str) -> str:
    assert MODEL.count(old) == 1
    return problems(MODEL.replace(old, new))


def test_a_model_that_fits() -> None:
    assert problems(MODEL) == ""


def test_a_key() -> None:
    assert changed("[event_id, user_id]", "[event_id, userid]") == (
        'm.yml:5:29: The files of "events" have no column "userid". [UNKNOWN_COLUMN]\n'
        "      primary_key: [event_id, userid]\n"
        "                              ^\n"
        '  Did you mean "user_id"?'
    )


def test_an_entity() -> None:
    assert changed("{user: user_id}", "{user: userid}") == (
        'm.yml:7:22: The files of "events" have no column "userid". [UNKNOWN_COLUMN]\n'
        "      entities: {user: userid}\n"
        "                       ^\n"
        '  Did you mean "user_id"?'
    )


def test_columns_when_none_is_near() -> None:
    assert changed("expr: day", "expr: zzz").endswith(
        "  Known: channel, day, event_id, event_name, event_time, user_id."
    )


def test_a_name_of_another_case_is_another_column() -> None:
    assert changed("expr: day", "expr: Day") == (
        'm.yml:21:76: The files of "events" have no column "Day". [UNKNOWN_COLUMN]\n'
        "    - {name: days, type: simple, dataset: events, agg: count_distinct, expr: Day, time_dimension: day}\n"
        "                                                                             ^\n"
        '  Did you mean "day"?'
    )


def test_a_dimension_is_no_column() -> None:
    assert changed("channel = 'ads'", "source = 'ads'") == (
        'm.yml:11:36: The files of "events" have no column "source"; '
        "it is the name of a dimension, and not of a column. [UNKNOWN_COLUMN]\n"
        "      segments: [{name: paid, where: source = 'ads'}]\n"
        "                                     ^\n"
        "  Write its expression: lower(channel)."
    )


def test_a_dimension_without_its_column() -> None:
    assert changed("- {name: channel}", "- {name: channle}") == (
        'm.yml:9:16: The files of "events" have no column "channle". [UNKNOWN_COLUMN]\n'
        "        - {name: channle}\n"
        "                 ^\n"
        '  Did you mean "channel"?'
    )


def test_through_a_relationship() -> None:
    assert changed("visitor.level > 1", "visitor.levle > 1") == (
        'm.yml:20:74: The files of "users" have no column "levle". [UNKNOWN_COLUMN]\n'
        "    - {name: pv, type: simple, dataset: events, agg: count, where: visitor.levle > 1 and visitor.grade > 2}\n"
        "                                                                           ^\n"
        '  Did you mean "level"?'
    )


def test_a_text_in_double_quotes() -> None:
    assert changed("channel = 'ads'", 'channel = "ads"') == (
        'm.yml:11:46: The files of "events" have no column "ads". [UNKNOWN_COLUMN]\n'
        '      segments: [{name: paid, where: channel = "ads"}]\n'
        "                                               ^\n"
        "  A text is written in single quotes: 'ads'."
    )


def test_both_sides_of_a_relationship() -> None:
    assert changed("columns: {user_id: user_id}", "columns: {user: id}") == (
        'm.yml:18:56: The files of "events" have no column "user". [UNKNOWN_COLUMN]\n'
        "    - {name: visitor, from: events, to: users, columns: {user: id}}\n"
        "                                                         ^\n"
        '  Did you mean "user_id"?\n'
        'm.yml:18:62: The files of "users" have no column "id". [UNKNOWN_COLUMN]\n'
        "    - {name: visitor, from: events, to: users, columns: {user: id}}\n"
        "                                                               ^\n"
        "  Known: level, user_id."
    )


def test_a_time_dimension_is_a_time() -> None:
    assert changed("time_dimension: event_time", "time_dimension: event_name") == (
        'm.yml:6:21: The column "event_name" of "events" is string, and a time dimension is a date or timestamp.'
        " [BAD_VALUE]\n"
        "      time_dimension: event_name\n"
        "                      ^\n"
        "  Dates and timestamps: event_time, day."
    )
    assert "21:97: The files of" in changed("time_dimension: day", "time_dimension: dya")


def test_policies_and_passive_events_and_expressions_of_dimensions() -> None:
    assert "23:41" in changed("where: user_id = :user_id", "where: shop_id = :user_id")
    assert "12:14" in changed("event_name = 'hide'", "event = 'hide'")
    assert "10:36" in changed("lower(channel)", "lower(chanel)")


def test_every_problem_is_told_in_file_order() -> None:
    text = MODEL.replace("event_time", "at").replace("level + 1", "lvl + 1").replace("expr: day", "expr: d")
    lines = [line for line in problems(text).splitlines() if line.startswith("m.yml")]
    assert [line.split(":")[1] for line in lines] == ["6", "16", "21"]


def test_datasets_without_columns_are_passed_over() -> None:
    model = load_texts({"m.yml": MODEL})
    assert check_columns(model, {}) == ()
    assert check_columns(model, {"users": USERS}) == ()
    assert len(check_columns(model, {"users": {}})) == 5


def test_the_whole_example() -> None:
    model: Model = load_texts(
        {"m.yml": (Path(__file__).parent / "models/contract/model.yml").read_text(encoding="utf-8")}
    )
    found = check_columns(model, {"ad_spend": {"day": Kind.TIMESTAMPTZ, "channel": Kind.STRING, "cost": Kind.FLOAT}})
    assert [problem.message for problem in found] == ['The files of "ad_spend" have no column "campaign".']


IDENTITIES = """\
version: 1
datasets:
  - name: events
    source: data/events.parquet
    entities: {user: {column: person, expr: "coalesce(user_id, device)"}, day: day}
  - name: users
    source: data/users.parquet
identities:
  - {name: user, dataset: users, from: device, to: user_id}
  - {name: day, dataset: users, from: device, to: user_id}
metrics:
  - {name: uv, type: simple, dataset: events, agg: count_distinct, expr: person}
"""


def test_identities_need_their_columns() -> None:
    known = {"events": {"user_id": Kind.STRING, "device": Kind.STRING, "day": Kind.DATE}}
    users = {"device": Kind.STRING, "user_id": Kind.STRING}

    def found(**columns: Mapping[str, Kind]) -> str:
        model = load_texts({"m.yml": IDENTITIES})
        return "\n".join(str(problem) for problem in check_columns(model, {**known, "users": users, **columns}))

    assert found() == (
        'm.yml:5:80: The ids in "day" are date, and those of "users" are string. [BAD_VALUE]\n'
        '      entities: {user: {column: person, expr: "coalesce(user_id, device)"}, day: day}\n'
        "                                                                                 ^\n"
        "  Cast them: {column: …, expr: cast(… as varchar)}."
    )
    assert 'have no column "device"' in found(users={"user_id": Kind.STRING})
    assert "these are string and integer" in found(users={**users, "user_id": Kind.INTEGER})
    assert 'have a column "person" already' in found(events={**known["events"], "person": Kind.STRING})
    assert 'have no column "device"' in found(events={"user_id": Kind.STRING})


MONEY = """\
version: 1
currency: CNY
datasets:
  - name: orders
    source: data/orders.parquet
    currency: {column: currency, amounts: [amount], rates: fx, time: day}
  - {name: fx, source: data/fx.csv, time_dimension: day}
"""


def test_money_needs_its_columns() -> None:
    orders = {"currency": Kind.STRING, "amount": Kind.DECIMAL, "day": Kind.TIMESTAMP}
    rates = {"day": Kind.DATE, "currency": Kind.STRING, "rate": Kind.FLOAT}

    def found(of_orders: Mapping[str, Kind] | None = None, of_rates: Mapping[str, Kind] | None = None) -> str:
        model = load_texts({"m.yml": MONEY})
        known = {"orders": {**orders, **(of_orders or {})}, "fx": {**rates, **(of_rates or {})}}
        return "\n".join(str(problem) for problem in check_columns(model, known))

    assert found() == ""
    assert found({"amount": Kind.STRING}) == (
        'm.yml:6:43: The column "amount" of "orders" is string, and an amount is a number. [BAD_VALUE]\n'
        "      currency: {column: currency, amounts: [amount], rates: fx, time: day}\n"
        "                                            ^"
    )
    assert "a currency is a text" in found({"currency": Kind.INTEGER})
    assert "a day is of a date or timestamp" in found({"day": Kind.STRING})
    assert "a rate is a number" in found(of_rates={"rate": Kind.STRING})
    assert "the day of a rate is a date" in found(of_rates={"day": Kind.TIMESTAMP})
    assert 'The files of "fx" have no column "rate"' in "\n".join(
        str(problem) for problem in check_columns(load_texts({"m.yml": MONEY}), {"fx": {"day": Kind.DATE}})
    )
