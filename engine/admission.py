"""Who runs next: so many queries at the same time, so many waiting, and callers one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

from engine.caller import Caller
from semantic.errors import Overloaded

REMEMBERED, ENOUGH = 15, 5
"""The latest queries, whose median tells how long one takes, and how many of them it takes to tell."""
Place = asyncio.Future[None]


@dataclass(slots=True, eq=False)
class _Line:
    """One caller's queries, in the order they came. `served`: when one was last let in, as a count."""

    caller: Caller
    running: int = 0
    served: int = 0
    waiting: deque[Place] = field(default_factory=deque)

    @property
    def may_run(self) -> bool:
        """Whether one of them waits, and the caller's own limit lets it run."""
        return bool(self.waiting) and not 0 < self.caller.concurrent <= self.running


class Admission:
    """A fair queue. Used by one event loop.

    A free place goes to the caller with the fewest running queries, and of those to who was served longest ago: one who
    asks a thousand questions waits behind themselves, not others behind them. When the queue is full, whoever has most
    queries in it loses the latest one.
    """

    def __init__(self, concurrent: int, length: int, patience: float) -> None:
        """`patience`: seconds that nobody waits longer than; 0 is any."""
        self._concurrent = concurrent
        self._length = length
        self._patience = patience
        self._lines: dict[str, _Line] = {}
        self._count = 0
        self._took: deque[float] = deque(maxlen=REMEMBERED)
        self.running = 0
        self.waiting = 0

    @property
    def expected(self) -> float:
        """Seconds until all who wait now have had their turn, as far as the latest queries tell."""
        return self._pace * (self.waiting + 1) / self._concurrent

    @asynccontextmanager
    async def turn(self, caller: Caller) -> AsyncIterator[None]:
        """Runs the block when it is its turn. Overloaded, at once, when that would not come in time."""
        line = self._lines.setdefault(caller.name, _Line(caller))
        line.caller = caller
        await self._enter(line)
        began = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._took.append(asyncio.get_running_loop().time() - began)
            self._leave(line)

    async def _enter(self, line: _Line) -> None:
        place: Place = asyncio.get_running_loop().create_future()
        try:
            line.waiting.append(place)
            self.waiting += 1
            self._admit()
            if not place.done() and (refusal := self._hopeless(line)):
                raise refusal
            await place
        except BaseException:
            if place in line.waiting:
                line.waiting.remove(place)
                self.waiting -= 1
            elif not place.cancelled() and place.exception() is None:  # let in, and gone already
                self._leave(line)
            self._forget(line)
            raise

    def _admit(self) -> None:
        """Let in as many as there are places for."""
        while self.running < self._concurrent:
            ready = [line for line in self._lines.values() if line.may_run]
            if not ready:
                return
            line = min(ready, key=lambda one: (one.running, one.served))
            place = line.waiting.popleft()
            self.waiting -= 1
            if place.cancelled():  # whoever waited there has gone, and is about to notice
                continue
            self._count += 1
            line.served = self._count
            line.running += 1
            self.running += 1
            place.set_result(None)

    def _hopeless(self, line: _Line) -> Overloaded | None:
        """Why the query that came last need not wait: there is no room for it, or its turn would come too late."""
        mine = len(line.waiting)
        if self.waiting <= self._length:
            ahead = sum(min(len(other.waiting), mine) for other in self._lines.values())
            seconds = self._pace * ahead / self._concurrent
            if not 0 < self._patience < seconds:
                return None
            return _overloaded(f"It would wait about {seconds:.0f} s, and the limit is {self._patience:g} s.", seconds)
        full = _overloaded(f"{self._length} others wait already, which is the limit.", self.expected)
        longest = max(self._lines.values(), key=lambda one: len(one.waiting))
        if len(longest.waiting) <= mine:
            return full
        self.waiting -= 1
        last = longest.waiting.pop()
        if not last.cancelled():
            last.set_exception(full)
        return None

    def _leave(self, line: _Line) -> None:
        line.running -= 1
        self.running -= 1
        self._forget(line)
        self._admit()

    def _forget(self, line: _Line) -> None:
        if not line.running and not line.waiting and self._lines.get(line.caller.name) is line:
            del self._lines[line.caller.name]

    @property
    def _pace(self) -> float:
        """Seconds that a query takes; 0 as long as that is not known."""
        return median(self._took) if len(self._took) >= ENOUGH else 0.0


def _overloaded(why: str, seconds: float) -> Overloaded:
    return Overloaded(f"The query was not begun. {why}", "Ask again later.", max(seconds, 1.0))
