"""Distinct counts by marks: the same numbers as ever, on data however small."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine import Answer
from semantic.compile import compile_query, datasets_needed
from semantic.errors import QueryError
from semantic.load import load_texts
from semantic.lower import marks
from semantic.model.facts import FEW, DatasetFacts, Facts, Kind
from semantic.model.metric import Aggregation, Simple
from semantic.model.model import Model
from semantic.query.query import DimensionField, Field, MetricField, MetricQuery, TimeField, Viewer
from semantic.query.visible import Question
from semantic.sql.statement import Statement
from semantic.time import Grain
from tests.reference.served import Served, serve
from tests.reference.world import World
from tests.strategies.choices import Choices
from tests.strategies.models import make_world
from tests.strategies.queries import make_query, shared_dimensions
from tests.test_reference_random import check_answer
from tests.test_share import check as check_together
from tests.test_share import tiles

KINDS = (Kind.STRING, Kind.INTEGER, Kind.BOOLEAN)


@pytest.fixture(autouse=True)
def _every_table_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "ENOUGH", 0)


@dataclass(frozen=True, slots=True)
class Knowing(Served):
    """A served world whose columns of few values are known."""

    world: World

    def facts(self, found: Facts) -> Facts:
        """The same facts, with values."""
        datasets = {}
        for name, facts in found.datasets.items():
            columns = [column for column, kind in facts.columns.items() if kind in KINDS]
            listed = {column: self._values(name, column) for column in columns}
            few = {column: values for column, values in listed.items() if len(values) <= FEW}
            datasets[name] = replace(facts, values=MappingProxyType(few))
        return Facts(found.version, MappingProxyType(datasets))

    def _values(self, dataset: str, column: str) -> tuple[str | int | bool, ...]:
        found = {row.get(column) for row in self.world.rows[dataset]}
        return tuple(sorted(value for value in found if value is not None))

    def compiled(self, query: Question, facts: Facts) -> Statement:
        """Its statement."""
        return compile_query(self.model, query, self.facts(facts)).statement

    async def run(self, query: Question) -> Answer:
        """The engine's answer. QueryError when the query is refused."""
        return await self.engine.answer(datasets_needed(self.model, query), lambda facts: self.compiled(query, facts))


def counts(choices: Choices, world: World, model: Model) -> list[MetricQuery]:
    """Distinct counts by one and by two keys, with the ranges and filters of a random query."""
    names = [
        name
        for name, metric in model.metrics.items()
        if isinstance(metric, Simple) and metric.agg is Aggregation.COUNT_DISTINCT
    ]
    if not names:
        return []
    base = make_query(choices, world, model)
    name = choices.pick(names)
    fields = [MetricField("m0", name), MetricField("m1", choices.pick(names))]
    wheres = [field.where for field in base.metrics if field.where is not None]
    fields += [MetricField("m2", name, where=where) for where in wheres[:1]]
    metrics = tuple(choices.some(fields, 1, len(fields)))
    keys: list[Field] = [TimeField("t", choices.pick((Grain.DAY, Grain.DAY, Grain.WEEK, Grain.MONTH)))]
    keys += [DimensionField(f"d{number}", one) for number, one in enumerate(shared_dimensions(model, [name]))]
    chosen = [choices.some(keys, 1, min(count, len(keys))) for count in (1, 1, 2, 3)]
    bare = replace(base, having=(), order_by=(), limit=None, offset=0)
    return [replace(bare, fields=(*some, *metrics)) for some in chosen]


@pytest.fixture(params=[(8, 16), (2, 3)], ids=["long pieces", "short pieces"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bits are counted in pieces of so many, and in one up to so many."""
    monkeypatch.setattr(marks, "PIECE", request.param[0])
    monkeypatch.setattr(marks, "ONE_PIECE", request.param[1])


@pytest.mark.usefixtures("pieces")
@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
async def test_marks_are_the_references(seed: int) -> None:
    choices = Choices(random.Random(seed).randrange)
    world = make_world(choices)
    model = world.model()
    asked = counts(choices, world, model)
    assume(asked)
    async with serve(world, model) as served:
        knowing = Knowing(served.model, served.engine, world)
        for query in asked:
            await check_answer(knowing, world, model, query)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_together_as_alone(seed: int) -> None:
    choices = Choices(random.Random(seed).randrange)
    world = make_world(choices)
    model = world.model()
    asked = [tile for query in counts(choices, world, model) for tile in tiles(query)]
    assume(asked)
    async with serve(world, model) as served:
        await check_together(Knowing(served.model, served.engine, world), list(dict.fromkeys(asked)))


@pytest.mark.usefixtures("pieces")
async def test_every_shape_is_met() -> None:
    """Otherwise the comparison above would compare nothing."""
    found: Counter[str] = Counter()
    for seed in range(90):
        choices = Choices(random.Random(seed).randrange)
        world = make_world(choices)
        model = world.model()
        async with serve(world, model) as served:
            knowing = Knowing(served.model, served.engine, world)
            for query in counts(choices, world, model):
                found.update(await shapes(knowing, query))
    least = (
        "values",
        "periods",
        "one key",
        "several keys",
        "several words",
        "pieces" if marks.PIECE == 2 else "one piece",
    )
    assert min(found[shape] for shape in least) > 6, found


async def shapes(knowing: Knowing, query: MetricQuery) -> list[str]:
    """In what ways a query is counted by marks."""
    facts = await knowing.engine.facts(datasets_needed(knowing.model, query))
    try:
        sql = knowing.compiled(query, facts).sql
    except QueryError:
        return []
    if "bits#" not in sql:
        return []
    return [
        "periods" if "1970-01-01" in sql or "1900-01-01" in sql or "year(" in sql else "values",
        "one key" if len(query.fields) - len(query.metrics) == 1 else "several keys",
        "several words" if "word1#" in sql else "one word",
        "pieces" if '"place#"' in sql else "one piece",
    ]


POLICED = """
version: 1
dimensions: [{name: channel, type: string}]
datasets:
  - {name: events, source: events.parquet, dimensions: [{name: channel}], entities: {user: user_id}}
metrics: [{name: uv, type: simple, dataset: events, agg: count_distinct, expr: user_id}]
policies:
  - {name: own, dataset: events, where: "channel = :channel", unless: "role = 'admin'"}
"""
SECRET = "secret"


@pytest.mark.parametrize(("role", "named"), [("admin", True), ("seller", False)])
def test_a_statement_names_no_value_of_rows_that_are_hidden(role: str, named: bool) -> None:
    model = load_texts({"model.yml": POLICED})
    kinds = MappingProxyType({"channel": Kind.STRING, "user_id": Kind.INTEGER})
    known = DatasetFacts("1", kinds, rows=1_000_000, values=MappingProxyType({"channel": ("ads", SECRET)}))
    query = MetricQuery(fields=(DimensionField("channel", "channel"), MetricField("uv", "uv")))
    viewer = Viewer("someone", (("channel", "ads"), ("role", role)))
    compiled = compile_query(model, query, Facts("1", MappingProxyType({"events": known})), viewer)
    assert (SECRET in compiled.statement.params) is named
