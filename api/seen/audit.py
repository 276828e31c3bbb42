"""The audit log: who asked for which numbers, under which policies, and how many rows they got. Never a value."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import orjson

from api.seen.record import Record
from semantic.errors import Code, UserError
from semantic.model.model import Model
from semantic.query.access import row_policies
from semantic.query.query import Viewer


class _File(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """What went wrong is told where the other errors are."""
        error = sys.exception()
        if error is not None:
            raise error


class AuditLog:
    """A watcher that writes a line of JSON for each request that asked for something, or was refused.

    The file is renamed to `<file>.1`, that to `<file>.2` and so on, when it would grow beyond `most_bytes`; `keep` of
    them are kept. A line is written whole before the next request is answered.
    """

    def __init__(self, path: Path, most_bytes: int, keep: int) -> None:
        """UserError BAD_VALUE when the file can't be written."""
        try:
            self._file = _File(path, maxBytes=most_bytes, backupCount=keep, encoding="utf-8")
        except OSError as error:
            raise UserError(Code.BAD_VALUE, f"The audit log {path} can't be written: {error.strerror}.") from None
        self._file.setFormatter(logging.Formatter("%(message)s"))

    def seen(self, record: Record) -> None:
        """Write a line."""
        if record.account.asked or record.account.dimensions or record.notes.codes or record.status >= 400:
            text = orjson.dumps(line_of(record)).decode()
            self._file.emit(logging.LogRecord("audit", logging.INFO, "", 0, text, None, None))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def line_of(record: Record) -> dict[str, Any]:
    """What is said of a request. `policies` are those that narrowed its rows; `claims` only by name."""
    notes, account = record.notes, record.account
    return {
        "time": datetime.fromtimestamp(record.began / 1e9, UTC).isoformat(timespec="milliseconds"),
        "viewer": notes.viewer.id,
        "signedIn": notes.viewer.signed_in,
        "claims": [name for name, _ in notes.viewer.claims],
        "door": record.door,
        "operation": record.name,
        "asked": account.asked,
        "dimensions": account.dimensions,
        "datasets": account.datasets,
        "policies": list(policies_of(notes.model, notes.viewer, account.datasets)),
        "rows": account.rows,
        "cached": record.cached,
        "status": record.status,
        "codes": notes.codes,
    }


def policies_of(model: Model | None, viewer: Viewer, datasets: Iterable[str]) -> Iterable[str]:
    """The names of the policies that narrow the rows of these datasets for a viewer."""
    if model is not None:
        for dataset in datasets:
            yield from (policy.name for policy in row_policies(model, viewer, dataset))
