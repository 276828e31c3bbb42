"""Firsts against sets of days: who is new and who returns, in two datasets, two zones, whatever the range."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.compile import compile_query, datasets_needed
from semantic.load import load_texts
from semantic.query.query import Compare, Dates, DimensionField, MetricField, MetricQuery, Operator
from tests.compiling.database import database
from tests.reference.rows import Row
from tests.reference.world import Table

MODEL = load_texts(
    {
        "model.yml": """
version: 1
timezone: Asia/Shanghai
datasets:
- {name: visits, source: visits.parquet, time_dimension: at, entities: {user: who}}
- {name: orders, source: orders.parquet, time_dimension: paid_on, entities: {user: buyer}}
- {name: people, source: people.parquet, entities: {user: who}}
firsts:
- {name: visitor, entity: user, dataset: visits, where: not bot}
metrics:
- {name: uv, type: simple, dataset: visits, agg: count_distinct, expr: who}
- {name: sold, type: simple, dataset: orders, agg: count}
- {name: known, type: simple, dataset: people, agg: count}
"""
    }
)
WHO = st.sampled_from(["a", "b", "c", None])
VISITS = st.lists(
    st.builds(
        lambda who, hours, bot: {"who": who, "at": datetime(2026, 11, 1) + timedelta(hours=hours), "bot": bot},
        WHO,
        st.sampled_from([0, 15, 16, 17, 30, 40, 70, 100]),
        st.sampled_from([False, False, True]),
    ),
    max_size=15,
)
ORDERS = st.lists(
    st.builds(
        lambda buyer, day: {
            "buyer": buyer,
            "paid_on": None if day is None else date(2026, 10, 30) + timedelta(days=day),
        },
        WHO,
        st.sampled_from([None, *range(8)]),
    ),
    max_size=10,
)
FIRST, LAST = date(2026, 11, 2), date(2026, 11, 4)


def answered(visits: list[Row], orders: list[Row], *asked: MetricQuery) -> list[list[Row]]:
    tables = {
        "visits": Table({"who": "VARCHAR", "at": "TIMESTAMP", "bot": "BOOLEAN"}, visits),
        "orders": Table({"buyer": "VARCHAR", "paid_on": "DATE"}, orders),
        "people": Table({"who": "VARCHAR"}, [{"who": who} for who in ("a", "b", None)]),
    }
    with database(tables) as data:
        facts = data.facts(MODEL)
        return [data.run(compile_query(MODEL, one, facts).statement) for one in asked]


def newness(day: date | None, first: date | None) -> str | None:
    if day is None or first is None or day < first:
        return None
    return "new" if day == first else "returning"


@settings(max_examples=25, deadline=None)
@given(VISITS, ORDERS, st.sampled_from(["Asia/Shanghai", "America/New_York"]))
def test_new_and_returning(visits: list[Row], orders: list[Row], zone: str) -> None:
    def day(at: datetime) -> date:
        return at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()

    first: dict[str, date] = {}
    for visit in visits:
        if visit["who"] is not None and not visit["bot"]:
            first[visit["who"]] = min(day(visit["at"]), first.get(visit["who"], date.max))
    span, split = Dates(FIRST, LAST), DimensionField("type", "visitor_type")
    uv, sold, known = answered(
        visits,
        orders,
        MetricQuery((split, MetricField("uv", "uv")), span, zone),
        MetricQuery((split, MetricField("sold", "sold")), timezone=zone),
        MetricQuery((DimensionField("day", "visitor_first_day"), MetricField("known", "known")), timezone=zone),
    )
    groups: dict[str | None, set[str | None]] = {}
    for visit in visits:
        if FIRST <= day(visit["at"]) <= LAST:
            kind = newness(day(visit["at"]), first.get(visit["who"]))
            groups.setdefault(kind, set()).add(visit["who"])
    assert {row["type"]: row["uv"] for row in uv} == {kind: len(who - {None}) for kind, who in groups.items()}
    kinds = Counter(newness(order["paid_on"], first.get(order["buyer"])) for order in orders)
    assert {row["type"]: row["sold"] for row in sold} == kinds
    assert {row["day"]: row["known"] for row in known} == Counter(first.get(who) for who in ("a", "b", ""))


@pytest.mark.parametrize(("value", "count"), [("new", 1), ("returning", 1), ("old", 0)])
def test_filter(value: str, count: int) -> None:
    visits: list[Row] = [
        {"who": who, "at": datetime(2026, 11, day, 5), "bot": False} for who, day in (("a", 1), ("a", 3), ("b", 3))
    ]
    new = MetricQuery((MetricField("uv", "uv"),), Dates(FIRST, LAST), where=Compare("visitor_type", Operator.EQ, value))
    assert answered(visits, [], new) == [[{"uv": count}]]
    assert datasets_needed(MODEL, MetricQuery((MetricField("sold", "sold"),))) == ("orders",)
