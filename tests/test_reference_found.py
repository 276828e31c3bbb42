"""What random tests once found, held one by one: the served answer is the reference's."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from semantic.query.query import (
    Between,
    Comparison,
    Dates,
    DimensionField,
    MetricField,
    MetricQuery,
    TimeField,
    TimeRange,
)
from semantic.time import Duration, Grain, Unit
from tests.reference import answer
from tests.reference.same import differences
from tests.reference.served import serve
from tests.reference.world import Table, World

Cell = date | datetime | None
MARCH = Dates(date(2024, 3, 1), date(2024, 3, 31))
DAY, MONTH = Duration(1, Unit.DAY), Duration(1, Unit.MONTH)


def world(rows: list[tuple[Cell, str | None, int | None]], kind: str = "DATE", timezone: str = "UTC") -> World:
    """Events (when, who, how much), and costs that have no channel."""
    columns = {"at": kind, "user_id": "VARCHAR", "amount": "BIGINT"}
    simple = {"type": "simple", "dataset": "events"}
    document = {
        "version": 1,
        "timezone": timezone,
        "datasets": [
            {
                "name": "events",
                "source": "data/events/*.parquet",
                "time_dimension": "at",
                "dimensions": [{"name": "user_id", "type": "string"}],
            },
            {"name": "costs", "source": "data/costs/*.parquet", "time_dimension": "at"},
        ],
        "metrics": [
            {"name": "pv", "agg": "count", **simple},
            {"name": "uv", "agg": "count_distinct", "expr": "user_id", **simple},
            {"name": "gmv", "agg": "sum", "expr": "amount", **simple},
            {"name": "value", "type": "ratio", "numerator": "gmv", "denominator": "pv", "fill": 0},
            {
                "name": "last_cost",
                "type": "simple",
                "dataset": "costs",
                "agg": "max",
                "expr": "booked",
                "unallocated": None,
            },
        ],
    }
    made = [dict(zip(columns, row, strict=True)) for row in rows]
    costs = {"at": "DATE", "booked": "TIMESTAMP"}
    return World(document, {"events": Table(columns, made), "costs": Table(costs, [])})


def metric(name: str, **arguments: Any) -> MetricField:
    return MetricField("value", name, **arguments)


def asked(*fields: MetricField | TimeField | DimensionField, time_range: TimeRange | None = None) -> MetricQuery:
    return MetricQuery(fields, time_range=time_range)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOW = MetricField("now", "pv")
MARCH_FIRST: list[tuple[Cell, str | None, int | None]] = [(date(2024, 3, 1), "a", 10)]
FOUND: dict[str, tuple[World, MetricQuery, list[dict[str, Any]]]] = {
    "a count beyond all data is null": (
        world(MARCH_FIRST),
        asked(metric("pv", offset=MONTH), time_range=MARCH),
        [{"value": None}],
    ),
    "a count of a table without rows was null before too": (
        world([]),
        asked(metric("pv", offset=MONTH), time_range=MARCH),
        [{"value": None}],
    ),
    "what is beyond all data is not filled": (
        world(MARCH_FIRST),
        asked(metric("value", offset=MONTH), time_range=MARCH),
        [{"value": None}],
    ),
    "rows without a time have nothing before them": (
        world([(None, "a", 1), (date(2024, 3, 1), "a", 2), (date(2024, 3, 2), "a", 4)]),
        asked(TimeField("time", Grain.YEAR), metric("pv", offset=DAY, comparison=Comparison.CHANGE), NOW),
        [{"time": date(2024, 1, 1), "value": 0, "now": 2}, {"time": None, "value": None, "now": 1}],
    ),
    "a window of no days has no rows": (
        world([(None, "a", 1)]),
        asked(metric("gmv", to_date=Grain.MONTH), NOW),
        [{"value": None, "now": 1}],
    ),
    "a window of one hour and a half": (
        world([(at("2024-03-01T00:45"), "a", 1)], "TIMESTAMP WITH TIME ZONE"),
        asked(
            TimeField("time", Grain.HOUR),
            metric("gmv", rolling=Duration(90, Unit.MINUTE)),
            time_range=Dates(date(2024, 3, 1), date(2024, 3, 1)),
        ),
        [{"time": at("2024-03-01T00:00"), "value": 1}, {"time": at("2024-03-01T01:00"), "value": 1}],
    ),
    "an hour that a change by half an hour cuts": (
        world([(at("2024-04-06T15:10"), "a", 1)], "TIMESTAMP WITH TIME ZONE", "Australia/Lord_Howe"),
        asked(
            TimeField("time", Grain.HOUR),
            metric("gmv", rolling=Duration(1, Unit.HOUR)),
            time_range=Between(datetime(2024, 4, 6, 15), datetime(2024, 4, 6, 16)),
        ),
        [{"time": at("2024-04-06T14:30"), "value": 1}],
    ),
    "a local date whose midnight is skipped": (
        world([(date(2018, 11, 4), "a", 1)], timezone="America/Sao_Paulo"),
        asked(metric("gmv"), time_range=Dates(date(2018, 11, 4), date(2018, 11, 4))),
        [{"value": 1}],
    ),
    "an instant that can't be split": (
        world(MARCH_FIRST),
        asked(DimensionField("user", "user_id"), NOW, metric("last_cost")),
        [{"user": "a", "now": 1, "value": None}],
    ),
    "unknown users make a group of a window, and count in none": (
        world([(date(2024, 3, 1), None, 1)]),
        asked(TimeField("time", Grain.DAY), metric("uv", rolling=Duration(2, Unit.DAY))),
        [{"time": date(2024, 3, 1), "value": 0}],
    ),
}


@pytest.mark.parametrize("title", FOUND)
def test_found(title: str) -> None:
    made, query, expected = FOUND[title]
    model = made.model()

    async def served() -> list[dict[str, Any]]:
        async with serve(made, model) as over:
            return await over.rows(query)

    assert not differences(expected, answer(model, made.rows, query))
    assert not differences(expected, asyncio.run(served()))
