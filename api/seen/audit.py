"""The audit log: who asked for which numbers, under which policies, and how many rows they got. Never a value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson

from api.seen.appended import Appended
from api.seen.record import Record
from semantic.errors import Code, UserError
from semantic.model.model import Model
from semantic.query.access import row_policies
from semantic.query.query import Viewer


class AuditLog:
    """A watcher that writes a line of JSON for each request that asked for something, or was refused.

    Lines are written, of all that was told at once, when nothing more is told.
    """

    def __init__(self, path: Path, most_bytes: int, keep: int) -> None:
        """UserError BAD_VALUE when the file can't be written."""
        self._lines: list[bytes] = []
        self._most = most_bytes
        try:
            self._file = Appended(path, most_bytes, keep)
        except OSError as error:
            raise UserError(Code.BAD_VALUE, f"The audit log {path} can't be written: {error.strerror}.") from None

    def seen(self, record: Record) -> None:
        """Make a line."""
        if record.account.asked or record.account.dimensions or record.notes.codes or record.status >= 400:
            self._lines.append(orjson.dumps(line_of(record), option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Write the lines: together, as many as one file may have."""
        lines, self._lines = self._lines, []
        while lines:
            count = bisect_right(list(accumulate(map(len, lines))), self._most) or 1
            self._file.add(b"".join(lines[:count]))
            lines = lines[count:]

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
