"""Laws that hold whatever the numbers are: parts make the whole, and what doesn't matter changes nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from semantic.errors import QueryError
from semantic.model.metric import Aggregation, Simple
from semantic.model.model import Model
from semantic.query.query import (
    ROW_COUNT,
    And,
    Between,
    Compare,
    Comparison,
    Condition,
    DimensionField,
    Last,
    MetricField,
    MetricQuery,
    Operator,
    TimeField,
)
from semantic.time import Duration, Grain, Unit
from tests.reference.rows import Row
from tests.reference.same import differences, same_value
from tests.reference.served import Served, serve
from tests.reference.world import Table, World
from tests.strategies import queries, worlds

law = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))

ADDED_UP = (Aggregation.SUM, Aggregation.COUNT)


def bare(query: MetricQuery) -> MetricQuery:
    """A query without what is done to its rows."""
    return replace(query, having=(), order_by=(), limit=None, offset=0, fill=False)


def draw(data: st.DataObject) -> tuple[World, Model, MetricQuery]:
    world = data.draw(worlds(), label="world")
    model = world.model()
    return world, model, data.draw(queries(world, model), label="query")


def ask(world: World, model: Model, *asked: MetricQuery) -> list[list[Row]]:
    """The answers of queries, one after the other. An example whose queries are refused is given up."""

    async def run() -> list[list[Row]]:
        async with serve(world, model) as served:
            return [await served.rows(query) for query in asked]

    try:
        return asyncio.run(run())
    except QueryError:
        assume(False)
        raise


def check_same(left: Sequence[Row], right: Sequence[Row]) -> None:
    found = differences(left, right)
    assert not found, "\n".join([*found, f"left {left}", f"right {right}"])


def simple_query(data: st.DataObject, model: Model, query: MetricQuery, aggs: Iterable[Aggregation]) -> MetricQuery:
    """A query of one plain field of a simple metric, with the keys of another query as far as it has them."""
    names = [name for name, metric in model.metrics.items() if isinstance(metric, Simple) and metric.agg in aggs]
    assume(names)
    name = data.draw(st.sampled_from(names), label="metric")
    metric = model.metrics[name]
    assert isinstance(metric, Simple)
    dimensions = {dimension.name for dimension in model.datasets[metric.dataset].dimensions}
    keys = [
        field
        for field in query.fields
        if isinstance(field, TimeField) or (isinstance(field, DimensionField) and field.dimension in dimensions)
    ]
    return replace(bare(query), fields=(*keys, MetricField("value", name)), where=None, segments=())


# --- parts and the whole ---------------------------------------------------------------------------------------------


@given(st.data())
@law
def test_groups_of_what_adds_up_sum_to_the_total(data: st.DataObject) -> None:
    world, model, query = draw(data)
    query = simple_query(data, model, query, ADDED_UP)
    groups, totals = ask(world, model, query, replace(query, fields=query.metrics))
    parts = [row["value"] for row in groups if row["value"] is not None]
    (total,) = (row["value"] for row in totals)
    assert same_value(sum(parts), 0 if total is None else total)


@given(st.data())
@law
def test_equal_and_not_equal_make_the_whole(data: st.DataObject) -> None:
    world, model, query = draw(data)
    query = simple_query(data, model, query, (Aggregation.COUNT,))
    metric = model.metrics[query.metrics[0].metric]
    assert isinstance(metric, Simple)
    names = {dimension.name for dimension in model.datasets[metric.dataset].dimensions}
    assume("channel" in names)
    opposites: list[tuple[Condition, Condition]] = [
        (Compare("channel", Operator.EQ, "ads"), Compare("channel", Operator.NE, "ads")),
        (Compare("channel", Operator.IN, ("ads", "Ads")), Compare("channel", Operator.NOT_IN, ("ads", "Ads"))),
        (Compare("channel", Operator.IS_NULL, True), Compare("channel", Operator.IS_NULL, False)),
    ]
    this, other = data.draw(st.sampled_from(opposites), label="filters")
    total = replace(query, fields=query.metrics)
    whole, left, right = ask(world, model, total, replace(total, where=this), replace(total, where=other))
    assert whole[0]["value"] == left[0]["value"] + right[0]["value"]


@given(st.data())
@law
def test_limit_and_offset_cut_the_whole(data: st.DataObject) -> None:
    world, model, query = draw(data)
    query = replace(query, limit=None, offset=0)
    limit, offset = data.draw(st.integers(0, 5), label="limit"), data.draw(st.integers(0, 5), label="offset")
    part = replace(query, limit=limit, offset=offset, count_rows=True)
    whole, cut = ask(world, model, query, part)
    assert all(row.pop(ROW_COUNT) == len(whole) for row in cut)
    check_same(whole[offset : offset + limit], cut)


@given(st.data())
@law
def test_order_changes_only_the_order(data: st.DataObject) -> None:
    world, model, query = draw(data)
    query = replace(query, limit=None, offset=0)
    ordered, plain = ask(world, model, query, replace(query, order_by=()))
    keys = [field.key for field in query.fields if not isinstance(field, MetricField)]

    def place(row: Row) -> list[tuple[bool, Any]]:
        return [(row[key] is None, 0 if row[key] is None else row[key]) for key in keys]

    check_same(sorted(ordered, key=place), plain)


@given(st.data())
@law
def test_fill_only_adds_rows(data: st.DataObject) -> None:
    world, model, query = draw(data)
    query = bare(query)
    assume(any(isinstance(field, TimeField) for field in query.fields))
    plain, filled = ask(world, model, query, replace(query, fill=True))
    keys = [field.key for field in query.fields if not isinstance(field, MetricField)]
    known = {tuple(row[key] for key in keys) for row in plain}
    assert len({tuple(row[key] for key in keys) for row in filled}) == len(filled)
    check_same(plain, [row for row in filled if tuple(row[key] for key in keys) in known])


@given(st.data())
@law
def test_a_filter_of_the_only_field_is_the_querys(data: st.DataObject) -> None:
    world, model, query = draw(data)
    query = bare(query)
    field = replace(query.metrics[0], where=None)
    assume(query.where is not None)
    keys = tuple(key for key in query.fields if not isinstance(key, MetricField))
    inside = replace(query, fields=(*keys, replace(field, where=query.where)), where=None)
    around = replace(query, fields=(*keys, field))
    both = replace(query, fields=inside.fields, where=And((query.where,) if query.where else ()))
    first, second, third = ask(world, model, around, inside, both)
    check_same(first, second)
    check_same(first, third)


# --- offsets and windows ---------------------------------------------------------------------------------------------


@given(st.data())
@law
def test_changes_are_differences(data: st.DataObject) -> None:
    world, model, query = draw(data)
    field = replace(query.metrics[0], offset=Duration(1, Unit.MONTH), comparison=Comparison.VALUE)
    fields = (
        *(key for key in query.fields if not isinstance(key, MetricField)),
        replace(field, key="now", offset=None),
        replace(field, key="before"),
        replace(field, key="change", comparison=Comparison.CHANGE),
        replace(field, key="ratio", comparison=Comparison.CHANGE_RATIO),
    )
    (rows,) = ask(world, model, replace(bare(query), fields=fields))
    for row in rows:
        now, before = row["now"], row["before"]
        unknown = now is None or before is None
        assert same_value(row["change"], None if unknown else now - before)
        ratio = None if unknown or before == 0 else float(now - before) / float(before)
        assert same_value(row["ratio"], ratio)


@given(st.data(), st.sampled_from((1, 2, 7)))
@law
def test_an_offset_is_the_value_of_an_earlier_day(data: st.DataObject, days: int) -> None:
    world, model, query = draw(data)
    query = simple_query(data, model, query, (Aggregation.COUNT, Aggregation.SUM, Aggregation.COUNT_DISTINCT))
    keys = tuple(field for field in query.fields if isinstance(field, DimensionField))
    field = query.metrics[0]
    earlier = replace(field, offset=Duration(days, Unit.DAY))
    time = TimeField("time", Grain.DAY)
    query = replace(query, time_range=None)
    before, plain = ask(
        world, model, replace(query, fields=(time, *keys, earlier)), replace(query, fields=(time, *keys, field))
    )
    known = {(row["time"], *(row[key.key] for key in keys)): row["value"] for row in plain if row["time"] is not None}
    assume(known)
    first = min(time for time, *_ in known)
    for row in before:
        shifted = row["time"] - timedelta(days=days)
        if shifted >= first:
            assert same_value(row["value"], known[(shifted, *(row[key.key] for key in keys))])


@given(st.data(), st.sampled_from((Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR)))
@law
def test_to_date_at_its_own_grain_is_the_period(data: st.DataObject, grain: Grain) -> None:
    world, model, query = draw(data)
    query = replace(bare(query), time_range=None)
    field = replace(query.metrics[0], offset=None, comparison=Comparison.VALUE, rolling=None, to_date=None)
    keys = tuple(key for key in query.fields if isinstance(key, DimensionField))
    plain = replace(query, fields=(TimeField("time", grain), *keys, field))
    to_date = replace(query, fields=(TimeField("time", grain), *keys, replace(field, to_date=grain)))
    first, second = ask(world, model, plain, to_date)
    check_same([row for row in first if row["time"] is not None], second)


@given(st.data())
@law
def test_a_window_of_one_day_is_the_day(data: st.DataObject) -> None:
    world, model, query = draw(data)
    field = replace(query.metrics[0], offset=None, comparison=Comparison.VALUE, rolling=None, to_date=None)
    keys = tuple(key for key in query.fields if isinstance(key, DimensionField))
    plain = replace(bare(query), fields=(TimeField("time", Grain.DAY), *keys, field))
    rolling = replace(plain, fields=(*plain.fields[:-1], replace(field, rolling=Duration(1, Unit.DAY))))
    if query.time_range is not None and _begins_within_a_day(query):
        return
    first, second = ask(world, model, plain, rolling)
    check_same([row for row in first if row["time"] is not None], second)


def _begins_within_a_day(query: MetricQuery) -> bool:
    """Windows reach back before a range's start: the first day of such a range is whole in a window only."""
    return isinstance(query.time_range, Between) or (
        isinstance(query.time_range, Last) and query.time_range.unit is Unit.HOUR
    )


