"""Queries run off the event loop, in turn, within limits; they can be stopped; values have the asked-for types."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine import Engine, EngineSettings
from engine.priority import STEPS
from semantic.errors import Code, DataError, HeadwaterError, OurError, Overloaded, QueryError, Timeout
from semantic.model.facts import Kind
from tests.engine.support import NOW, ask, events, model, opened, rows, write

ENDLESS = 'SELECT sum(hash(a."n", b."n", c."n") % 7) FROM "events" a, "events" b, "events" c'
ONE = {"n": Kind.INTEGER}


@asynccontextmanager
async def shop(root: Path, **settings: Any) -> AsyncIterator[Engine]:
    write(root / "events/a.parquet", {"n": range(6000), "text": ["a"] * 6000, "x": [1.0] * 6000})
    async with opened(model(events()), root, replace(NOW, **settings)) as engine:
        yield engine


async def test_the_event_loop_is_never_blocked(tmp_path: Path) -> None:
    async with shop(tmp_path) as engine:
        running = asyncio.create_task(ask(engine, ENDLESS, ONE))
        gaps = []
        for _ in range(20):
            began = time.monotonic()
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - began)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert sorted(gaps)[10] < 0.1


async def test_queries_stand_back_for_the_event_loop(tmp_path: Path) -> None:
    """Its thread, and no other, goes before those that run a query; they may be more than the cores."""
    before = niceness(threading.get_native_id())
    async with shop(tmp_path, threads=3, concurrent=1) as engine:
        running = asyncio.create_task(ask(engine, ENDLESS, ONE))
        await asyncio.sleep(0.3)
        busy = {int(task.name) for task in Path("/proc/self/task").iterdir()}
        lower = [thread for thread in busy if niceness(thread) == min(19, before + STEPS)]
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert niceness(threading.get_native_id()) == before
    assert len(lower) >= 3  # one that asked, and two of DuckDB's own


def niceness(thread: int) -> int:
    return int(Path(f"/proc/self/task/{thread}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[16])


async def test_the_deadline_stops_the_query(tmp_path: Path) -> None:
    async with shop(tmp_path, deadline_seconds=0.3, concurrent=1) as engine:
        began = time.monotonic()
        with pytest.raises(
            Timeout, match=r"The query was stopped after 0\.3 s, the limit\. Ask for a shorter"
        ) as caught:
            await ask(engine, ENDLESS, ONE)
        assert caught.value.code is Code.TIMEOUT
        assert time.monotonic() - began < 2
        assert await rows(engine, 'SELECT count(*) FROM "events"', "n") == [(6000,)]  # on the one thread there is


async def test_the_deadline_counts_the_time_in_the_queue(tmp_path: Path) -> None:
    async with shop(tmp_path, deadline_seconds=0.4, concurrent=1) as engine:
        first = asyncio.create_task(ask(engine, ENDLESS, ONE))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(ask(engine, ENDLESS + " WHERE a.n > 0", ONE))
        done = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(error) for error in done] == [Timeout, Timeout]


async def test_cancelling_stops_the_query(tmp_path: Path) -> None:
    async with shop(tmp_path, concurrent=1) as engine:
        task = asyncio.create_task(ask(engine, ENDLESS, ONE))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        began = time.monotonic()
        assert await rows(engine, 'SELECT count(*) FROM "events"', "n") == [(6000,)]
        assert time.monotonic() - began < 2


async def test_cancelling_a_query_that_waits(tmp_path: Path) -> None:
    async with shop(tmp_path, concurrent=1) as engine:
        first = asyncio.create_task(ask(engine, ENDLESS, ONE))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(ask(engine, ENDLESS + " WHERE a.n > 0", ONE))
        await asyncio.sleep(0.05)
        for task in (second, first):
            task.cancel()
        done = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(error) for error in done] == [asyncio.CancelledError] * 2
        assert await rows(engine, 'SELECT count(*) FROM "events"', "n") == [(6000,)]


async def test_too_many_waiting_queries_are_refused_at_once(tmp_path: Path) -> None:
    async with shop(tmp_path, concurrent=1, queue_length=1) as engine:
        await engine.facts(["events"])
        tasks = [asyncio.create_task(ask(engine, f"{ENDLESS} WHERE a.n > {i}", ONE)) for i in range(3)]
        done, waiting = await asyncio.wait(tasks, timeout=1)
        (refused,) = done
        with pytest.raises(Overloaded, match="1 others wait already, which is the limit"):
            refused.result()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_queries_run_in_the_order_they_came(tmp_path: Path) -> None:
    order: list[int] = []

    async def client(engine: Engine, number: int) -> None:
        await ask(engine, f'SELECT count(*) + {number} FROM "events"', ONE)
        order.append(number)

    async with shop(tmp_path, concurrent=1) as engine:
        await engine.facts(["events"])
        await asyncio.gather(*(client(engine, number) for number in range(20)))
    assert order == list(range(20))


async def test_closing_stops_what_runs(tmp_path: Path) -> None:
    async with shop(tmp_path) as engine:
        task = asyncio.create_task(ask(engine, ENDLESS, ONE))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await engine.close()
        assert time.monotonic() - began < 2
        with pytest.raises((asyncio.CancelledError, HeadwaterError)):
            await task


TYPED: list[tuple[str, Kind, pa.DataType, object]] = [
    ("count(*)", Kind.INTEGER, pa.int64(), 6000),
    ("sum(n)", Kind.INTEGER, pa.int64(), 17997000),
    ("CAST(3 AS TINYINT)", Kind.INTEGER, pa.int64(), 3),
    ("CAST(NULL AS INTEGER)", Kind.STRING, pa.string(), None),
    ("NULL", Kind.FLOAT, pa.float64(), None),
    ("CAST('NaN' AS DOUBLE)", Kind.FLOAT, pa.float64(), None),
    ("CAST('-Infinity' AS FLOAT)", Kind.FLOAT, pa.float64(), None),
    ("CAST(1.25 AS DECIMAL(8,2))", Kind.FLOAT, pa.float64(), 1.25),
    ("sum(CAST(n AS HUGEINT))", Kind.FLOAT, pa.float64(), 17997000.0),
    ("CAST(1.25 AS DECIMAL(8,2))", Kind.DECIMAL, pa.decimal128(8, 2), Decimal("1.25")),
    ("CAST(7 AS BIGINT)", Kind.DECIMAL, pa.decimal128(38, 0), Decimal(7)),
    ("CAST('a' AS ENUM('a', 'b'))", Kind.STRING, pa.string(), "a"),
    ("DATE '2026-01-02'", Kind.DATE, pa.date32(), date(2026, 1, 2)),
    ("CAST('2026-01-02' AS TIMESTAMP_NS)", Kind.TIMESTAMP, pa.timestamp("us"), datetime(2026, 1, 2)),
    ("TIMESTAMP '2026-01-02 03:04:05'", Kind.DATE, pa.date32(), date(2026, 1, 2)),
    (
        "CAST(TIMESTAMP '2026-01-02 03:04:05' AS TIMESTAMPTZ)",
        Kind.TIMESTAMPTZ,
        pa.timestamp("us", tz="UTC"),
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    ),
    ("true", Kind.BOOLEAN, pa.bool_(), True),
]


async def test_values_have_the_types_of_their_kinds(tmp_path: Path) -> None:
    names = {f"c{index}": kind for index, (_, kind, _, _) in enumerate(TYPED)}
    async with shop(tmp_path) as engine:
        sql = f'SELECT {", ".join(sql for sql, _, _, _ in TYPED)} FROM "events"'
        table = (await ask(engine, sql, names)).table
    assert table.column_names == list(names)
    assert table.schema.types == [arrow for _, _, arrow, _ in TYPED]
    assert [column[0].as_py() for column in table.columns] == [value for _, _, _, value in TYPED]


async def test_nothing_but_nan_becomes_null(tmp_path: Path) -> None:
    sql = "SELECT x FROM (VALUES (1.5::DOUBLE), ('nan'), (NULL), ('inf'), (-0.5)) t(x), (SELECT 1 FROM events LIMIT 1)"
    async with shop(tmp_path) as engine:
        table = (await ask(engine, sql, {"x": Kind.FLOAT})).table
    assert table.to_pydict() == {"x": [1.5, None, None, None, -0.5]}


async def test_parameters_of_every_type(tmp_path: Path) -> None:
    params = (
        *(5, 2**40, 1.5, Decimal("12.50"), True, None, "o'brien 中 %"),
        *(date(2026, 1, 2), datetime(2026, 1, 2, 3), ("a", "b'"), (1, 2), (date(2026, 1, 2),), ()),
    )
    sql = f"SELECT {', '.join('?' for _ in params)}, list_contains(?, text) FROM events LIMIT 1"
    async with shop(tmp_path) as engine:
        kinds = {f"c{index}": Kind.OTHER for index in range(len(params) + 1)}
        (found,) = (await ask(engine, sql, kinds, (*params, ("a",)))).table.to_pylist()
    assert list(found.values()) == [list(value) if isinstance(value, tuple) else value for value in params] + [True]


@pytest.mark.parametrize(
    ("sql", "kind", "error", "message"),
    [
        ("SELECT CAST(text AS INTEGER) FROM events", Kind.INTEGER, DataError, 'A value in the data of "events" can\'t'),
        ("SELECT CAST(9e18 AS BIGINT) + max(n) * 1000000000000000 FROM events", Kind.INTEGER, QueryError, "too large"),
        ("SELECT sum(CAST(n AS HUGEINT)) * 1000000000000 FROM events", Kind.INTEGER, QueryError, "beyond 64 bits"),
        ("SELECT nonsense FROM events", Kind.INTEGER, OurError, "The query failed"),
        ("SELECT 1, 2 FROM events", Kind.INTEGER, OurError, "The query failed"),
        ("SELECT text FROM events", Kind.FLOAT, OurError, "The query failed"),
        ("SELECT text FROM events", Kind.BOOLEAN, OurError, "The query failed"),
    ],
)
async def test_failures_tell_nothing_internal(
    tmp_path: Path, sql: str, kind: Kind, error: type[HeadwaterError], message: str
) -> None:
    async with shop(tmp_path) as engine:
        with pytest.raises(error, match=message) as caught:
            await ask(engine, sql, {"n": kind})
    assert str(tmp_path) not in str(caught.value)
    assert "SELECT" not in str(caught.value)


async def test_a_query_larger_than_the_memory_is_refused(tmp_path: Path) -> None:
    """Lists don't spill."""
    sql = "SELECT len(list(a.n::VARCHAR || b.text)) FROM events a, events b"
    async with shop(tmp_path, memory_limit=40_000_000) as engine:
        with pytest.raises(QueryError, match="more memory than it may use") as caught:
            await ask(engine, sql, ONE)
        assert caught.value.code is Code.LIMIT_EXCEEDED
        assert await rows(engine, 'SELECT count(*) FROM "events"', "n") == [(6000,)]


async def test_several_datasets_in_one_statement(tmp_path: Path) -> None:
    write(tmp_path / "users.parquet", {"n": [1, 2, 3], "name": ["x", "y", "z"]})
    write(tmp_path / "events/a.parquet", {"n": [1, 2, 2]})
    users = replace(events("users.parquet", primary_key=("n",)), name="users")
    async with opened(model(events(), users), tmp_path) as engine:
        sql = 'SELECT name, count(*) FROM "events" JOIN "users" USING (n) GROUP BY 1 ORDER BY 1'
        assert await rows(engine, sql, "name", "n", datasets=("events", "users")) == [("x", 1), ("y", 2)]
        with pytest.raises(OurError):  # a dataset that was not asked for is not there
            await rows(engine, sql, "name", "n", datasets=("events",))


def test_settings_have_sensible_defaults() -> None:
    settings = EngineSettings()
    assert settings.concurrent == settings.threads >= 1
    assert settings.freshness_check == 1.0
