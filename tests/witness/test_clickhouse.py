"""A second witness: ClickHouse's own `windowFunnel` and `retention` over the same Parquet files.

They mean what ours mean where the steps are distinct events and time alone orders them, ties included: `windowFunnel`
puts events of one instant in the order of the steps.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from chdb.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.query.funnel import FunnelQuery
from semantic.query.query import Compare, Operator
from semantic.query.retention import RetentionQuery
from tests.reference.rows import Row
from tests.reference.world import Table, World
from tests.sequences import Question, ask

START = datetime(2026, 11, 2)
STEPS = "ABCDE"
COLUMNS = {"id": "BIGINT", "user_id": "BIGINT", "at": "TIMESTAMP", "event": "VARCHAR", "channel": "VARCHAR"}
DAYS = 5
USERS = 100


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[Session]:
    session = Session()
    yield session
    session.close()


def told(clickhouse: Session, world: World, sql: str) -> list[dict[str, Any]]:
    """What ClickHouse answers about `events`."""
    with tempfile.TemporaryDirectory() as folder:
        world.write(Path(folder))
        source = f"file('{folder}/data/events/*.parquet', Parquet)"
        options = "SETTINGS schema_inference_make_columns_nullable = 0"
        found = clickhouse.query(f"WITH events AS (SELECT * FROM {source}) {sql} {options}", "JSONEachRow")
    return [json.loads(line) for line in str(found).splitlines()]


def ours(world: World, question: Question) -> list[Row]:
    return asyncio.run(ask(world, question))


def happened(random: Random, events: str, minutes: int) -> list[Row]:
    """Events of many users in random order, many at the same minute."""
    return [
        {
            "id": place,
            "user_id": random.randrange(-USERS, USERS) * 2**40,
            "at": START + timedelta(minutes=random.randrange(minutes)),
            "event": random.choice(events),
            "channel": random.choice("xyz"),
        }
        for place in range(USERS * random.randrange(1, 30))
    ]


def world_of(rows: list[Row], **more: Any) -> World:
    dataset = {
        "name": "events",
        "source": "data/events/*.parquet",
        "primary_key": "id",
        "time_dimension": "at",
        "entities": {"user": "user_id"},
        "dimensions": [{"name": "channel", "type": "string"}],
    }
    return World({"version": 1, "timezone": "UTC", "datasets": [dataset], **more}, {"events": Table(COLUMNS, rows)})


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_window_funnel(clickhouse: Session, seed: int) -> None:
    random = Random(seed)
    steps, window, channel = random.randrange(2, 6), random.randrange(1, 20), random.choice([None, "x"])
    named = [{"name": f"s{place}", "where": f"event = '{event}'"} for place, event in enumerate(STEPS[:steps])]
    funnel = {"name": "f", "entity": "user", "dataset": "events", "window": f"{window} minutes", "steps": named}
    world = world_of(happened(random, STEPS + "Z", random.randrange(10, 60)), funnels=[funnel])
    where = None if channel is None else Compare("channel", Operator.EQ, channel)
    (row,) = ours(world, FunnelQuery("f", where=where))
    opens = "" if channel is None else f" AND channel = '{channel}'"
    matches = [f"event = '{event}'{opens if place == 0 else ''}" for place, event in enumerate(STEPS[:steps])]
    micros = f"windowFunnel({window * 60_000_000})(toUInt64(toUnixTimestamp64Micro(at)), {', '.join(matches)})"
    depths = Counter(
        found["depth"] for found in told(clickhouse, world, f"SELECT {micros} AS depth FROM events GROUP BY user_id")
    )
    reached = [sum(count for depth, count in depths.items() if depth >= step) for step in range(1, steps + 1)]
    assert [row[f"count{step}"] for step in range(1, steps + 1)] == reached


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_retention(clickhouse: Session, seed: int) -> None:
    random = Random(seed)
    returning = random.choice(["event = 'A'", "event = 'B'"])
    retention = {
        "name": "r",
        "entity": "user",
        "cohort": {"dataset": "events", "where": "event = 'A'"},
        "return": {"dataset": "events", "where": returning},
        "periods": DAYS,
    }
    world = world_of(happened(random, "AB", 8 * 24 * 60), retentions=[retention])
    found = {
        row["cohort"]: [row["size"], *(row[f"cell{n}"] for n in range(1, DAYS + 1))]
        for row in ours(world, RetentionQuery("r"))
    }
    later = ", ".join(f"{returning} AND toDate(at) = first + {day}" for day in range(1, DAYS + 1))
    sql = f"""
        SELECT toString(cohort) AS cohort, sumForEach(back) AS back
        FROM (
            SELECT any(first) AS cohort, retention(event = 'A' AND toDate(at) = first, {later}) AS back
            FROM events AS e
            INNER JOIN (SELECT user_id, min(toDate(at)) AS first FROM events WHERE event = 'A' GROUP BY user_id) AS f
                USING (user_id)
            GROUP BY user_id
        )
        GROUP BY cohort
    """
    theirs = {date.fromisoformat(row["cohort"]): [int(n) for n in row["back"]] for row in told(clickhouse, world, sql)}
    assert found == theirs