# --- what doesn't matter ---------------------------------------------------------------------------------------------


def with_tables(world: World, change: Any) -> World:
    return World(world.document, {name: change(table) for name, table in world.tables.items()})


def compare_worlds(world: World, other: World, query: MetricQuery) -> None:
    model = world.model()
    (first,), (second,) = ask(world, model, query), ask(other, other.model(), query)
    check_same(first, second)


@given(st.data(), st.integers(0, 1000))
@law
def test_the_order_of_rows_does_not_matter(data: st.DataObject, seed: int) -> None:
    world, _, query = draw(data)

    def unique(table: Table) -> Table:
        """Without repeated keys, whose first row wins."""
        keys = [column for column in ("id", "user_id", "region_id") if column in table.columns][:1]
        kept = {tuple(row[key] for key in keys): row for row in table.rows}
        return Table(table.columns, list(kept.values()))

    def shuffled(table: Table) -> Table:
        rows = list(table.rows)
        random.Random(seed).shuffle(rows)
        return Table(table.columns, rows, (len(rows) // 2,))

    world = with_tables(world, unique)
    compare_worlds(world, with_tables(world, shuffled), query)


@given(st.data())
@law
def test_files_do_not_matter(data: st.DataObject) -> None:
    world, _, query = draw(data)
    one = with_tables(world, lambda table: Table(table.columns, table.rows))
    many = with_tables(world, lambda table: Table(table.columns, table.rows, tuple(range(1, len(table.rows), 3))))
    compare_worlds(one, many, query)


@given(st.data())
@law
def test_rows_delivered_twice_are_rows_once(data: st.DataObject) -> None:
    world, _, query = draw(data)
    datasets = [dataset | {"primary_key": dataset.get("primary_key", "id")} for dataset in world.document["datasets"]]
    world = World(world.document | {"datasets": datasets}, world.tables)

    def twice(table: Table) -> Table:
        keys = [column for column in ("id", "user_id", "region_id") if column in table.columns]
        again = [row for row in table.rows if all(row[key] is not None for key in keys)]  # a null key is no key
        return Table(table.columns, [*table.rows, *again])

    compare_worlds(world, with_tables(world, twice), query)


@given(st.data())
@law
def test_answers_at_once_are_answers_one_by_one(data: st.DataObject) -> None:
    world, model, query = draw(data)
    asked = [query, *(data.draw(queries(world, model)) for _ in range(2))]

    async def run() -> None:
        async with serve(world, model) as served:
            together = await asyncio.gather(*(_answer(served, one) for one in asked))
            for one, known in zip(asked, together, strict=True):
                assert await _answer(served, one) == known

    asyncio.run(run())


async def _answer(served: Served, query: MetricQuery) -> list[Row] | str:
    try:
        return await served.rows(query)
    except QueryError as error:
        return error.code


def test_a_broken_law_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        check_same([{"value": 1}], [{"value": 2}])
    with pytest.raises(AssertionError):
        check_same([{"value": 1}], [])
