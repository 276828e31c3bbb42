"""Reading aside: statements that nobody waits for keep out of the way of those that somebody does."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Any

import duckdb

SECONDS = 30.0
"""Of running, for all statements together."""
GAP, PATIENCE = 0.02, 1.0
"""Seconds between two looks whether queries run, and for which each statement waits until none does."""

Busy = Callable[[], bool]
"""Whether queries run now."""


class OutOfTime(Exception):
    """The statements took longer than they may, or nobody wants to know any more."""


class Aside:
    """Runs small statements one after the other, in gaps between queries and after pauses as long as they took."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, busy: Busy, stopped: Event) -> None:
        """`stopped` is set by another thread."""
        self.cursor = cursor
        self._busy = busy
        self._stopped = stopped
        self._took = 0.0
        self._left = SECONDS

    def row(self, sql: str) -> tuple[Any, ...]:
        """The one row of a statement. OutOfTime when it is not to be begun."""
        if self._left <= 0:
            raise OutOfTime(f"more than {SECONDS:g} s")
        self._stopped.wait(self._took)
        until = time.monotonic() + PATIENCE
        while self._busy() and time.monotonic() < until and not self._stopped.wait(GAP):
            pass
        if self._stopped.is_set():
            raise OutOfTime("stopped")
        began = time.perf_counter()
        (row,) = self.cursor.execute(sql).fetchall()
        self._took = time.perf_counter() - began
        self._left -= self._took
        return tuple(row)
