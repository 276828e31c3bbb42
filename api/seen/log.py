"""The log: one line for each request, a longer one for each slow query, as JSON or for people."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from api.resolvers.ledger import Ran
from api.seen.lines import REQUESTS
from api.seen.record import Record
from semantic.plan.mask import without_values
from semantic.plan.show import show

SLOW = logging.getLogger("headwater.slow")


class _Line(logging.LogRecord):
    """The record of a request: where it was logged, by which thread of which process, was found out for one before."""

    def __init__(self, alike: Mapping[str, Any], record: Record) -> None:
        ended = record.ended
        self.__dict__.update(alike)
        self.args = record.method, record.door, record.status
        self.created, self.msecs = ended, ended % 1 * 1000
        self.fields = fields_of(record)


class RequestLog:
    """A watcher. Operation, viewer, cache, rows, milliseconds; never a value."""

    def __init__(self) -> None:
        self._alike: Mapping[str, Any] = {}

    def seen(self, record: Record) -> None:
        """Write a line."""
        if REQUESTS.isEnabledFor(logging.INFO):
            if not self._alike:
                some = logging.LogRecord(REQUESTS.name, logging.INFO, __file__, 0, "%s %s %d", None, None)
                self._alike = vars(some)
            REQUESTS.handle(_Line(self._alike, record))

    def flush(self) -> None:
        """Have the lines written by whoever held them back."""
        if self._alike:
            self._alike = {}
            for handler in logging.getLogger().handlers:
                handler.flush()


class SlowLog:
    """A watcher. What took longer than so many seconds, with its plan; never a value."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def seen(self, record: Record) -> None:
        """Write a line for each statement that was slow."""
        for ran in record.account.ran:
            if ran.seconds >= self._seconds:
                fields = {"viewer": record.notes.viewer.id, "operation": record.name, **_slow(ran)}
                SLOW.warning("A query took %.1f s.", ran.seconds, extra={"fields": fields})

    def flush(self) -> None:
        """Every line is written at once."""


def fields_of(record: Record) -> dict[str, Any]:
    """What the line of a request says."""
    notes, account = record.notes, record.account
    found: dict[str, Any] = {
        "door": record.door,
        "method": record.method,
        "status": record.status,
        "ms": round(record.seconds * 1000, 3),
        "viewer": notes.viewer.id,
        "operation": record.name,
        "type": notes.kind,
        "bytes": record.size,
    }
    if account.datasets:
        found |= {"cached": record.cached, "rows": account.rows, "datasets": account.datasets}
    if notes.codes:
        found["codes"] = notes.codes
    if record.parent is not None:
        found["traceparent"] = record.parent
    return found


def _slow(ran: Ran) -> dict[str, Any]:
    return {
        "seconds": round(ran.seconds, 3),
        "rows": ran.rows,
        "read": ran.compiled.rows_read,
        "datasets": ran.statement.datasets,
        "plan": show(without_values(ran.compiled.plan)),
        "sql": ran.statement.sql,
    }
