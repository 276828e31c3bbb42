"""How long a funnel takes and who leaves it where: the engine against the reference."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.query.funnel import FunnelQuery, FunnelReport
from tests.reference.funnel import Report
from tests.reference.sequence_lists import drop_offs, time_to_convert
from tests.reference.served import Served, serve
from tests.sequences import ask_engine, outcome, outcome_of
from tests.strategies.choices import Choices
from tests.strategies.sequence_queries import make_funnel_query
from tests.strategies.sequence_worlds import make_world

QUERIES = 6
"""Questions about one world: opening one costs more than asking."""


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
async def test_the_engine_is_the_reference(seed: int) -> None:
    choices = Choices(Random(seed).randrange)
    world = make_world(choices, most=40)
    model = world.model()
    async with serve(world, model) as served:
        for _ in range(QUERIES):
            query = replace(make_funnel_query(choices, world), breakdown=(), grain=None)
            steps = next(len(f["steps"]) for f in world.document["funnels"] if f["name"] == query.funnel)
            query = replace(
                query, step=1 + choices.below(steps), buckets=choices.pick((24, 1, 2, 7)), limit=choices.pick((100, 2))
            )
            report = outcome(partial(Report, model, world.rows, query))
            for one in (FunnelReport.HISTOGRAM, FunnelReport.DROP_OFFS):
                got = await _told(served, replace(query, report=one))
                assert got == (report if isinstance(report, str) else _expected(report, query, one)), query


def _expected(report: Any, query: FunnelQuery, one: FunnelReport) -> list[tuple[Any, ...]]:
    if one is FunnelReport.HISTOGRAM:
        counts = [part["count"] for part in time_to_convert(report, query.step, query.buckets)]
        return [(place, count) for place, count in enumerate(counts) if count]
    found = drop_offs(report, query.step or 1, query.limit, query.offset)
    return [(one["entity"], datetime.fromisoformat(one["lastSeen"])) for one in found]


async def _told(served: Served, query: FunnelQuery) -> list[tuple[Any, ...]] | str:
    rows = await outcome_of(ask_engine(served, query))
    return rows if isinstance(rows, str) else [tuple(row.values()) for row in rows]
