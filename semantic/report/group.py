"""What reports have in common: rows, shares, and the key of a group."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from semantic.query.bound import DimensionKey
from semantic.query.query import Scalar

Row = Mapping[str, Any]
"""A row of an answer, by column."""


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One dimension's value of a group; None: not set."""

    dimension: str
    value: Scalar


def group_key(dimensions: Iterable[DimensionKey], row: Row, zone: ZoneInfo) -> tuple[KeyPart, ...]:
    """What a row is of, in the order of the breakdown."""
    return tuple(KeyPart(key.dimension, shown(row[key.name], zone)) for key in dimensions)


def shown(value: Scalar, zone: ZoneInfo) -> Scalar:
    """A value as readers get it: instants in the question's zone, and nothing that is not a number."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(zone)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def share(part: int, whole: int) -> float | None:
    """A part of a whole; null when the whole is nothing."""
    return part / whole if whole else None
