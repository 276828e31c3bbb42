"""Single flight: equal work under way is joined, not begun again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class Flights(Generic[T]):
    """Work under way by key. Used by one event loop."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def join(
        self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, T]], patience: float | None = None
    ) -> T:
        """The result of the work of that key, begun when there is none. Cancelled with the last who waits for it.

        TimeoutError after `patience` seconds: then the work goes on by itself.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(self._fly(key, begin)))
            flight.task.add_done_callback(_notice)
        flight.waiting += 1
        try:
            done, _ = await asyncio.wait({flight.task}, timeout=patience)
            if not done:
                raise TimeoutError
            return flight.task.result()
        except asyncio.CancelledError:
            if flight.waiting == 1 and not flight.task.done():
                self._flights.pop(key, None)
                flight.task.cancel()
                await asyncio.wait({flight.task})
            raise
        finally:
            flight.waiting -= 1

    async def _fly(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        me = asyncio.current_task()
        try:
            return await begin()
        finally:
            flight = self._flights.get(key)
            if flight is not None and flight.task is me:
                del self._flights[key]

    async def close(self) -> None:
        """Cancel everything under way."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _notice(task: asyncio.Task[Any]) -> None:
    """Take note of a failure that nobody waited for."""
    if not task.cancelled():
        task.exception()
