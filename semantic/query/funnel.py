"""What is asked of a funnel: a plain value, names only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from semantic.model.sequence import FunnelEntry, FunnelOrder
from semantic.query.query import Condition, TimeRange
from semantic.time import Duration, Grain


@dataclass(frozen=True, slots=True)
class AdHocStep:
    """A step the query defines: events of `dataset` (None: the first that has all that is named) that meet `where`."""

    name: str
    where: Condition | None = None
    dataset: str | None = None


@dataclass(frozen=True, slots=True)
class AdHocFunnel:
    """A funnel the query defines.

    `entity` None: the first entity that all its datasets have. `window` None: same day.
    """

    steps: tuple[AdHocStep, ...]
    window: Duration | None
    entity: str | None = None
    order: FunnelOrder = FunnelOrder.ORDERED
    entry: FunnelEntry = FunnelEntry.ANY


class FunnelReport(StrEnum):
    """Counts by step; how long entities took; who left at a step."""

    STEPS = "steps"
    HISTOGRAM = "histogram"
    DROP_OFFS = "drop_offs"


@dataclass(frozen=True, slots=True)
class FunnelQuery:
    """One question about a funnel, of the attempts that open in the time range and meet `where`. `window`, `same_day`:
    instead of the funnel's own.

    STEPS: a row for each breakdown value and, with `grain`, for each opening period of the range; columns `period`,
    `by0` …, `count1` …, and with `times` `average2`, `median2` … (seconds since the step before). HISTOGRAM: columns
    `bucket` (from 0) and `count`, of the time from step 1 to `step` (None: the last) in `buckets` equal parts of the
    window. DROP_OFFS: columns `entity` (text) and `last_seen`, of those whose attempt ended at `step`, latest first.
    """

    funnel: str | AdHocFunnel
    report: FunnelReport = FunnelReport.STEPS
    time_range: TimeRange | None = None
    timezone: str | None = None
    where: Condition | None = None
    segments: tuple[str, ...] = ()
    breakdown: tuple[str, ...] = ()
    window: Duration | None = None
    same_day: bool = False
    grain: Grain | None = None
    times: bool = True
    step: int | None = None
    buckets: int = 24
    limit: int = 100
    offset: int = 0
