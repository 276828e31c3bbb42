"""The lifecycle of entities, period by period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from semantic.query.bound import BoundLifecycle
from semantic.report.group import Row
from semantic.time import period_end


@dataclass(frozen=True, slots=True)
class LifecyclePeriod:
    """Who is active, who began, stayed, came back and stayed away; `mature`: all days of the period are complete."""

    time: date
    mature: bool
    active: int
    new: int
    returning: int
    resurrected: int
    dormant: int


def lifecycle(bound: BoundLifecycle, rows: Iterable[Row]) -> tuple[LifecyclePeriod, ...]:
    """A period for each row."""
    return tuple(_period(bound, row) for row in rows)


def _period(bound: BoundLifecycle, row: Row) -> LifecyclePeriod:
    last = period_end(row["period"], bound.grain) - timedelta(days=1)
    return LifecyclePeriod(
        time=row["period"],
        mature=bound.data_through is not None and last <= bound.data_through,
        active=row["active"],
        new=row["new"],
        returning=row["returning"],
        resurrected=row["resurrected"],
        dormant=row["dormant"],
    )
