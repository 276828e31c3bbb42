"""What a client should know about an answer that is right but easily misread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WarningCode(StrEnum):
    """Stable codes of `meta.warnings`; each has a paragraph in docs/errors.md."""

    INCOMPLETE_DATA = "INCOMPLETE_DATA"
    WINDOW_BEFORE_DATA = "WINDOW_BEFORE_DATA"
    PARTIAL_PERIOD = "PARTIAL_PERIOD"
    UNALLOCATED = "UNALLOCATED"
    STALE_DATA = "STALE_DATA"
    DATA = "DATA"
    IDENTITY_CONFLICT = "IDENTITY_CONFLICT"
    MISSING_RATE = "MISSING_RATE"


@dataclass(frozen=True, slots=True)
class QueryWarning:
    """A stable code and a message for people."""

    code: WarningCode
    message: str
