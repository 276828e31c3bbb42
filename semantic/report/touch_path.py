"""Touch paths as a list: the touches in order of time, and how many conversions came after them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from semantic.query.bound import BoundTouchPaths
from semantic.report.group import Row, share

Amount = int | float | Decimal | None


@dataclass(frozen=True, slots=True)
class TouchPath:
    """A path, in order of time (none: conversions without a touch), its conversions and what they are worth."""

    touches: tuple[str | None, ...]
    conversions: int
    value: Amount
    share: float | None


def touch_paths(bound: BoundTouchPaths, rows: Iterable[Row]) -> tuple[TouchPath, ...]:
    """The most common paths, most common first."""
    return tuple(_path(row) for row in rows)


def _path(row: Row) -> TouchPath:
    touches = tuple(row[f"name{step}"] for step in range(row["length"], 0, -1))
    return TouchPath(touches, row["conversions"], row.get("value"), share(row["conversions"], row["total"]))


def path_conversions(rows: Sequence[Row]) -> int:
    """The conversions of all paths."""
    return int(rows[0]["total"]) if rows else 0


def path_value(rows: Sequence[Row]) -> Amount:
    """What they are worth together; None without a metric."""
    return rows[0].get("total_value") if rows else None
