"""Where the questions of one request wait for each other: compiled at their own pace, they are asked in the same turn
of the event loop, so that the engine can look at all of them at once.
"""

from __future__ import annotations

import asyncio


class Start:
    """The line that all questions of a request start from. Used by one event loop."""

    def __init__(self) -> None:
        self._coming: set[Ticket] = set()
        self._clear = asyncio.Event()

    def ticket(self) -> Ticket:
        """For one question that will come to the line, or be given up."""
        ticket = Ticket(self)
        self._coming.add(ticket)
        self._clear.clear()
        return ticket

    def reached(self, ticket: Ticket) -> None:
        """Nobody waits for this one any more."""
        self._coming.discard(ticket)
        if not self._coming:
            self._clear.set()

    async def clear(self) -> None:
        """Wait until everyone is here who has a ticket, with those who take theirs in this turn of the loop."""
        await asyncio.sleep(0)
        while not self._clear.is_set():
            await self._clear.wait()


class Ticket:
    """One question's. Whatever becomes of the question, it has to be `given_up` in the end."""

    def __init__(self, start: Start) -> None:
        self._start = start

    async def wait(self) -> None:
        """At the line: go on when everyone else is here."""
        self._start.reached(self)
        await self._start.clear()

    def given_up(self) -> None:
        """It does not come, or has been here."""
        self._start.reached(self)
