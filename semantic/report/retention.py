"""Retention reports (semantics.md §2).

A cell is final when its period lies within the complete days; until then its rate is null, and its count what is seen
so far. Pooled cells add up the final cells only: the sum of who came back over the sum of the sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from semantic.query.bind import range_or_days
from semantic.query.bound import BoundRetention
from semantic.query.cells import Cell, last_mature
from semantic.query.period import targets
from semantic.report.group import KeyPart, Row, group_key, share
from semantic.time import period_start


@dataclass(frozen=True, slots=True)
class RetentionCell:
    """How many of `eligible` entities came back in the period(s) that the cell stands for."""

    period: int
    count: int
    rate: float | None
    mature: bool
    eligible: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """The entities whose cohort event lies in the period that begins at `time`."""

    time: date
    size: int
    cells: tuple[RetentionCell, ...]


@dataclass(frozen=True, slots=True)
class RetentionGroup:
    """The entities with these values at their cohort event; what is known of them is computed when it is asked for."""

    bound: BoundRetention
    key: tuple[KeyPart, ...]
    rows: tuple[Row, ...]

    @property
    def size(self) -> int:
        """The entities of all cohorts."""
        return sum(int(row["size"]) for row in self.rows)

    @property
    def cells(self) -> tuple[RetentionCell, ...]:
        """Pooled over the cohorts."""
        return pooled(self.bound, self.rows)

    @property
    def cohorts(self) -> tuple[Cohort, ...]:
        """One for each period of the range."""
        return cohorts(self.bound, self.rows)


def periods(bound: BoundRetention) -> tuple[date, ...]:
    """The first days of all cohort periods of the range, or of all days with data. QueryError LIMIT_EXCEEDED."""
    span = range_or_days(bound.span, bound.days, bound.zone)
    if span is None:
        return ()
    return tuple(target.starts[0] for target in targets(span, [bound.definition.grain], bound.zone, bound.week_start))


def cohorts(bound: BoundRetention, rows: Iterable[Row]) -> tuple[Cohort, ...]:
    """A cohort for each period of the range, also empty ones. `rows`: at most one for each cohort."""
    known = {row["cohort"]: row for row in rows}
    limits = _limits(bound)
    return tuple(_cohort(bound, start, known.get(start, {}), limits) for start in periods(bound))


def _cohort(bound: BoundRetention, start: date, row: Row, limits: Sequence[date | None]) -> Cohort:
    size = int(row.get("size") or 0)
    cells = []
    for cell, limit in zip(bound.cells, limits, strict=True):
        mature = limit is not None and start <= limit
        count = int(row.get(f"cell{cell.number}") or 0)
        rate = share(count, size) if mature else None
        cells.append(RetentionCell(cell.number, count, rate, mature, size if mature else 0))
    return Cohort(start, size, tuple(cells))


def pooled(bound: BoundRetention, rows: Sequence[Row]) -> tuple[RetentionCell, ...]:
    """Each cell over the cohorts it is final for; mature when the range has such a period, even without entities."""
    span = range_or_days(bound.span, bound.days, bound.zone)
    first = period_start(span.first_day, bound.definition.grain, bound.week_start) if span else None
    return tuple(_pooled(cell, limit, first, rows) for cell, limit in zip(bound.cells, _limits(bound), strict=True))


def _pooled(cell: Cell, limit: date | None, first: date | None, rows: Sequence[Row]) -> RetentionCell:
    final = [row for row in rows if limit is not None and row["cohort"] <= limit]
    count = sum(int(row[f"cell{cell.number}"]) for row in final)
    eligible = sum(int(row["size"]) for row in final)
    mature = limit is not None and first is not None and first <= limit
    return RetentionCell(cell.number, count, share(count, eligible), mature, eligible)


def retention_groups(bound: BoundRetention, rows: Iterable[Row]) -> tuple[RetentionGroup, ...]:
    """A group for each combination of values of a question with a breakdown, in the order of the values' rows."""
    found: dict[tuple[KeyPart, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(group_key(bound.dimensions, row, bound.zone), []).append(row)
    return tuple(RetentionGroup(bound, key, tuple(some)) for key, some in found.items())


def _limits(bound: BoundRetention) -> tuple[date | None, ...]:
    """For each cell the last cohort period it is final for."""
    through = bound.data_through
    if through is None:
        return (None,) * len(bound.cells)
    return tuple(last_mature(bound.definition, cell, through, bound.week_start, bound.zone) for cell in bound.cells)
