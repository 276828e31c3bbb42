"""Requests that are being answered: each stops when its caller goes away, and all of them when the server does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")

LOOK = 0.1
"""Seconds between looks whether somebody is in a hurry."""


class Gone(Exception):
    """The caller has closed the connection; nobody reads an answer."""


class Stopping(Exception):
    """The server is stopping and has given up the request."""


class Running:
    """The requests in flight. Used by one event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = False

    def __len__(self) -> int:
        return len(self._tasks)

    async def answer(self, work: Coroutine[Any, Any, T], receive: Receive) -> T:
        """What `work` returns. Cancelled, with its queries, when the caller goes (Gone) or the server does (Stopping).

        The request's body must have been read: whatever else is received counts as the end of the connection.
        """
        if self._stopping:
            work.close()
            raise Stopping
        task = asyncio.ensure_future(work)
        watch = asyncio.ensure_future(_disconnected(receive))
        self._tasks.add(task)
        try:
            await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return self._result(task)
            raise Gone
        finally:
            self._tasks.discard(task)
            watch.cancel()
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    def _result(self, task: asyncio.Task[T]) -> T:
        if task.cancelled() and self._stopping:
            raise Stopping
        return task.result()

    @property
    def is_stopping(self) -> bool:
        """Whether requests that come are refused."""
        return self._stopping

    async def drain(self, seconds: float, hurry: Callable[[], bool] = lambda: False) -> None:
        """Refuse requests that come, and give those in flight so long to end, or until `hurry`; then cancel them."""
        self._stopping = True
        end = asyncio.get_running_loop().time() + seconds
        while self._tasks and not hurry() and (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(tuple(self._tasks), timeout=min(left, LOOK))
        self.stop()

    def stop(self) -> None:
        """Cancel every request in flight, and refuse those that come."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
