"""The laws of funnels can be broken: each of them notices an answer that breaks it, and passes one that doesn't."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

import pytest

from semantic.query.funnel import FunnelQuery
from semantic.time import Duration, Unit
from tests import sequence_laws as laws
from tests.reference.rows import Row
from tests.reference.world import World
from tests.sequences import Ask, Question
from tests.strategies.choices import Choices
from tests.strategies.sequence_worlds import make_world

Rows = list[Row]
Law = Callable[[Ask, World], Awaitable[None]]

QUERY = FunnelQuery("f0", breakdown=("channel",))
LONGER = replace(QUERY, window=Duration(9, Unit.DAY))
TURNED = partial(laws.order_of_rows_is_nothing, query=QUERY, turn=list.reverse)


def row(*counts: int, **more: Any) -> Row:
    return {f"count{place}": count for place, count in enumerate(counts, 1)} | more


RIGHT = [row(3, 1, by0="ads", average2=5.0), row(2, 2, by0=None, average2=7.0)]
TOTAL = [row(5, 3)]
LAWS: dict[str, tuple[Law, list[Rows], list[list[Rows]]]] = {
    "counts never rise": (
        partial(laws.counts_never_rise, query=QUERY),
        [RIGHT],
        [[[row(1, 2)]]],
    ),
    "the order of rows is nothing": (
        TURNED,
        [RIGHT, RIGHT],
        [
            [RIGHT, RIGHT[:1]],
            [RIGHT, [RIGHT[0], RIGHT[1] | {"average2": 6.0}]],
            [RIGHT, [RIGHT[0], RIGHT[1] | {"by0": "x"}]],
        ],
    ),
    "longer windows lower nothing": (
        partial(laws.longer_windows_lower_nothing, query=QUERY, longer=LONGER),
        [[row(5, 3)], [row(5, 4)]],
        [[[row(5, 3)], [row(5, 2)]], [[row(5, 3)], [row(4, 3)]], [[row(5, 3)], []]],
    ),
    "drop_off keeps step 1": (
        partial(laws.drop_off_keeps_step_1, query=QUERY),
        [[row(5, 1)], [row(5, 3)]],
        [[[row(4, 1)], [row(5, 3)]]],
    ),
    "groups sum to the total": (
        partial(laws.groups_sum_to_the_total, query=QUERY),
        [TOTAL, RIGHT],
        [[TOTAL, RIGHT[:1]], [[row(5, 2)], RIGHT], [TOTAL, []]],
    ),
    "other events are nothing": (
        partial(laws.other_events_are_nothing, query=QUERY),
        [RIGHT, RIGHT],
        [[RIGHT, [RIGHT[0] | {"count2": 0}, RIGHT[1]]], [RIGHT, [*RIGHT, row(1, 0, by0="Z")]]],
    ),
}


def telling(answers: list[Rows]) -> Ask:
    """Somebody who gives these answers, one after the other."""
    left = iter(answers)

    async def ask(world: World, query: Question) -> Rows:
        return next(left)

    return ask


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(Choices(Random(4).randrange))


@pytest.mark.parametrize("name", LAWS)
async def test_a_law_can_be_broken(name: str, world: World) -> None:
    law, right, wrong = LAWS[name]
    await law(telling(right), world)
    for answers in wrong:
        with pytest.raises(AssertionError):
            await law(telling(answers), world)
