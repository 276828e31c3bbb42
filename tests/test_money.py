"""Money: what is served is what is served of tables in which every amount was converted by hand."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantic.compile import compile_query
from semantic.errors import DataError
from semantic.lower.audits import MissingRates, without
from semantic.model.facts import Kind
from semantic.plan.expr import TRUE, All, AnyOf, Binary, Col, Expr, IsNotTrue, Param
from semantic.plan.node import Scan
from semantic.plan.operators import BinaryOp
from semantic.query.query import DimensionField, MetricField, MetricQuery, Viewer
from tests.reference.rows import Row, Source
from tests.reference.served import serve
from tests.reference.world import Table, World
from tests.sequences import ask_engine, differences, outcome_of
from tests.strategies.choices import Choices
from tests.strategies.models import make_world
from tests.strategies.queries import make_query
from tests.strategies.sequence_worlds import make_world as make_sequence_world
from tests.test_reference_random import check_answer

CURRENCIES = ("CNY", "USD", "JPY", None)
RATES = (2.0, 0.5, 4.0, 2.0, 0.0, None)
"""Of which products are exact; one that is nothing, or not known, is none."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A world whose facts are in several currencies, the same with amounts in one, and what could not be converted."""

    world: World
    by_hand: World
    left_out: dict[str, Counter[str | None]]


def make_exchange(choices: Choices, world: World, facts: list[str], time: str) -> Exchange:
    """Money for a drawn world: a column of currencies in each of the facts, and rates of most days."""
    model = world.model()
    source = Source(model, world.rows, ZoneInfo(model.timezone))
    days = _days(world, source, facts, time)
    rates: list[Row] = [
        {"day": day, "currency": currency, "rate": choices.pick(RATES)}
        for day in days
        for currency in ("USD", "JPY")
        if not choices.chance(4)
    ]
    known: Known = {(row["day"], row["currency"]): row["rate"] for row in rates}
    document, plain = copy.deepcopy(world.document), copy.deepcopy(world.document)
    tables, converted = dict(world.tables), dict(world.tables)
    left_out: dict[str, Counter[str | None]] = {}
    for name in facts:
        table = world.tables[name]
        rows = [{**row, "currency": choices.pick(CURRENCIES)} for row in table.rows]
        tables[name] = Table({**table.columns, "currency": "VARCHAR"}, rows, table.cuts)
        found = [_converted(source, name, time, row, known) for row in rows]
        kinds = {**table.columns, "currency": "VARCHAR", "amount": "DOUBLE"}
        converted[name] = Table(kinds, found, table.cuts)
        kept = Source(model, {**world.rows, name: rows}, source.zone).rows[name]
        left_out[name] = Counter(row["currency"] for row in kept if _is_left_out(source, name, time, row, known))
        (dataset,) = (one for one in document["datasets"] if one["name"] == name)
        dataset["currency"] = {"column": "currency", "amounts": ["amount"], "rates": "fx", "time": time}
    document["currency"] = plain["currency"] = "CNY"
    document["datasets"].append({"name": "fx", "source": "data/fx/*.parquet", "time_dimension": "day"})
    for metric in (*document.get("metrics", ()), *plain.get("metrics", ())):
        if metric["type"] == "simple":
            metric.pop("fill", None)  # of rows that are left out, sums are unknown: a table by hand can't say so
    tables["fx"] = Table({"day": "DATE", "currency": "VARCHAR", "rate": "DOUBLE"}, rates)
    return Exchange(World(document, tables), World(plain, converted), left_out)


def _days(world: World, source: Source, facts: list[str], time: str) -> list[date]:
    moments = [source.moment(name, time, row) for name in facts for row in world.tables[name].rows]
    return sorted({when.day for when in moments if when is not None})


Known = dict[tuple[date, str], float | None]


def _rate(source: Source, dataset: str, time: str, row: Row, known: Known) -> float | None:
    if row["currency"] == "CNY":
        return 1.0
    when = source.moment(dataset, time, row)
    rate = known.get((when.day, row["currency"])) if when is not None else None
    return rate if rate is not None and rate > 0 else None


