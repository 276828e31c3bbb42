"""Questions that come at once: few statements, an answer for each, and nobody suffers for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.caller import CALLER, Caller
from engine.engine import Answer, Compile, Engine
from engine.opening import open_duckdb
from engine.shared import Shared
from semantic.compile import compile_query, datasets_needed
from semantic.errors import DataError
from semantic.load import load_texts
from semantic.model.facts import Facts, Kind
from semantic.query.query import DimensionField, Field, MetricField, MetricQuery
from semantic.sql.statement import Statement
from tests.engine.support import NOW, Counted, write

MODEL = """
version: 1
dimensions: [{name: channel, type: string}]
datasets:
  - {name: events, source: events.parquet, dimensions: [{name: channel}]}
  - {name: orders, source: orders.parquet, dimensions: [{name: channel}]}
metrics:
  - {name: pv, type: simple, dataset: events, agg: count}
  - {name: most, type: simple, dataset: events, agg: max, expr: number}
  - {name: big, type: simple, dataset: events, agg: sum, expr: number}
  - {name: sales, type: simple, dataset: orders, agg: count}
"""
MODEL_OF_SHOP = load_texts({"model.yml": MODEL})
SETTINGS = replace(NOW, freshness_check=3600.0)
CHANNELS = {"pv": {"ads": 2, "app": 1}, "sales": {"app": 1}, "most": {"ads": 7, "app": 9}}
"""What there is by channel."""


def write_events(root: Path, numbers: Sequence[int]) -> None:
    channels = ["ads", "ads", "app"]
    write(root / "events.parquet", {"channel": channels, "number": numbers})


@asynccontextmanager
async def shop(root: Path) -> AsyncIterator[tuple[Shared, Counted]]:
    write_events(root, [1, 7, 9])
    write(root / "orders.parquet", {"channel": ["app"]})
    inner = Counted(open_duckdb(MODEL_OF_SHOP, root, SETTINGS))
    engine = Shared(inner)
    try:
        await engine.facts(("events", "orders"))
        await engine.facts(("events",))
        await engine.facts(("orders",))
        yield engine, inner
    finally:
        await engine.close()


async def ask(engine: Engine, metric: str, by: str | None = "channel", **changed: Any) -> Answer:
    keys: tuple[Field, ...] = () if by is None else (DimensionField("by", by),)
    question = MetricQuery(fields=(*keys, MetricField("value", metric)))

    def statement(facts: Facts) -> Statement:
        compiled = compile_query(MODEL_OF_SHOP, question, facts).statement
        return replace(compiled, **changed) if changed else compiled

    return await engine.answer(datasets_needed(MODEL_OF_SHOP, question), statement)


def values(answer: Answer) -> dict[Any, Any]:
    return {row.get("by"): row["value"] for row in answer.table.to_pylist()}


async def test_what_reads_the_same_runs_once(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        first, second, total = await asyncio.gather(ask(engine, "pv"), ask(engine, "most"), ask(engine, "pv", by=None))
        assert (values(first), values(second)) == (CHANNELS["pv"], CHANNELS["most"])
        assert values(total) == {None: 3}
        assert inner.runs == 1


async def test_what_has_nothing_in_common_runs_apart(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        first, second = await asyncio.gather(ask(engine, "pv"), ask(engine, "sales"))
        assert (values(first), values(second)) == (CHANNELS["pv"], CHANNELS["sales"])
        assert inner.runs == 2
        assert set(first.facts.datasets) == {"events"}


async def test_one_after_the_other_runs_apart(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        await ask(engine, "pv")
        await ask(engine, "most")
        assert inner.runs == 2


async def test_callers_do_not_wait_for_each_other(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):

        async def by(name: str) -> Answer:
            CALLER.set(Caller(name))
            return await ask(engine, "pv")

        await asyncio.gather(*(asyncio.create_task(by(name)) for name in ("a", "b")))
        assert inner.runs == 2


async def test_one_that_fails_fails_alone(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        write_events(tmp_path, [2**62, 2**62, 1])
        first, second = await asyncio.gather(ask(engine, "pv"), ask(engine, "big"), return_exceptions=True)
        assert isinstance(first, Answer)
        assert values(first) == CHANNELS["pv"]
        assert isinstance(second, DataError)
        assert inner.runs == 3


async def test_nobody_waits_for_what_cannot_be_looked_at(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with shop(tmp_path) as (engine, inner), asyncio.timeout(10):
        asked = (ask(engine, "pv"), ask(engine, "most"), ask(engine, "sales", plan="not a plan"))
        first, second, third = await asyncio.gather(*asked)
        assert [values(one) for one in (first, second, third)] == [CHANNELS[name] for name in ("pv", "most", "sales")]
        assert inner.runs == 3
        assert "each is asked alone" in caplog.text


class Torn(Counted):
    """An engine that breaks over statements of several questions, as only a bug of ours would make one."""

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        answer = await super().answer(datasets, compile_statement)
        if all(column.kind is Kind.OTHER for column in answer.statement.columns):
            raise RuntimeError("torn")
        return answer


async def test_what_breaks_together_is_asked_for_alone(tmp_path: Path) -> None:
    async with shop(tmp_path) as (_, inner):
        broken = Shared(Torn(inner.inner))
        first, second = await asyncio.gather(ask(broken, "pv"), ask(broken, "most"))
        assert (values(first), values(second)) == (CHANNELS["pv"], CHANNELS["most"])


async def test_data_that_changed_is_asked_for_anew(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        before = await ask(engine, "pv")
        write_events(tmp_path, [3, 4, 5])
        first, second = await asyncio.gather(ask(engine, "most"), ask(engine, "pv"))
        assert values(first) == {"ads": 4, "app": 5}
        facts = await inner.facts(("events",))
        assert first.facts.version == second.facts.version == facts.version != before.facts.version


@pytest.mark.parametrize("gone", [1, 2])
async def test_one_that_goes_leaves_the_others(tmp_path: Path, gone: int) -> None:
    async with shop(tmp_path) as (engine, inner):
        tasks = [asyncio.create_task(ask(engine, metric)) for metric in ("pv", "most")]
        while not inner.running:
            await asyncio.sleep(0)
        for task in tasks[:gone]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in done[:gone])
        assert all(isinstance(one, Answer) and values(one) == CHANNELS["most"] for one in done[gone:])
        assert (inner.running, inner.runs) == (0, 1)
