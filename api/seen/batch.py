"""Requests are told of a little later and many at once, so that answering them waits for nothing of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from api.seen.record import Record, Watcher

LOG = logging.getLogger("headwater")

SOON = 0.05
"""Seconds after which they are told of, at the latest."""
MOST = 256
"""Requests that are told of at once."""


class Batch:
    """A watcher that tells others. Used by one event loop; what is left at its end is told by `flush`.

    `soon`: seconds after which they are told; 0 is before the event loop reads the next requests.
    """

    def __init__(self, watchers: Sequence[Watcher], soon: float = SOON) -> None:
        self._watchers = watchers
        self._soon = soon
        self._waiting: list[Record] = []
        self._timer: asyncio.Handle | None = None

    def seen(self, record: Record) -> None:
        """Note that a request has ended."""
        waiting = self._waiting
        waiting.append(record)
        if self._timer is None:
            self._timer = self._start()
        elif len(waiting) >= MOST:
            self.flush()

    def _start(self) -> asyncio.Handle:
        loop = asyncio.get_running_loop()
        return loop.call_later(self._soon, self.flush) if self._soon else loop.call_soon(self.flush)

    def flush(self) -> None:
        """Tell of every request that has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for watcher in self._watchers:
            for record in waiting:
                _try(watcher.seen, record)
            _try(watcher.flush)


def _try(tell: Callable[..., None], *what: Record) -> None:
    try:
        tell(*what)
    except Exception:
        LOG.exception("A request could not be told of.")
