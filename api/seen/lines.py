"""How what is logged is written: as JSON or for people, to standard error."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from api.locking import locked

REQUESTS = logging.getLogger("headwater.request")
QUIET = ("watchfiles", "asyncio", "uvicorn")
"""Loggers that have something to say to developers only."""


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
        self._second, self._time = 0, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The time of day, made once a second."""
        second = int(record.created)
        if second != self._second:
            self._second, self._time = second, super().formatTime(record, datefmt)
        return self._time

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = dict(getattr(record, "fields", {}))
        long = [f"\n{fields.pop(name)}" for name in ("plan", "sql") if name in fields]
        short = f" {orjson.dumps(fields, default=str).decode()}" if fields else ""
        return f"{super().format(record)}{short}{''.join(long)}"


class ErrorStream(logging.Handler):
    """Standard error. The lines of requests are held back until `flush` or any other line: they are many.

    A pipe takes a long text in pieces, and other processes may write between them.
    """

    def __init__(self, shared: Path | None = None) -> None:
        """`shared`: the file that is locked meanwhile, where several processes write."""
        super().__init__()
        self._lock_file = None if shared is None else os.open(shared, os.O_RDWR | os.O_CREAT, 0o600)
        self._held: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, whole, or hold it back."""
        try:
            self._held.append(f"{self.format(record)}\n")
            if record.name != REQUESTS.name or record.levelno > logging.INFO:
                self._write()
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Write what was held back."""
        self.acquire()
        try:
            self._write()
        finally:
            self.release()

    def _write(self) -> None:
        held, self._held = self._held, []
        if held:
            with nullcontext() if self._lock_file is None else locked(self._lock_file):
                sys.stderr.write("".join(held))
                sys.stderr.flush()


def start_logging(level: str, as_json: bool, shared: Path | None = None) -> None:
    """Write what is logged to standard error. `shared`: the file that processes lock who write to the same one."""
    handler = ErrorStream(shared)
    handler.setFormatter(JsonLines() if as_json else Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.INFO if level == "debug" else logging.WARNING)
