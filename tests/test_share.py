"""Questions asked at once are answered as when they are asked one by one."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantic.compile import compile_query, datasets_needed
from semantic.errors import QueryError
from semantic.model.model import Model
from semantic.query.query import MetricField, MetricQuery
from semantic.query.visible import Question
from semantic.sql.several import several
from semantic.sql.statement import Statement
from tests.reference.same import differences
from tests.reference.served import Served, serve
from tests.reference.world import World
from tests.strategies import queries, sequence_worlds, worlds
from tests.strategies.choices import Choices
from tests.strategies.models import make_world
from tests.strategies.queries import make_query
from tests.strategies.sequence_queries import make_funnel_query, make_metric_query, make_retention_query


def tiles(query: MetricQuery) -> list[MetricQuery]:
    """What a dashboard may ask beside a query: each of its numbers alone, by fewer keys, in all, and its best rows."""
    bare = replace(query, having=(), order_by=(), limit=None, offset=0, fill=False)
    keys = [field for field in query.fields if not isinstance(field, MetricField)]
    found = [query, bare, replace(bare, fields=query.metrics)]
    found += [replace(bare, fields=(*keys, metric)) for metric in query.metrics]
    found += [replace(bare, fields=tuple(field for field in query.fields if field is not key)) for key in keys]
    return list(dict.fromkeys(found))


async def check(served: Served, asked: Sequence[Question]) -> None:
    """Each alone, then all at once."""
    alone = {}
    for query in asked:
        try:
            alone[query] = (await served.run(query)).table
        except QueryError:
            continue
    answers = await asyncio.gather(*(served.run(query) for query in alone))
    for (query, table), answer in zip(alone.items(), answers, strict=True):
        found = differences(table.to_pylist(), answer.table.to_pylist())
        assert not found, "\n".join([*found, str(query)])
        assert answer.table.schema.names == table.schema.names
        assert set(answer.facts.datasets) == set(datasets_needed(served.model, query))


@given(st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_together_as_alone(data: st.DataObject) -> None:
    world = data.draw(worlds(), label="world")
    model = world.model()
    asked = [data.draw(queries(world, model), label=f"query {n}") for n in range(2)]

    async def run() -> None:
        async with serve(world, model) as served:
            await check(served, [tile for query in asked for tile in tiles(query)])

    asyncio.run(run())


@given(seed=st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
async def test_reports_and_conversions_together_as_alone(seed: int) -> None:
    choices = Choices(random.Random(seed).randrange)
    world = sequence_worlds.make_world(choices)
    asked: list[Question] = [*tiles(make_metric_query(choices, world)), *tiles(make_metric_query(choices, world))]
    funnel, retention = make_funnel_query(choices, world), make_retention_query(choices, world)
    asked += [funnel, replace(funnel, breakdown=()), retention, replace(retention, breakdown=())]
    async with serve(world, world.model()) as served:
        await check(served, list(dict.fromkeys(asked)))


def test_most_tiles_share_something() -> None:
    """Otherwise the comparison above would compare nothing."""
    sizes: Counter[int] = Counter()

    async def run(world: World, model: Model, asked: list[MetricQuery]) -> None:
        async with serve(world, model) as served:
            found = [one for query in asked if (one := await statement_of(served, query))]
            sizes.update(len(one.places) for one in several(found) for _ in one.places)

    for seed in range(20):
        choices = Choices(random.Random(seed).randrange)
        world = make_world(choices)
        model = world.model()
        asyncio.run(run(world, model, tiles(make_query(choices, world, model))))
    assert sum(count for size, count in sizes.items() if size > 1) > sizes[1]


async def statement_of(served: Served, query: Question) -> Statement | None:
    facts = await served.engine.facts(datasets_needed(served.model, query))
    try:
        return compile_query(served.model, query, facts).statement
    except QueryError:
        return None
