"""What is asked of an entity's lifecycle: a plain value, names only."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.query.query import Condition, TimeRange
from semantic.time import Grain

LIFECYCLE_COUNTS = ("active", "new", "returning", "resurrected", "dormant")
"""The counts of an answer, in order."""


@dataclass(frozen=True, slots=True)
class LifecycleQuery:
    """How many entities are new, returning, resurrected, dormant in each period; active is whoever has a cohort event
    of the retention that meets `where`.

    A row for every period of the range; columns `period` (its first day), `active`, `new` (first active ever),
    `returning` (active in the period before too), `resurrected` (active earlier, but not in the period before),
    `dormant` (active in the period before, but not now). Always: the change of active = new + resurrected - dormant.
    """

    retention: str
    grain: Grain | None = None
    time_range: TimeRange | None = None
    timezone: str | None = None
    where: Condition | None = None
    segments: tuple[str, ...] = ()
