"""What equal subscriptions share: the newest answer, of which each reader is told in turn."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from api.context import Outcome, Response, Snapshot

PORTION = 50
"""Readers that are told at a time. Other requests are answered before the next ones are: telling a thousand at once
would keep everybody else waiting for a tenth of a second.
"""


@dataclass(slots=True, eq=False)
class Reader:
    """One who is given answers. `seen`: the number of the last one. `dismissed`: gives up its place."""

    seen: int = 0
    dismissed: bool = False
    _woken: asyncio.Future[None] | None = None

    def dismiss(self) -> None:
        """Let nothing more come."""
        self.dismissed = True
        self.wake()

    def wake(self) -> None:
        """Have it look."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def sleep(self) -> None:
        """Until it is to look."""
        self._woken = asyncio.get_running_loop().create_future()
        await self._woken


@dataclass(slots=True, eq=False)
class Channel:
    """`number`: of the newest answer; `final`: none comes after it. `ended`: no more come from here."""

    snapshot: Snapshot
    response: Response | None = None
    number: int = 0
    final: bool = False
    ended: bool = False
    readers: dict[Reader, None] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None

    async def publish(self, response: Response) -> None:
        """Give an answer to all readers. The last one, where nothing was run for it or nothing could be answered."""
        self.response, self.number = response, self.number + 1
        self.final = response.outcome is Outcome.REFUSED or response.retry_after is not None
        await self._tell()

    async def end(self) -> None:
        """No more come."""
        self.ended = True
        await self._tell()

    async def _tell(self) -> None:
        for place, reader in enumerate(tuple(self.readers), start=1):
            reader.wake()
            if place % PORTION == 0:
                await asyncio.sleep(0)

    async def news(self, reader: Reader) -> Response | None:
        """The newest answer, once there is one that the reader has not seen; None when there will be none."""
        while self.number <= reader.seen and not self.ended and not reader.dismissed:
            await reader.sleep()
        if self.number <= reader.seen or reader.dismissed:
            return None
        reader.seen = self.number
        return self.response
