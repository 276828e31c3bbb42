"""Conversions and retention rates as metrics: the engine against the reference, and beside other metrics."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from semantic.query.query import MetricField
from tests import sequence_laws as laws
from tests.reference.sequence_metrics import metric_rows
from tests.reference.served import serve
from tests.sequences import ask, ask_engine, differences, outcome, outcome_of
from tests.strategies.choices import Choices
from tests.strategies.sequence_queries import make_metric_query
from tests.strategies.sequence_worlds import make_world

QUERIES = 8
"""Questions about one world: opening one costs more than asking."""


@settings(max_examples=12, deadline=None)
@given(st.data())
async def test_the_engine_is_the_reference(data: st.DataObject) -> None:
    choices = Choices(lambda count: data.draw(st.integers(0, count - 1)))
    world = make_world(choices)
    model = world.model()
    async with serve(world, model) as served:
        for _ in range(QUERIES):
            query = make_metric_query(choices, world)
            expected = outcome(partial(metric_rows, model, world.rows, query))
            if expected is not None:
                assert not differences(expected, await outcome_of(ask_engine(served, query))), query


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32))
async def test_beside_other_metrics(seed: int) -> None:
    choices = Choices(Random(seed).randrange)
    world = make_world(choices, most=40)
    query = make_metric_query(choices, world)
    assume(isinstance(outcome(partial(metric_rows, world.model(), world.rows, query)), list))
    others = (MetricField("m8", "uv"), MetricField("m9", "pv"))
    await laws.beside_others_as_alone(ask, world, replace(query, fields=(*query.fields, *others)))
