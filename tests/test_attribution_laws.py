"""What must hold of every attribution, whatever the data and the model."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.model.sequence import AttributionModel
from semantic.query.query import Dates, DimensionField, MetricField, MetricQuery
from semantic.query.touch_path import TouchPathQuery
from tests.reference.rows import Row, distinct_rows
from tests.reference.same import differences
from tests.reference.served import serve
from tests.reference.world import Table, World
from tests.strategies.attribution_worlds import MODELS, make_world
from tests.strategies.choices import Choices

SPLIT = (DimensionField("channel", "channel"), DimensionField("city", "city"))


def credits_by(model: AttributionModel) -> MetricQuery:
    """The value and the number of conversions by all that splits them."""
    metrics = [MetricField(name, name, model=model) for name in ("one_value", "one_count")]
    return MetricQuery((*SPLIT, *metrics), limit=None)


async def ask(world: World, query: MetricQuery) -> list[Row]:
    async with serve(world, world.model()) as served:
        return await served.rows(query)


def world_of(seed: int) -> World:
    return make_world(Choices(Random(seed).randrange))


SEEDS = st.integers(0, 2**32)


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.sampled_from(MODELS))
async def test_all_of_every_conversion_is_credited_once(seed: int, model: AttributionModel) -> None:
    """The groups sum to what the conversions are worth, which takes no touch to say."""
    world, query = world_of(seed), credits_by(model)
    async with serve(world, world.model()) as served:
        rows = await served.rows(query)
        (total,) = await served.rows(replace(query, fields=query.metrics))
    for name in ("one_value", "one_count"):
        assert sum(float(row[name] or 0) for row in rows) == pytest.approx(float(total[name] or 0)), name


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.sampled_from(MODELS), st.randoms(use_true_random=False))
async def test_the_order_of_rows_is_nothing(seed: int, model: AttributionModel, random: Random) -> None:
    """Rows that repeat a key are left out first: of those the order decides."""
    world = world_of(seed)
    definition = world.model()
    unique = _changed(world, lambda name, rows: distinct_rows(definition.datasets[name], rows))
    turned = _changed(unique, lambda _, rows: random.sample(rows, len(rows)))
    assert not differences(await ask(unique, credits_by(model)), await ask(turned, credits_by(model)))


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.sampled_from(MODELS))
async def test_a_longer_lookback_leaves_no_more_without_a_touch(seed: int, model: AttributionModel) -> None:
    world = world_of(seed)
    longer = replace(world, document=deepcopy(world.document))
    longer.document["attributions"][0]["lookback"] = "60 days"
    query = replace(credits_by(model), fields=(MetricField("one_count", "one_count", model=model),))
    whole = (await ask(world, query))[0]["one_count"]
    assert (await ask(longer, query))[0]["one_count"] == whole
    assert await _untouched(longer, model) <= await _untouched(world, model) + 1e-9


async def _untouched(world: World, model: AttributionModel) -> float:
    """How many conversions have no touch: every touch is marked in a column of its own."""
    marked = _changed(world, lambda name, rows: [{**row, "city": "x"} for row in rows] if name == "visits" else rows)
    rows = await ask(marked, credits_by(model))
    return sum(float(row["one_count"]) for row in rows if row["city"] is None)


@settings(max_examples=6, deadline=None)
@given(SEEDS, st.sampled_from(MODELS))
async def test_later_touches_are_nothing(seed: int, model: AttributionModel) -> None:
    """Nor are those of somebody else, and of nobody."""
    world = world_of(seed)
    kinds = {name: world.tables[name].columns["at"] for name in ("visits", "orders")}
    known = [row["at"] for name in kinds for row in world.tables[name].rows if row["at"] is not None]
    if len(set(kinds.values())) > 1 or not known:
        return
    other = {"channel": "ads", "city": "北京"}
    late = max(known) + timedelta(days=3)
    more = [{"id": -1, "user_id": "1", "at": late, **other}, {"id": -2, "user_id": None, "at": min(known), **other}]
    more.append({"id": -3, "user_id": "9", "at": min(known), **other})
    extended = _changed(world, lambda name, rows: [*rows, *more] if name == "visits" else rows)
    assert not differences(await ask(world, credits_by(model)), await ask(extended, credits_by(model)))


@pytest.mark.parametrize("days", [Dates(date(1, 1, 2), date(2, 1, 1)), Dates(date(9000, 1, 1), date(9998, 12, 30))])
async def test_ranges_at_the_ends_of_the_calendar_are_empty(days: Dates) -> None:
    world = world_of(1)
    for name in ("conversion", "touch"):
        timed = replace(world, document=deepcopy(world.document))
        timed.document["attributions"][0]["time"] = name
        assert await ask(timed, replace(credits_by(AttributionModel.LAST), time_range=days)) == []
    async with serve(world, world.model()) as served:
        assert await served.rows(TouchPathQuery("one", time_range=days)) == []


def _changed(world: World, change: Callable[[str, list[Row]], list[Any]]) -> World:
    tables = {name: Table(table.columns, change(name, table.rows)) for name, table in world.tables.items()}
    return replace(world, tables=tables)
