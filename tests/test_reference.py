"""The reference against figures worked out by hand: contract cases and the traps of the documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from semantic.errors import Code
from semantic.query.query import (
    Between,
    Comparison,
    Dates,
    DimensionField,
    Field,
    Last,
    MetricField,
    MetricQuery,
    OrderBy,
    TimeField,
)
from semantic.time import Duration, Grain, Unit
from tests.reference import Refused, answer
from tests.reference.world import Table, World, of_case

CASES = Path(__file__).parent / "cases"
DAY = TimeField("time", Grain.DAY)


def metrics(*names: str) -> list[Field]:
    return [MetricField(name, name) for name in names]


def dimensions(*names: str) -> list[Field]:
    return [DimensionField(name, name) for name in names]


def ask(world: World, *fields: Field, **around: Any) -> list[dict[str, Any]]:
    return answer(world.model(), world.rows, MetricQuery(fields, **around))


def column(rows: Sequence[dict[str, Any]], key: str) -> list[Any]:
    return [row[key] for row in rows]


# --- contract cases --------------------------------------------------------------------------------------------------

SPEND = metrics("spend", "revenue", "orders", "roas")
ROI = metrics("spend", "revenue", "roas", "roi")
TRANSLATED = [
    ("a01", "metrics", "rows", [DAY, *dimensions("channel", "campaign"), *SPEND]),
    ("a01t", "metrics", "rows", [*dimensions("channel"), *ROI]),
    ("a01t", "metrics", "totals", ROI),
    ("u01", "d", "rows", [DAY, *metrics("uv")]),
    ("u01", "d", "totals", metrics("uv")),
    ("u01", "c", "rows", [*dimensions("channel"), *metrics("uv")]),
    ("u01", "c", "totals", metrics("uv")),
]


@pytest.mark.parametrize(("name", "root", "part", "fields"), TRANSLATED, ids=lambda part: str(part)[:12])
def test_contract_case(name: str, root: str, part: str, fields: list[Field]) -> None:
    case = yaml.safe_load((CASES / f"{name}.yml").read_text(encoding="utf-8"))
    expected = case["expect"]["data"][root][part]
    expected = [expected] if part == "totals" else expected
    got = ask(of_case(case), *fields)
    shown = [{key: str(value) if isinstance(value, date) else value for key, value in row.items()} for row in got]
    assert len(shown) == len(expected)
    for row in expected:
        assert {key: pytest.approx(v, rel=1e-9) if isinstance(v, float) else v for key, v in row.items()} in shown


# --- a small world ---------------------------------------------------------------------------------------------------


def events(rows: list[tuple[Any, ...]], timezone: str = "UTC", kind: str = "TIMESTAMP", **more: Any) -> World:
    """Events (id, user, at, channel, amount) with some metrics."""
    columns = {"id": "BIGINT", "user_id": "VARCHAR", "at": kind, "channel": "VARCHAR", "amount": "BIGINT"}
    document = {
        "version": 1,
        "timezone": timezone,
        "dimensions": [{"name": "channel", "type": "string"}],
        "datasets": [
            {
                "name": "events",
                "source": "data/events/*.parquet",
                "time_dimension": "at",
                "dimensions": [{"name": "channel"}],
                **more,
            }
        ],
        "metrics": [
            {"name": "uv", "type": "simple", "dataset": "events", "agg": "count_distinct", "expr": "user_id"},
            {"name": "pv", "type": "simple", "dataset": "events", "agg": "count"},
            {"name": "gmv", "type": "simple", "dataset": "events", "agg": "sum", "expr": "amount"},
            {"name": "mid", "type": "simple", "dataset": "events", "agg": "percentile", "p": 0.25, "expr": "amount"},
            {"name": "uv_3d", "type": "cumulative", "metric": "uv", "window": "3 days"},
        ],
    }
    return World(document, {"events": Table(columns, [dict(zip(columns, row, strict=True)) for row in rows])})


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def november(*days: int) -> list[date]:
    return [date(2026, 11, day) for day in days]


def daily(*rows: tuple[date, int], users: str = "abcdefgh", **more: Any) -> World:
    """One event a row, each of the next user, on a local date."""
    return events([(n, users[n], day, None, amount) for n, (day, amount) in enumerate(rows)], kind="DATE", **more)


def test_the_business_day_begins_in_the_zone() -> None:
    rows = [(1, "a", moment("2026-11-01T15:30"), None, 1), (2, "a", moment("2026-11-01T16:30"), None, 1)]
    assert column(ask(events(rows), DAY, *metrics("pv")), "pv") == [2]
    shanghai = ask(events(rows, "Asia/Shanghai"), DAY, *metrics("pv"))
    assert shanghai == [{"time": date(2026, 11, 1), "pv": 1}, {"time": date(2026, 11, 2), "pv": 1}]


def test_the_two_equal_hours_of_a_fall_back_day_stay_apart() -> None:
    rows = [(n, "a", moment(f"2026-11-01T0{4 + n}:30"), None, 1) for n in range(4)]
    got = ask(events(rows, "America/New_York"), TimeField("time", Grain.HOUR), *metrics("pv"))
    assert column(got, "time") == [datetime(2026, 11, 1, 4 + n, tzinfo=UTC) for n in range(4)]


def test_a_day_without_rows_has_a_window() -> None:
    got = ask(daily(*((day, 1) for day in november(1, 2, 6)), users="aba"), DAY, *metrics("uv_3d", "uv"))
    assert column(got, "time") == november(1, 2, 3, 4, 6)
    assert column(got, "uv_3d") == [1, 2, 2, 1, 1]
    assert column(got, "uv") == [1, 1, 0, 0, 1]


def test_to_date_restarts_with_the_month() -> None:
    world = daily((date(2026, 10, 30), 10), (date(2026, 10, 31), 10), (date(2026, 11, 1), 10))
    got = ask(world, DAY, MetricField("mtd", "gmv", to_date=Grain.MONTH))
    assert column(got, "mtd") == [10, 20, 10]


def test_month_arithmetic_is_clipped() -> None:
    fields = [
        MetricField("before", "gmv", offset=Duration(1, Unit.MONTH)),
        MetricField("growth", "gmv", offset=Duration(1, Unit.MONTH), comparison=Comparison.CHANGE_RATIO),
    ]
    world = daily((date(2026, 2, 28), 7), (date(2026, 3, 31), 21))
    got = ask(world, DAY, *fields, time_range=Dates(date(2026, 3, 28), date(2026, 3, 31)))
    assert column(got, "before") == [7, 7, 7, 7]
    assert column(got, "growth") == [None, None, None, 2.0]


def test_whole_months_are_compared_with_whole_months() -> None:
    world = daily((date(2026, 2, 1), 1), (date(2026, 2, 28), 2), (date(2026, 3, 31), 4))
    field = MetricField("before", "gmv", offset=Duration(1, Unit.MONTH))
    assert ask(world, field, time_range=Dates(date(2026, 3, 1), date(2026, 3, 31))) == [{"before": 3}]
    assert ask(world, field, time_range=Dates(date(2026, 3, 1), date(2026, 3, 27))) == [{"before": 1}]


def test_an_offset_before_the_data_is_null_and_within_it_zero() -> None:
    world = daily(*((day, 1) for day in november(1, 3, 4)))
    got = ask(world, DAY, *metrics("pv"), MetricField("before", "pv", offset=Duration(1, Unit.DAY)))
    assert column(got, "time") == november(1, 2, 3, 4)
    assert column(got, "pv") == [1, 0, 1, 1]
    assert column(got, "before") == [None, 1, 0, 1]


def test_last_periods_end_with_the_last_complete_day() -> None:
    rows = [(date(2026, 11, n), 1) for n in range(1, 9)]
    world = daily(*rows)
    assert column(ask(world, *metrics("pv"), DAY, time_range=Last(3, Unit.DAY)), "time") == november(5, 6, 7)
    current = Last(1, Unit.DAY, include_current=True)
    assert column(ask(world, *metrics("pv"), DAY, time_range=current), "time") == november(7, 8)
    assert ask(world, *metrics("pv"), time_range=Last(1, Unit.MONTH)) == [{"pv": 0}]
    declared = daily(*rows, data_through="2026-11-30")
    assert ask(declared, *metrics("pv"), time_range=Last(1, Unit.MONTH)) == [{"pv": 8}]


def test_a_range_of_instants_excludes_its_end() -> None:
    rows = [(n, "a", moment(f"2026-11-01T0{n}:00"), None, n) for n in range(1, 4)]
    got = ask(events(rows), *metrics("gmv"), time_range=Between(moment("2026-11-01T01:00"), moment("2026-11-01T03:00")))
    assert got == [{"gmv": 3}]


def test_repeated_keys_are_one_row() -> None:
    rows = [
        (1, "late", date(2026, 11, 1), None, 2),
        (1, "early", date(2026, 11, 1), None, 1),
        (None, "x", None, None, 8),
    ]
    world = events([*rows, rows[-1]], kind="DATE", primary_key="id")
    assert ask(world, *metrics("pv", "gmv")) == [{"pv": 3, "gmv": 18}]
    table = world.tables["events"]
    for row, received in zip(table.rows, (9, 1, None, None), strict=True):
        row["received_at"] = received
    assert ask(world, *metrics("pv", "gmv")) == [{"pv": 3, "gmv": 17}]


def test_fill_makes_a_row_for_every_period() -> None:
    rows = [(1, "a", date(2026, 11, 1), "ads", 4), (2, "b", date(2026, 11, 3), None, 8)]
    got = ask(events(rows, kind="DATE"), DAY, *dimensions("channel"), *metrics("pv", "gmv"), fill=True)
    assert [(row["time"].day, row["channel"], row["pv"], row["gmv"]) for row in got] == [
        (1, "ads", 1, 4),
        (1, None, 0, None),
        (2, "ads", 0, None),
        (2, None, 0, None),
        (3, "ads", 0, None),
        (3, None, 1, 8),
    ]


def test_percentiles_lie_between_ranks() -> None:
    rows = [(n, "a", None, None, amount) for n, amount in enumerate((10, None, 20, 40))]
    assert ask(events(rows, kind="DATE"), *metrics("mid")) == [{"mid": 15.0}]


def test_nulls_come_last_both_ways() -> None:
    rows = [(1, "a", None, "ads", 4), (2, "b", None, "search", None), (3, "b", None, None, 8)]
    for descending, amounts in ((False, [4, 8, None]), (True, [8, 4, None])):
        by = (OrderBy("gmv", descending),)
        got = ask(events(rows, kind="DATE"), *dimensions("channel"), *metrics("gmv"), order_by=by)
        assert column(got, "gmv") == amounts


def test_refusals_have_their_codes() -> None:
    world = events([], kind="DATE")
    with pytest.raises(Refused) as refused:
        ask(world, *metrics("pv"), fill=True)
    assert refused.value.code is Code.BAD_ARGUMENT
    with pytest.raises(Refused) as refused:
        ask(world, *metrics("pv"), segments=("nowhere",))
    assert refused.value.code is Code.SEGMENT_NOT_SHARED
