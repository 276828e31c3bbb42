"""The served answer against the reference, on random models, data and queries."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantic.errors import Code, QueryError
from semantic.model.model import Model
from semantic.query.query import MetricQuery
from tests.reference import Refused, Unspecified, answer
from tests.reference.rows import Row
from tests.reference.same import differences
from tests.reference.served import Served, serve
from tests.reference.world import World
from tests.strategies import queries, worlds
from tests.strategies.choices import Choices
from tests.strategies.models import make_world
from tests.strategies.queries import make_query

SAME_MISTAKE = {Code.UNKNOWN_NAME: Code.SEGMENT_NOT_SHARED}
"""A segment that no dataset has is not shared either."""


def expected_of(model: Model, world: World, query: MetricQuery) -> list[Row] | Code | None:
    """What the documents say: rows, a refusal's code, or nothing."""
    try:
        return answer(model, world.rows, query)
    except Refused as refused:
        return refused.code
    except Unspecified:
        return None


async def served_by(served: Served, query: MetricQuery) -> list[Row] | Code:
    """What the compiler and the engine say."""
    try:
        return await served.rows(query)
    except QueryError as error:
        return SAME_MISTAKE.get(error.code, error.code)


async def check(world: World, model: Model, asked: list[MetricQuery]) -> None:
    async with serve(world, model) as served:
        for query in asked:
            await check_answer(served, world, model, query)


async def check_answer(served: Served, world: World, model: Model, query: MetricQuery) -> None:
    """What is served is what the reference says of a world."""
    expected = expected_of(model, world, query)
    got = await served_by(served, query)
    if isinstance(expected, list) and isinstance(got, list):
        found = differences(expected, got)
        assert not found, "\n".join([*found, f"expected {expected}", f"got {got}", f"{query}"])
    elif expected is not None:
        assert expected == got, f"{expected} expected, {got} got: {query}"


@given(st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_the_references(data: st.DataObject) -> None:
    world = data.draw(worlds(), label="world")
    model = world.model()
    asyncio.run(check(world, model, [data.draw(queries(world, model), label=f"query {n}") for n in range(3)]))


def test_most_random_queries_have_an_answer() -> None:
    """Otherwise the comparison above would compare nothing."""
    seen: Counter[str] = Counter()
    for seed in range(100):
        choices = Choices(random.Random(seed).randrange)
        world = make_world(choices)
        model = world.model()
        expected = expected_of(model, world, make_query(choices, world, model))
        seen["rows" if expected and isinstance(expected, list) else "no rows" if expected == [] else "refused"] += 1
    assert seen["rows"] > 40, seen
    assert seen["refused"] < 20, seen
