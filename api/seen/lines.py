"""How what is logged is written: as JSON or for people, to standard error."""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from api.locking import locked

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

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = dict(getattr(record, "fields", {}))
        long = [f"\n{fields.pop(name)}" for name in ("plan", "sql") if name in fields]
        short = f" {orjson.dumps(fields, default=str).decode()}" if fields else ""
        return f"{super().format(record)}{short}{''.join(long)}"


class SharedErrorStream(logging.Handler):
    """Standard error of several processes. A pipe takes a long line in pieces, and others may write between them."""

    def __init__(self, path: Path) -> None:
        """`path`: the file that is locked meanwhile."""
        super().__init__()
        self._lock_file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, whole."""
        try:
            text = f"{self.format(record)}\n"
            with locked(self._lock_file):
                sys.stderr.write(text)
                sys.stderr.flush()
        except Exception:
            self.handleError(record)


def start_logging(level: str, as_json: bool, shared: Path | None = None) -> None:
    """Write what is logged to standard error. `shared`: the file that processes lock who write to the same one."""
    handler = logging.StreamHandler() if shared is None else SharedErrorStream(shared)
    handler.setFormatter(JsonLines() if as_json else Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.INFO if level == "debug" else logging.WARNING)
