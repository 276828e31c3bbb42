"""A funnel that outgrows the memory it may use: spilled, with the same answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import duckdb

from engine import open_engine
from semantic.load import load_texts
from semantic.query.funnel import FunnelQuery
from tests.reference.rows import Row
from tests.reference.served import SETTINGS, Served
from tests.sequences import ask_engine

EVENTS = 1_600_000
LITTLE = 44_000_000
"""Bytes: less than the events of a funnel take."""
MODEL = load_texts(
    {
        "model.yml": """
version: 1
timezone: UTC
datasets:
- name: events
  source: data/events.parquet
  time_dimension: at
  entities: {user: user_id}
  dimensions: [{name: channel, type: string}]
funnels:
- name: f
  entity: user
  dataset: events
  window: 1 day
  steps: [{name: a, where: event = 'A'}, {name: b, where: event = 'B'}, {name: c, where: event = 'C'}]
"""
    }
)
QUESTION = FunnelQuery("f", breakdown=("channel",), times=True)


def write_events(folder: Path) -> None:
    (folder / "data").mkdir()
    random = "SELECT i, hash(i) AS one, hash(i + 10_000_000_000) AS two FROM range(?) t(i)"
    duckdb.connect().execute(
        f"""COPY (
            SELECT CAST(one % 50_000 AS BIGINT) AS user_id,
                make_timestamp(1_793_000_000_000_000 + CAST(two % 2_000_000 AS BIGINT) * 1_000_000) AS at,
                substr('AAABBC', CAST(one // 1_000_000 % 6 AS INTEGER) + 1, 1) AS event,
                'c' || two // 10_000_000 % 12 AS channel
            FROM ({random})
        ) TO '{folder}/data/events.parquet' (ROW_GROUP_SIZE 50_000)""",
        [EVENTS],
    )


async def answers(folder: Path, memory: int) -> tuple[list[Row], int]:
    """What is answered with so much memory, and the most bytes that lay in the spill directory meanwhile."""
    spill = folder / f"spill-{memory}"
    spill.mkdir()
    engine = open_engine(MODEL, folder, replace(SETTINGS, memory_limit=memory, spill_directory=spill))
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, sum(path.stat().st_size for path in spill.rglob("*.tmp") if path.exists()))
            await asyncio.sleep(0.005)

    watcher = asyncio.ensure_future(watch())
    try:
        served = Served(MODEL, engine)
        return await ask_engine(served, QUESTION), most
    finally:
        watcher.cancel()
        await engine.close()


async def test_what_outgrows_memory_is_answered_alike(tmp_path: Path) -> None:
    write_events(tmp_path)
    plenty, nothing = await answers(tmp_path, 2_000_000_000)
    little, spilled = await answers(tmp_path, LITTLE)
    assert nothing == 0 < spilled
    assert len(plenty) == 12
    assert little == plenty
