"""Attribution: the served answer against brute force on random data, and what must hold of every one."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantic.errors import Code, QueryError
from semantic.model.model import Model
from semantic.query.query import MetricQuery
from semantic.query.touch_path import TouchPathQuery
from tests.reference import Refused, Unspecified, answer
from tests.reference.attribution import as_sums, touch_path_rows
from tests.reference.rows import Row
from tests.reference.same import differences
from tests.reference.served import Served, serve
from tests.reference.world import World
from tests.strategies.attribution_worlds import make_credit_query, make_path_query, make_world
from tests.strategies.choices import Choices

QUERIES = 4
"""Questions about one world: opening one costs more than asking."""
SAME_MISTAKE = {Code.UNKNOWN_NAME: Code.SEGMENT_NOT_SHARED}


def expected_of(world: World, query: MetricQuery) -> list[Row] | Code | None:
    """What the documents say: rows, a refusal's code, or nothing."""
    try:
        sums, asked = as_sums(world, query)
        return answer(sums.model(), sums.rows, asked)
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


async def check(choices: Choices) -> Counter[str]:
    """Some questions about one world."""
    seen: Counter[str] = Counter()
    world = make_world(choices)
    model: Model = world.model()
    async with serve(world, model) as served:
        for _ in range(QUERIES):
            query = make_credit_query(choices, world, model)
            expected, got = expected_of(world, query), await served_by(served, query)
            if isinstance(expected, list) and isinstance(got, list):
                found = differences(expected, got)
                assert not found, "\n".join([*found, f"expected {expected}", f"got {got}", f"{query}"])
            elif expected is not None:
                assert expected == got, f"{expected} expected, {got} got: {query}"
            await check_paths(served, world, make_path_query(choices, world, model))
            seen["rows" if expected and isinstance(expected, list) else "others"] += 1
    return seen


async def check_paths(served: Served, world: World, query: TouchPathQuery) -> None:
    """The paths of one question."""
    try:
        expected = touch_path_rows(world, query)
    except Refused:
        return
    got = []
    for row in await served.rows(query):
        touches = tuple(row[f"name{step}"] for step in range(row["length"], 0, -1))
        got.append({"touches": touches, **{name: row.get(name) for name in ("conversions", "value", "total")}})
    assert not differences(expected, got), f"expected {expected}, got {got}: {query}"


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
async def test_the_engine_is_the_reference(data: st.DataObject) -> None:
    await check(Choices(lambda count: data.draw(st.integers(0, count - 1))))


async def test_most_random_questions_have_an_answer() -> None:
    """Otherwise the comparison above would compare little."""
    seen: Counter[str] = Counter()
    for seed in range(12):
        seen += await check(Choices(Random(seed).randrange))
    assert seen["rows"] > 20, seen
