"""Scores against the reference, on random purchases; their laws; and published figures of the BG/NBD model."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.compile import compile_query, datasets_needed
from semantic.errors import QueryError
from semantic.load import load_texts
from semantic.model.model import Model
from semantic.query.query import Compare, Dates, DimensionField, MetricField, MetricQuery, Operator, TimeField
from semantic.query.score import ScoreQuery, ScoreReport
from semantic.time import Grain
from tests.compiling.database import database
from tests.reference.rows import Row
from tests.reference.score import Bought, falling, numbers, p_alive, rising
from tests.reference.world import Table

RECENCY, FREQUENCY, MONETARY = (3, 10, 20), (2, 3), (10, 50.5, 100)
ALIVE = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
TEXT = f"""
version: 1
timezone: Asia/Shanghai
datasets:
- name: orders
  source: orders.parquet
  time_dimension: at
  entities: {{user: who}}
- {{name: visits, source: visits.parquet, time_dimension: at, entities: {{user: who}}}}
scores:
- name: value
  version: "1"
  entity: user
  dataset: orders
  where: paid
  purchase: purchase
  amount: amount
  recency: {list(RECENCY)}
  frequency: {list(FREQUENCY)}
  monetary: {list(MONETARY)}
  segments:
  - {{name: best, where: r_score >= 3 and f_score >= 2}}
  - {{name: rich, where: m_score = 4}}
  - {{name: rest}}
  risks:
  - {{name: late, where: overdue > 1.5, risk: medium}}
  - {{name: gone, where: p_alive < 0.5 and purchase_days >= 3, risk: high}}
  - {{name: silent, where: purchase_days = 1 and recency_days > 12, risk: high}}
  alive: {{{", ".join(f"{name}: {value}" for name, value in ALIVE.items())}, unit: week}}
