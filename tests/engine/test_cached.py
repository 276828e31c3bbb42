"""Equal questions of unchanged files run once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine import Answer
from engine.cached import Cached, size_of
from engine.opening import open_duckdb
from semantic.errors import OurError, Timeout
from semantic.model.dataset import Dataset, Source
from semantic.model.facts import Facts, Kind
from semantic.sql.statement import Parameter, Statement
from tests.engine.support import NOW, Counted, ask, events, model, write

ONE = {"n": Kind.INTEGER}
COUNT = 'SELECT count(*) AS "n" FROM "events"'
SLOW = 'SELECT sum(hash(a."n", b."n") % 7) FROM "events" a, "events" b'
ENDLESS = 'SELECT sum(hash(a."n", b."n", c."n") % 7) FROM "events" a, "events" b, "events" c'


@asynccontextmanager
async def shop(root: Path, **settings: Any) -> AsyncIterator[tuple[Cached, Counted]]:
    write(root / "events/a.parquet", {"n": range(4000)})
    write(root / "users.parquet", {"n": [1]})
    chosen = replace(NOW, **settings)
    inner = Counted(open_duckdb(model(events(), Dataset("users", Source("users.parquet"))), root, chosen))
    engine = Cached(inner, chosen)
    try:
        yield engine, inner
    finally:
        await engine.close()


async def test_an_answer_is_kept_until_its_data_change(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        first = await ask(engine, COUNT, ONE)
        again = await ask(engine, COUNT, ONE)
        assert (first.cached, again.cached, inner.runs) == (False, True, 1)
        assert (again.table, again.seconds) == (first.table, first.seconds)
        write(tmp_path / "users.parquet", {"n": [1, 2]})
        assert (await ask(engine, COUNT, ONE)).cached
        write(tmp_path / "events/b.parquet", {"n": [1]})
        changed = await ask(engine, COUNT, ONE)
        assert (changed.cached, changed.table.to_pydict()) == (False, {"n": [4001]})


async def test_parameters_and_columns_are_part_of_the_question(tmp_path: Path) -> None:
    sql = 'SELECT count(*) FROM "events" WHERE "n" < ?'
    async with shop(tmp_path) as (engine, inner):
        for params in ((5,), (6,), (5.0,), (True,)):
            await ask(engine, sql, ONE, params)
        await ask(engine, sql, {"n": Kind.FLOAT}, (5,))
        assert inner.runs == 5
        assert (await ask(engine, sql, ONE, (6,))).table.to_pydict() == {"n": [6]}
        assert inner.runs == 5


async def test_a_hundred_equal_questions_run_once(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        answers = await asyncio.gather(*(ask(engine, SLOW, ONE) for _ in range(100)))
        assert inner.runs == 1
        assert len({str(answer.table.to_pydict()) for answer in answers}) == 1
        assert [answer.cached for answer in answers].count(False) == 1  # it was run for one, and told to the others


async def test_one_who_leaves_takes_nobody_along(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        await engine.facts(["events"])
        tasks = [asyncio.create_task(ask(engine, SLOW, ONE)) for _ in range(3)]
        await asyncio.sleep(0.05)
        tasks[0].cancel()
        left, *stayed = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(left, asyncio.CancelledError)
        assert all(isinstance(answer, Answer) for answer in stayed)
        assert inner.runs == 1


async def test_when_all_leave_the_query_is_stopped(tmp_path: Path) -> None:
    async with shop(tmp_path, concurrent=1) as (engine, inner):
        await engine.facts(["events"])
        tasks = [asyncio.create_task(ask(engine, ENDLESS, ONE)) for _ in range(3)]
        await asyncio.sleep(0.2)
        assert inner.running == 1
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert inner.running == 0
        assert (await ask(engine, COUNT, ONE)).table.to_pydict() == {"n": [4000]}


async def test_one_who_comes_after_all_left_starts_anew(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        await engine.facts(["events"])
        first = asyncio.create_task(ask(engine, SLOW, ONE))
        await asyncio.sleep(0.02)
        first.cancel()
        second = asyncio.create_task(ask(engine, SLOW, ONE))
        done = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert isinstance(done[1], Answer)
        assert inner.runs == 2


async def test_failures_are_shared_and_not_kept(tmp_path: Path) -> None:
    async with shop(tmp_path) as (engine, inner):
        wrong = 'SELECT nonsense FROM "events"'
        found = await asyncio.gather(*(ask(engine, wrong, ONE) for _ in range(5)), return_exceptions=True)
        assert [type(error) for error in found] == [OurError] * 5
        assert inner.runs == 1
        with pytest.raises(OurError):
            await ask(engine, wrong, ONE)
        assert inner.runs == 2


async def test_the_cache_is_bounded_by_bytes(tmp_path: Path) -> None:
    async with shop(tmp_path, cache_bytes=80_000) as (engine, inner):
        for low in range(4):
            await ask(engine, f'SELECT "n" FROM "events" WHERE "n" >= {low}', ONE)
        assert (await ask(engine, 'SELECT "n" FROM "events" WHERE "n" >= 3', ONE)).cached
        assert not (await ask(engine, 'SELECT "n" FROM "events" WHERE "n" >= 0', ONE)).cached
    async with shop(tmp_path, cache_bytes=100) as (engine, inner):  # nothing fits
        await ask(engine, COUNT, ONE)
        assert not (await ask(engine, COUNT, ONE)).cached
        assert inner.runs == 2


def test_what_is_asked_with_counts_too() -> None:
    def size(*params: Parameter) -> int:
        facts = Facts("1", {})
        return size_of(
            Answer(pa.table({}), Statement("SELECT ?", params, (), ()), facts, cached=False, seconds=0, size=0)
        )

    assert size() < 4096
    assert size(tuple(map(str, range(10_000)))) > 1_000_000


async def test_what_nobody_waits_for_any_longer_is_kept(tmp_path: Path) -> None:
    async with shop(tmp_path, deadline_seconds=0.05, linger_seconds=30.0) as (engine, inner):
        gate = asyncio.Event()
        answer = inner.answer

        async def held(*arguments: Any) -> Answer:
            await gate.wait()
            return await answer(*arguments)

        inner.answer = held  # type: ignore[assignment]
        for _ in range(2):
            with pytest.raises(Timeout, match="goes on") as error:
                await ask(engine, COUNT, ONE)
            assert error.value.retry_after == 5
        gate.set()
        while inner.runs == 0 or inner.running:
            await asyncio.sleep(0.01)
        found = await ask(engine, COUNT, ONE)
        assert (found.cached, inner.runs) == (True, 1)
