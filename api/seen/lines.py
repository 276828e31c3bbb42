"""How what is logged is written: as JSON or for people, to standard error."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from api.locking import locked

REQUESTS = logging.getLogger("headwater.request")
LONG = ("plan", "sql")
"""Fields that have lines of their own."""
QUIET = ("watchfiles", "asyncio", "uvicorn")
"""Loggers that have something to say to developers only."""


class JsonLines(logging.Formatter):
    """Every record a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": _moment(record.created),
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

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        text = f"{_of_day(int(record.created))} {record.levelname} {record.name}: {record.getMessage()}"
        if record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        fields = getattr(record, "fields", None)
        if not fields:
            return text
        long = [f"\n{fields[name]}" for name in LONG if name in fields]
        short = {name: value for name, value in fields.items() if name not in LONG} if long else fields
        return f"{text} {orjson.dumps(short, default=str).decode()}{''.join(long)}"


@lru_cache(maxsize=4)
def _of_day(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))


@lru_cache(maxsize=4)
def _utc(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _moment(seconds: float) -> str:
    """With milliseconds; all but those is made once a second."""
    second, rest = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_utc(second)}.{rest // 1000:03}+00:00"


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
