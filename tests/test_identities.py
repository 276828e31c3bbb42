"""Identities: what is served is what is served of tables in which every id was replaced by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.settings import Settings
from semantic.compile import compile_query
from semantic.model.model import Model
from semantic.query.query import DimensionField, MetricField, MetricQuery
from tests.live import LiveServer
from tests.reference.funnel import funnel_rows
from tests.reference.retention import retention_rows
from tests.reference.rows import Row, distinct_rows
from tests.reference.sequence_metrics import metric_rows
from tests.reference.served import Served, serve
from tests.reference.world import Table, World
from tests.sequences import ask_engine, differences, outcome, outcome_of
from tests.strategies.choices import Choices
from tests.strategies.models import make_world
from tests.strategies.queries import make_query
from tests.strategies.sequence_queries import make_funnel_query, make_metric_query, make_retention_query
from tests.strategies.sequence_worlds import make_world as make_sequence_world
from tests.test_reference_random import check_answer

ANCHOR = datetime(2026, 11, 1)


def make_map(choices: Choices, timed: bool) -> Table:
    """Ids that stand for others: some for several, some for nobody, some written twice, some never seen."""
    rows = [
        {
            "anonymous_id": choices.pick(("u3", "u4", "u1", "u2", "u7", None)),
            "user_id": choices.pick(("u1", "u2", "u3", "u9", None)),
            **({"bound_at": choices.pick((ANCHOR, ANCHOR + timedelta(hours=1), None))} if timed else {}),
        }
        for _ in range(choices.below(7))
    ]
    kinds = {"anonymous_id": "VARCHAR", "user_id": "VARCHAR", **({"bound_at": "TIMESTAMP"} if timed else {})}
    return Table(kinds, rows)


def reading(rows: list[Row]) -> dict[Any, Any]:
    """What each id is read as: the earliest it is bound to (those without a time last), then the smallest."""
    known: dict[Any, list[tuple[bool, datetime, str]]] = {}
    for row in rows:
        if row["anonymous_id"] is not None and row["user_id"] is not None:
            bound = row.get("bound_at")
            known.setdefault(row["anonymous_id"], []).append((bound is None, bound or ANCHOR, row["user_id"]))
    return {source: min(targets)[2] for source, targets in known.items()}


def identified(choices: Choices, world: World) -> tuple[World, World]:
    """A world with a map of identities, and the one whose tables have the ids that they are read as."""
    timed = choices.chance(2)
    table = make_map(choices, timed)
    document = copy.deepcopy(world.document)
    dataset = {"name": "identity_map", "source": "data/identity_map/*.parquet"}
    document["datasets"].append(dataset | ({"time_dimension": "bound_at"} if timed else {}))
    document["identities"] = [{"name": "user", "dataset": "identity_map", "from": "anonymous_id", "to": "user_id"}]
    return World(document, {**world.tables, "identity_map": table}), by_hand(world, reading(table.rows))


def by_hand(world: World, known: dict[Any, Any]) -> World:
    """The tables with their ids replaced; rows that repeat a key are taken out before."""
    model, document = world.model(), copy.deepcopy(world.document)
    tables = dict(world.tables)
    for dataset in document["datasets"]:
        column = dataset.get("entities", {}).get("user")
        if column is None:
            continue
        table = world.tables[dataset["name"]]
        rows = distinct_rows(model.datasets[dataset["name"]], table.rows)
        replaced = [{**row, column: known.get(row[column], row[column])} for row in rows]
        tables[dataset["name"]] = Table(table.columns, replaced)
        dataset.pop("primary_key", None)
    return World(document, tables)


@given(st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
async def test_metrics_are_those_of_the_users(data: st.DataObject) -> None:
    choices = Choices(lambda count: data.draw(st.integers(0, count - 1)))
    world = make_world(choices)
    mapped, expected = identified(choices, world)
    model = expected.model()
    async with serve(mapped, mapped.model()) as served:
        for _ in range(3):
            await check_answer(served, expected, model, make_query(choices, world, model))


Make = Callable[[Choices, World], Any]
Rows = Callable[[Model, Any, Any], list[Row]]
SEQUENCES: tuple[tuple[Make, Rows], ...] = (
    (make_funnel_query, funnel_rows),
    (make_retention_query, retention_rows),
    (make_metric_query, metric_rows),
)


@given(st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
async def test_funnels_and_retentions_are_those_of_the_users(data: st.DataObject) -> None:
    choices = Choices(lambda count: data.draw(st.integers(0, count - 1)))
    world = make_sequence_world(choices)
    mapped, expected = identified(choices, world)
    model = expected.model()
    async with serve(mapped, mapped.model()) as served, serve(expected, model) as plain:
        for make, rows in SEQUENCES:
            for _ in range(2):
                query = make(choices, world)
                if outcome(partial(rows, model, expected.rows, query)) is not None:  # else ties decide
                    known = await outcome_of(ask_engine(plain, query))
                    assert not differences(known, await outcome_of(ask_engine(served, query))), query


@given(st.data())
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
async def test_credit_and_scores_are_those_of_the_users(data: st.DataObject) -> None:
    choices = Choices(lambda count: data.draw(st.integers(0, count - 1)))
    world = make_sequence_world(choices)
    document = world.document
    touch = {"dataset": "events", "dimensions": ["channel"], "where": "event = 'A'"}
    conversion = {"dataset": "events", "where": "event = 'B'"}
    credit = {"name": "paid", "entity": "user", "conversion": conversion, "touch": touch, "lookback": "7 days"}
    document["attributions"] = [{**credit, "model": "linear"}]  # which touches of one instant are alike to
    cuts = {"recency": [1, 2, 3, 4], "frequency": [2, 3, 4, 5], "monetary": [2, 3, 4, 5]}
    score = {"name": "rfm", "version": 1, "dataset": "events", "entity": "user", "amount": "1", **cuts}
    document["scores"] = [score]
    document["metrics"] += [
        {"name": "credited", "type": "attribution", "attribution": "paid"},
        {"name": "scored", "type": "simple", "dataset": "rfm", "agg": "count"},
        {"name": "spent", "type": "simple", "dataset": "rfm", "agg": "max", "expr": "frequency"},
    ]
    mapped, expected = identified(choices, world)
    by_channel = MetricQuery((DimensionField("by0", "channel"), MetricField("m0", "credited")))
    scores = MetricQuery((MetricField("m0", "scored"), MetricField("m1", "spent")))
    async with serve(mapped, mapped.model()) as served, serve(expected, expected.model()) as plain:
        for query in (by_channel, scores):
            known = await outcome_of(ask_engine(plain, query))
            assert isinstance(known, list), known
            assert not differences(known, await outcome_of(ask_engine(served, query))), query


def visits(*users: str | None, **known: str) -> World:
    """A world of visits, one a user, and a map of identities."""
    events = [{"user_id": user, "at": ANCHOR} for user in users]
    pairs = [{"anonymous_id": source, "user_id": target} for source, target in known.items()]
    document = {
        "version": 1,
        "datasets": [
            {
                "name": "events",
                "source": "data/events/*.parquet",
                "time_dimension": "at",
                "entities": {"user": "user_id"},
            },
            {"name": "identity_map", "source": "data/identity_map/*.parquet"},
        ],
        "identities": [{"name": "user", "dataset": "identity_map", "from": "anonymous_id", "to": "user_id"}],
        "metrics": [
            {"name": "uv", "type": "simple", "dataset": "events", "agg": "count_distinct", "expr": "user_id"},
            {"name": "pv", "type": "simple", "dataset": "events", "agg": "count"},
        ],
    }
    return World(
        document,
        {
            "events": Table({"user_id": "VARCHAR", "at": "TIMESTAMP"}, events),
            "identity_map": Table({"anonymous_id": "VARCHAR", "user_id": "VARCHAR"}, pairs),
        },
    )


UV = MetricQuery((MetricField("uv", "uv"),))


async def compiled(served: Served, query: MetricQuery) -> str:
    facts = await served.engine.facts(tuple(served.model.datasets))
    return compile_query(served.model, query, facts).statement.sql


async def test_a_map_without_conflicts_is_joined_as_it_is() -> None:
    """It is proven once for each version of its files; then nothing is aggregated, and nothing has to be asked."""
    world = visits("a", "b", "u", a="u")
    async with serve(world, world.model()) as served:
        assert await served.rows(UV) == [{"uv": 2}]
        facts = await served.engine.facts(tuple(served.model.datasets))
        found = compile_query(served.model, UV, facts)
        assert 'LEFT JOIN "identity_map" AS "user"' in found.statement.sql
        assert "GROUP BY" not in found.statement.sql
        assert found.audits == ()


async def test_what_counts_no_ids_reads_no_map() -> None:
    world = visits("a", "b", "u", a="u")
    async with serve(world, world.model()) as served:
        assert "identity_map" not in await compiled(served, MetricQuery((MetricField("pv", "pv"),)))


def test_a_changed_map_is_a_new_version_of_the_data(live: LiveServer, tmp_path: Path) -> None:
    asked = "{ metrics { totals { uv } meta { cached dataVersion warnings { code } } } }"
    before = visits("a", "b", "u", a="u")
    before.write(tmp_path)
    with live.serving(Settings(model=tmp_path, reload=False, freshness_check=0)):
        first = live.ask(asked).json["data"]["metrics"]
        again = live.ask(asked).json["data"]["metrics"]
        assert (first["totals"], first["meta"]["warnings"]) == ({"uv": 2}, [])
        assert (again["meta"]["cached"], again["meta"]["dataVersion"]) == (True, first["meta"]["dataVersion"])
        table = before.tables["identity_map"]
        more = [{"anonymous_id": "b", "user_id": "u"}, {"anonymous_id": "b", "user_id": "v"}]
        replace(table, rows=[*table.rows, *more]).write(tmp_path / "data" / "identity_map")
        changed = live.ask(asked).json["data"]["metrics"]
    assert changed["totals"] == {"uv": 1}
    assert changed["meta"]["dataVersion"] != first["meta"]["dataVersion"]
    assert changed["meta"]["warnings"] == [{"code": "IDENTITY_CONFLICT"}]


async def test_the_conflict_is_decided_alike_whatever_the_order_of_rows() -> None:
    for seed in range(4):
        pairs = [{"anonymous_id": "a", "user_id": user} for user in ("u3", "u1", "u2")]
        Random(seed).shuffle(pairs)
        world = visits("a", "u1")
        world.tables["identity_map"].rows[:] = pairs
        async with serve(world, world.model()) as served:
            assert await served.rows(UV) == [{"uv": 1}]
