"""The lifecycle of entities against sets of who was active when, and its law."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import open_engine
from semantic.compile import compile_query, datasets_needed
from semantic.load import load_texts
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.query import Dates
from semantic.time import Grain, period_end, period_start

MODEL = """
version: 1
datasets:
- {name: visits, source: visits.parquet, time_dimension: seen_at, entities: {user: who}}
retentions:
- {name: active, entity: user, cohort: {dataset: visits, type: recurring}, return: {dataset: visits}}
"""
FIRST, LAST = date(2026, 10, 20), date(2026, 12, 5)

Visits = list[tuple[str | None, date]]

VISITS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "d", None]), st.dates(date(2026, 9, 1), date(2026, 12, 31))), max_size=60
)


def by_sets(visits: Visits, grain: Grain) -> list[dict[str, object]]:
    """The same figures from sets of entities."""
    active: dict[date, set[str]] = {}
    for who, day in visits:
        if who is not None and day <= LAST:
            active.setdefault(period_start(day, grain), set()).add(who)
    rows: list[dict[str, object]] = []
    start = period_start(FIRST, grain)
    while start <= LAST:
        now, before = active.get(start, set()), active.get(period_start(start - timedelta(days=1), grain), set())
        ever = {who for day, group in active.items() if day < start for who in group}
        counts = (now, now - ever, now & before, (now & ever) - before, before - now)
        names = ("active", "new", "returning", "resurrected", "dormant")
        rows.append({"period": start, **{name: len(group) for name, group in zip(names, counts, strict=True)}})
        start = period_end(start, grain)
    return rows


async def ask(folder: Path, visits: Visits, grain: Grain) -> list[dict[str, int]]:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE visits (who VARCHAR, seen_at TIMESTAMP)")
    for who, day in visits:
        connection.execute("INSERT INTO visits VALUES (?, ?)", [who, datetime(day.year, day.month, day.day, 12)])
    connection.execute(f"COPY visits TO '{folder / 'visits.parquet'}'")
    connection.close()
    model = load_texts({"model.yml": MODEL})
    query = LifecycleQuery("active", grain, Dates(FIRST, LAST))
    engine = open_engine(model, folder)
    try:
        needed = datasets_needed(model, query)
        answer = await engine.answer(needed, lambda facts: compile_query(model, query, facts).statement)
        rows: list[dict[str, int]] = answer.table.to_pylist()
        return rows
    finally:
        await engine.close()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VISITS, st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH]))
async def test_lifecycle(tmp_path: Path, visits: Visits, grain: Grain) -> None:
    rows = await ask(tmp_path, visits, grain)
    assert rows == by_sets(visits, grain)
    for before, after in pairwise(rows):
        assert after["active"] - before["active"] == after["new"] + after["resurrected"] - after["dormant"]
