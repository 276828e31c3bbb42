"""The log: one line for each request, a longer one for each slow query, as JSON or for people."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import orjson

from api.resolvers.ledger import Ran
from api.seen.record import Record
from semantic.plan.mask import without_values
from semantic.plan.show import show

REQUESTS = logging.getLogger("headwater.request")
SLOW = logging.getLogger("headwater.slow")
QUIET = ("watchfiles", "asyncio", "uvicorn")
"""Loggers that have something to say to developers only."""


class RequestLog:
    """A watcher. Operation, viewer, cache, rows, milliseconds; never a value."""

    def seen(self, record: Record) -> None:
        """Write a line."""
        if REQUESTS.isEnabledFor(logging.INFO):
            said = record.method, record.door, record.status
            told = logging.LogRecord(
                REQUESTS.name, logging.INFO, __file__, 0, "%s %s %d", said, None
            )  # finds no caller
            told.__dict__["fields"] = fields_of(record)
            REQUESTS.handle(told)


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


class JsonLines(logging.Formatter):
    """Every record a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class Lines(logging.Formatter):
    """Every record a line for people; the plan of a slow query below it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = dict(getattr(record, "fields", {}))
        long = [f"\n{fields.pop(name)}" for name in ("plan", "sql") if name in fields]
        short = f" {orjson.dumps(fields, default=str).decode()}" if fields else ""
        return f"{super().format(record)}{short}{''.join(long)}"


def start_logging(level: str, as_json: bool) -> None:
    """Write what is logged to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.INFO if level == "debug" else logging.WARNING)