metrics:
- {{name: people, type: simple, dataset: value, agg: count}}
- {{name: at_risk, type: simple, dataset: value, agg: count, where: risk = 'high'}}
- {{name: paid, type: simple, dataset: value, agg: sum, expr: monetary}}
- {{name: visitors, type: simple, dataset: visits, agg: count_distinct, expr: who}}
"""
MODEL = load_texts({"model.yml": TEXT})
SHANGHAI = ZoneInfo("Asia/Shanghai")
THROUGH = date(2026, 11, 30)
MARKER: Row = {"who": None, "purchase": "m", "at": datetime(2026, 12, 1, 12), "amount": None, "paid": False}
"""A newest row, so that the data is complete up to THROUGH."""

ROWS = st.lists(
    st.builds(
        lambda who, purchase, day, hour, amount, paid: {
            "who": who,
            "purchase": purchase and f"{who}{purchase}",
            "at": datetime(2026, 11, 1) + timedelta(days=day, hours=hour),
            "amount": amount,
            "paid": paid,
        },
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["1", "2", "3", "4", "5", "6", "7", None]),
        st.integers(0, 29),
        st.sampled_from([0, 15, 16, 23]),
        st.sampled_from([None, 0.0, 5.0, 40.25, 60.0]),
        st.sampled_from([True, True, True, False]),
    ),
    max_size=40,
)


def bought(rows: list[Row]) -> list[Bought]:
    def day(at: datetime) -> date:
        return at.replace(tzinfo=UTC).astimezone(SHANGHAI).date()

    return [Bought(row["who"], row["purchase"], day(row["at"]), row["amount"]) for row in rows if row["paid"]]


def answered(rows: list[Row], *questions: ScoreQuery | MetricQuery, model: Model = MODEL) -> list[list[Row]]:
    columns = {"who": "VARCHAR", "purchase": "VARCHAR", "at": "TIMESTAMP", "amount": "DOUBLE", "paid": "BOOLEAN"}
    visits = [{"who": who, "at": datetime(2026, 11, 5)} for who in ("a", "b", "x", None)]
    tables = {
        "orders": Table(columns, [*rows, MARKER]),
        "visits": Table({"who": "VARCHAR", "at": "TIMESTAMP"}, [*visits, {"who": None, "at": MARKER["at"]}]),
    }
    with database(tables) as data:
        facts = data.facts(model)
        return [data.run(compile_query(model, question, facts).statement) for question in questions]


def expected(rows: list[Row], as_of: date) -> dict[str, dict[str, Any]]:
    found = {}
    for who, known in numbers(bought(rows), as_of).items():
        age, last = (as_of - known.first_day).days / 7, (known.last_day - known.first_day).days / 7
        alive = p_alive(**ALIVE, repeats=known.purchase_days - 1, last=last, age=age)
        scores = (
            falling(known.recency_days, RECENCY),
            rising(known.frequency, FREQUENCY),
            rising(known.monetary, MONETARY),
        )
        late = known.overdue is not None and known.overdue > 1.5
        gone = alive < 0.5 and known.purchase_days >= 3
        silent = known.purchase_days == 1 and known.recency_days > 12
        best, rich = scores[0] >= 3 and scores[1] >= 2, scores[2] == 4
        found[who] = {
            **{name: getattr(known, name) for name in known.__slots__},
            "p_alive": alive,
            **dict(zip(("r_score", "f_score", "m_score"), scores, strict=True)),
            "segment": "best" if best else "rich" if rich else "rest",
            "risk": "high" if gone or silent else "medium" if late else "low",
            "reasons": late + 2 * gone + 4 * silent,
        }
    return found


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)


@settings(max_examples=30, deadline=None)
@given(ROWS, st.dates(date(2026, 10, 30), date(2026, 12, 5)))
def test_entities_and_metrics(rows: list[Row], last: date) -> None:
    day = min(last, THROUGH)
    span = Dates(date(2026, 10, 1), last)
    told, counts, by_segment, split = answered(
        rows,
        ScoreQuery("value", time_range=span),
        MetricQuery(tuple(MetricField(name, name) for name in ("people", "at_risk", "paid")), span),
        MetricQuery((DimensionField("s", "value_segment"), MetricField("people", "people")), span),
        MetricQuery((DimensionField("r", "value_risk"), MetricField("visitors", "visitors")), span),
    )
    people = expected(rows, day)
    assert {row["entity"] for row in told} == set(people)
    for row in told:
        for name, value in people[row["entity"]].items():
            assert same(row[name], value), (row["entity"], name)
    amounts = [known["monetary"] for known in people.values() if known["monetary"] is not None]
    assert [row["monetary"] for row in told][: len(amounts)] == sorted(amounts, reverse=True)
    assert counts[0]["people"] == len(people)
    assert counts[0]["at_risk"] == sum(known["risk"] == "high" for known in people.values())
    assert same(counts[0]["paid"], math.fsum(amounts) if amounts else None)
    assert {row["s"]: row["people"] for row in by_segment} == Counter(known["segment"] for known in people.values())
    seen = Counter(people[who]["risk"] if who in people else None for who in ("a", "b", "x"))
    groups = {row["r"]: row["visitors"] for row in split}
    assert {group: count for group, count in groups.items() if count} == (seen if last >= date(2026, 11, 5) else {})


def test_a_day_is_of_the_zone_asked_for() -> None:
    """16:00 UTC is the next day in Shanghai, and the same one in London."""
    row = {"who": "a", "purchase": "a1", "at": datetime(2026, 11, 1, 16), "amount": 1.0, "paid": True}
    asked = ScoreQuery("value", time_range=Dates(date(2026, 11, 1), date(2026, 11, 2)))
    ours, theirs = answered([row], asked, replace(asked, timezone="Europe/London"))
    assert (ours[0]["last_day"], ours[0]["recency_days"]) == (date(2026, 11, 2), 0)
    assert (theirs[0]["last_day"], theirs[0]["recency_days"]) == (date(2026, 11, 1), 1)


def test_history_has_everybody_once() -> None:
    days = {"a": (0, 7, 21), "b": (0, 7, 21), "c": (3,)}
    rows: list[Row] = [
        {
            "who": who,
            "purchase": f"{who}{day}",
            "at": datetime.combine(date(2026, 11, 1), time(3)) + timedelta(days=day),
            "amount": 1.0,
            "paid": True,
        }
        for who, own in days.items()
        for day in own
    ]
    (found,) = answered(rows, ScoreQuery("value", ScoreReport.HISTORY))
    assert found == [
        {"repeats": 0, "last": 0, "age": 26, "count": 1},
        {"repeats": 2, "last": 21, "age": 29, "count": 2},
    ]


@pytest.mark.parametrize("entities", [("b",), ("b", "nobody"), ("' or true --",)])
def test_entities_by_id(entities: tuple[str, ...]) -> None:
    rows: list[Row] = [
        {"who": who, "purchase": who, "at": datetime(2026, 11, 1), "amount": 1.0, "paid": True} for who in "abc"
    ]
    (found,) = answered(rows, ScoreQuery("value", entities=entities))
    assert [row["entity"] for row in found] == [who for who in entities if who == "b"]


def test_parameters_may_have_many_digits() -> None:
    """Engines would take them for decimals."""
    text = TEXT.replace("r: 0.243, alpha: 4.414", "r: 0.24259291081293116, alpha: 0.00012345678901234567")
    rows: list[Row] = [
        {"who": "a", "purchase": str(day), "at": datetime(2026, 11, day), "amount": 1.0, "paid": True}
        for day in (1, 8, 29)
    ]
    ((found,),) = answered(rows, ScoreQuery("value"), model=load_texts({"model.yml": text}))
    parameters = ALIVE | {"r": 0.24259291081293116, "alpha": 0.00012345678901234567}
    assert found["p_alive"] == pytest.approx(p_alive(**parameters, repeats=2, last=28 / 7, age=29 / 7), rel=1e-12)


def test_a_question_without_scores_does_not_need_their_data() -> None:
    visitors = MetricQuery((MetricField("visitors", "visitors"),))
    assert datasets_needed(MODEL, visitors) == ("visits",)
    split = replace(visitors, fields=(*visitors.fields, DimensionField("s", "value_segment")))
    assert datasets_needed(MODEL, split) == ("orders", "visits")
    only = replace(visitors, where=Compare("value_risk", Operator.EQ, "high"))
    assert datasets_needed(MODEL, only) == ("orders", "visits")
    assert datasets_needed(MODEL, MetricQuery((MetricField("people", "people"),))) == ("orders",)


@pytest.mark.parametrize("policy", ["{name: p, metrics: [people, paid], k: 2}", "{name: p, dataset: orders, k: 2}"])
def test_small_groups_are_withheld(policy: str) -> None:
    """Of a, b, c, who bought as often, and d, who bought twice: d alone would be told."""
    rows: list[Row] = [
        {"who": who, "purchase": f"{who}{n}", "at": datetime(2026, 11, 1 + n), "amount": 1.0, "paid": True}
        for who, times in (("a", 1), ("b", 1), ("c", 1), ("d", 2), ("e", 2), ("f", 3))
        for n in range(times)
    ]
    model = load_texts({"model.yml": TEXT + f"policies:\n- {policy}\n"})
    asked = MetricQuery((DimensionField("f", "value_frequency"), MetricField("people", "people")))
    assert answered(rows, asked) == [[{"f": 1, "people": 3}, {"f": 2, "people": 2}, {"f": 3, "people": 1}]]
    assert answered(rows, asked, model=model) == [[{"f": 1, "people": 3}]]


def test_a_state_has_no_trend() -> None:
    asked = MetricQuery((MetricField("people", "people"), DimensionField("s", "value_segment")))
    (found,) = answered([], asked)
    assert found == []
    with pytest.raises(QueryError, match="how things stand at the end of the time range"):
        answered([], replace(asked, fields=(*asked.fields, TimeField("time", Grain.DAY))))


def test_published_figures() -> None:
    """Fader, Hardie and Lee (2005) fit r = 0.243, α = 4.414, a = 0.793, b = 2.426 to the CDNOW data, and follow a
    customer with x = 2, t_x = 30.43, T = 38.86 (weeks), of whom they expect 1.226 purchases in the next 39 weeks.

    Their equation 10 is that expectation; P(alive) is its denominator's reciprocal (their note of 2008).
    """
    alive = p_alive(**ALIVE, repeats=2, last=30.43, age=38.86)
    assert expected_purchases(repeats=2, age=38.86, ahead=39, alive=alive) == pytest.approx(1.226, abs=5e-4)


def expected_purchases(repeats: int, age: float, ahead: float, alive: float) -> float:
    """Equation 10 of the paper, with P(alive) for the reciprocal of its denominator."""
    r, alpha, a, b = ALIVE.values()
    ratio = (alpha + age) / (alpha + age + ahead)
    gauss = hypergeometric(r + repeats, b + repeats, a + b + repeats - 1, ahead / (alpha + age + ahead))
    expected: float = (a + b + repeats - 1) / (a - 1) * (1 - ratio ** (r + repeats) * gauss) * alive
    return expected


def hypergeometric(one: float, two: float, under: float, z: float) -> float:
    """Gauss's series."""
    term, total = 1.0, 1.0
    for place in range(400):
        term *= (one + place) * (two + place) / (under + place) * z / (place + 1)
        total += term
    return total