def _converted(source: Source, dataset: str, time: str, row: Row, known: Known) -> Row:
    rate = _rate(source, dataset, time, row, known)
    worth = None if rate is None or row["amount"] is None else float(row["amount"]) * rate
    return {**row, "amount": worth}


def _is_left_out(source: Source, dataset: str, time: str, row: Row, known: Known) -> bool:
    return row["amount"] is not None and _rate(source, dataset, time, row, known) is None


@given(st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
async def test_metrics_are_those_of_amounts_in_one_currency(data: st.DataObject) -> None:
    choices = Choices(lambda count: data.draw(st.integers(0, count - 1)))
    world = make_world(choices)
    facts = [name for name in world.tables if "amount" in world.tables[name].columns]
    made = make_exchange(choices, world, facts, "at")
    for document in (made.world.document, made.by_hand.document):
        document["metrics"].append(
            {"name": "paid", "type": "simple", "dataset": facts[0], "agg": "sum", "expr": "amount"}
        )
    model = made.by_hand.model()
    async with serve(made.world, made.world.model()) as served:
        for _ in range(3):
            await check_answer(served, made.by_hand, model, make_query(choices, made.by_hand, model))
        facts_known = await served.engine.facts(tuple(served.model.datasets))
        (audited,) = compile_query(served.model, MetricQuery((MetricField("m", "paid"),)), facts_known).audits
        answer = await served.engine.answer(audited.statement.datasets, lambda _: audited.statement)
        told = {row["currency"]: row["rows"] for row in answer.table.to_pylist()}
        assert told == made.left_out[facts[0]]
        warned = list(audited.audit.warnings(answer.table.to_pylist()))
        assert [warning.code for warning in warned] == (["MISSING_RATE"] if told else [])


@given(st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
async def test_lifetime_value_and_credit_are_of_amounts_in_one_currency(data: st.DataObject) -> None:
    choices = Choices(lambda count: data.draw(st.integers(0, count - 1)))
    world = make_sequence_world(choices)
    table = world.tables["events"]
    amounts = [{**row, "amount": choices.pick((1, 2, 4, None))} for row in table.rows]
    world.tables["events"] = Table({**table.columns, "amount": "BIGINT"}, amounts, table.cuts)
    document = world.document
    buying = {"name": "buying", "entity": "user", "cohort": {"dataset": "events"}, "return": {"dataset": "events"}}
    touch = {"dataset": "events", "dimensions": ["channel"]}
    credit = {"entity": "user", "conversion": {"dataset": "events"}, "touch": touch, "lookback": "7 days"}
    document["retentions"].append(buying)
    document["attributions"] = [{"name": "paid", "model": choices.pick(("last", "linear")), **credit}]
    document["metrics"] += [
        {"name": "ltv", "type": "retention", "retention": "buying", "period": 1, "value": "amount"},
        {"name": "credited", "type": "attribution", "attribution": "paid", "value": "amount", "fill": 0},
    ]
    made = make_exchange(choices, world, ["events"], "at")
    asked = MetricQuery((DimensionField("by0", "channel"), MetricField("m0", "ltv"), MetricField("m1", "credited")))
    async with serve(made.world, made.world.model()) as served, serve(made.by_hand, made.by_hand.model()) as plain:
        expected = await outcome_of(ask_engine(plain, asked))
        got = await outcome_of(ask_engine(served, asked))
        assert isinstance(expected, list)
        assert isinstance(got, list)
        assert not differences([*map(_zero_as_unknown, expected)], [*map(_zero_as_unknown, got)])


def _zero_as_unknown(row: Row) -> Row:
    """Credit of conversions that are all left out is unknown; the table by hand fills it."""
    return {**row, "m1": row["m1"] or None}


# --- rates that are wrong --------------------------------------------------------------------------------------------


def orders(rates: list[Row], day: str = "DATE") -> World:
    document = {
        "version": 1,
        "currency": "CNY",
        "datasets": [
            {
                "name": "orders",
                "source": "data/orders/*.parquet",
                "time_dimension": "paid_on",
                "currency": {"column": "currency", "amounts": "amount", "rates": {"dataset": "fx", "rate": "worth"}},
            },
            {"name": "fx", "source": "data/fx/*.parquet", "time_dimension": "day"},
        ],
        "metrics": [{"name": "gmv", "type": "simple", "dataset": "orders", "agg": "sum", "expr": "amount"}],
    }
    kinds = {"paid_on": "DATE", "currency": "VARCHAR", "amount": "DECIMAL(12,2)"}
    rows = [{"paid_on": date(2026, 11, 1), "currency": "USD", "amount": 3}]
    tables = {"orders": Table(kinds, rows), "fx": Table({"day": day, "currency": "VARCHAR", "worth": "DOUBLE"}, rates)}
    return World(document, tables)


GMV = MetricQuery((MetricField("gmv", "gmv"),))
FIRST: dict[str, Any] = {"day": date(2026, 11, 1), "currency": "USD", "worth": 7.0}


async def test_columns_of_rates_may_have_other_names() -> None:
    world = orders([FIRST, {**FIRST, "day": FIRST["day"] + timedelta(days=1), "worth": 8.0}])
    async with serve(world, world.model()) as served:
        assert await served.rows(GMV) == [{"gmv": 21.0}]


async def test_two_rates_of_a_day_are_refused() -> None:
    world = orders([FIRST, {**FIRST, "worth": 8.0}])
    async with serve(world, world.model()) as served:
        with pytest.raises(DataError, match="two rates of one currency on one day"):
            await served.rows(GMV)


async def test_rates_are_of_days() -> None:
    world = orders([], day="TIMESTAMP")
    async with serve(world, world.model()) as served:
        with pytest.raises(DataError, match="must be a date"):
            await served.rows(GMV)


async def test_a_viewer_is_told_of_their_own_rows_only() -> None:
    world = orders([FIRST])
    world.document["policies"] = [{"name": "own", "dataset": "orders", "where": "shop = :shop"}]
    kinds = {**world.tables["orders"].columns, "shop": "VARCHAR"}
    sold = [("a", "USD", 3), ("a", "EUR", 4), ("b", "EUR", 5), ("b", "GBP", 6)]
    rows = [{"paid_on": FIRST["day"], "currency": one, "amount": much, "shop": shop} for shop, one, much in sold]
    world.tables["orders"] = Table(kinds, rows)
    async with serve(world, world.model()) as served:
        facts = await served.engine.facts(tuple(served.model.datasets))
        compiled = compile_query(served.model, GMV, facts, Viewer("ann", (("shop", "a"),)))
        (audited,) = compiled.audits
        answer = await served.engine.answer(audited.statement.datasets, lambda _: audited.statement)
    (warning,) = audited.audit.warnings(answer.table.to_pylist())
    assert warning.message == (
        '1 row of "orders" has no rate to CNY, and its amounts are left out: EUR 1 on 2026-11-01.'
    )


def test_many_currencies_are_not_all_named() -> None:
    audit = MissingRates("CNY", "orders", "currency", "", Scan("orders", ("amount",)))
    rows = [{"currency": f"C{n:02}", "rows": 1, "days": 0, "first": None, "last": None} for n in range(12)]
    (warning,) = audit.warnings(rows)
    assert warning.message.startswith(
        '12 rows of "orders" have no rate to CNY, and their amounts are left out: C00 1, '
    )
    assert warning.message.endswith("C09 1, of no day; and 2 more currencies.")


# --- filters on amounts ----------------------------------------------------------------------------------------------

PAID = Binary(BinaryOp.EQ, Col("status"), Param("paid", Kind.STRING))
LARGE = Binary(BinaryOp.GTE, Col("amount"), Param(100, Kind.INTEGER))


@pytest.mark.parametrize(
    ("where", "left"),
    [
        (PAID, PAID),
        (LARGE, TRUE),
        (IsNotTrue(LARGE), TRUE),
        (All((PAID, LARGE)), PAID),
        (AnyOf((PAID, LARGE)), TRUE),
        (AnyOf((All((PAID, LARGE)), PAID)), AnyOf((PAID, PAID))),
        (All((LARGE, LARGE)), TRUE),
    ],
)
def test_a_filter_on_amounts_may_hold_where_they_are_not_known(where: Expr, left: Expr) -> None:
    assert without(where, frozenset(["amount"])) == left
