"""What is asked of a retention: a plain value, names only."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.query.query import Condition, TimeRange


@dataclass(frozen=True, slots=True)
class RetentionQuery:
    """One question about a retention: cohorts whose event lies in the time range and meets `where`.

    A row for each cohort period that has entities, and breakdown value; columns `cohort` (its first day), `by0` …,
    `size`, `cell1` … (entities that came back; as many as `periods`, by default the definition's).
    """

    retention: str
    time_range: TimeRange | None = None
    timezone: str | None = None
    where: Condition | None = None
    segments: tuple[str, ...] = ()
    breakdown: tuple[str, ...] = ()
    periods: int | None = None
