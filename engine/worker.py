"""Runs work on a cursor of its own, off the event loop, and stops it when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import duckdb

from engine.priority import stand_back

T = TypeVar("T")
Work = Callable[[duckdb.DuckDBPyConnection], T]

INTERRUPT_EVERY = 0.02
"""Seconds between interrupts: one that comes while the cursor is idle, between two steps of the work, is lost."""
PATIENCE = 2.0
"""Seconds for which a cancelled caller waits for its work to end; it is interrupted until it does."""


class Lane:
    """A few threads, and the work in them. Used by one event loop."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, threads: int, name: str) -> None:
        self._connection = connection
        self._pool = ThreadPoolExecutor(threads, f"headwater-{name}", stand_back)
        self._jobs: set[_Job] = set()
        self._stopping: set[asyncio.Task[None]] = set()

    def is_busy(self) -> bool:
        """Whether there is work. Any thread may ask."""
        return bool(self._jobs)

    async def run(self, work: Work[T]) -> T:
        """What `work` returns. Cancelling interrupts its query."""
        job = _Job(self._connection)
        self._jobs.add(job)
        future = self._pool.submit(job.run, work)
        future.add_done_callback(lambda _: self._jobs.discard(job))
        waiting = asyncio.wrap_future(future)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            await self._stop(job, future, waiting)
            raise

    async def _stop(self, job: _Job, future: Future[T], waiting: asyncio.Future[T]) -> None:
        stopper = asyncio.create_task(_interrupt_until_done(job, future, waiting))
        self._stopping.add(stopper)
        stopper.add_done_callback(self._stopping.discard)
        await asyncio.wait({stopper}, timeout=PATIENCE)

    async def close(self) -> None:
        """Interrupt what runs, forget what waits, and end the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        while self._jobs:
            for job in tuple(self._jobs):
                job.interrupt()
            await asyncio.sleep(INTERRUPT_EVERY)
        if self._stopping:
            await asyncio.wait(self._stopping)


class _Job:
    """One piece of work and its cursor, which is closed by the thread that used it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._cursor = connection.cursor()
        self._lock = threading.Lock()
        self._open = True

    def run(self, work: Work[T]) -> T:
        try:
            return work(self._cursor)
        finally:
            with self._lock:
                self._open = False
                self._cursor.close()

    def interrupt(self) -> None:
        with self._lock:
            if self._open:
                self._cursor.interrupt()


async def _interrupt_until_done(job: _Job, future: Future[T], waiting: asyncio.Future[T]) -> None:
    future.cancel()
    while not waiting.done():
        job.interrupt()
        await asyncio.wait({waiting}, timeout=INTERRUPT_EVERY)
    with suppress(asyncio.CancelledError):
        waiting.exception()
