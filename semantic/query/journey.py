"""What is asked of journeys: a plain value, names only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from semantic.query.query import Condition, TimeRange
from semantic.time import Duration, Unit


class JourneyReport(StrEnum):
    """How many go from one event to the next; the most common whole sequences."""

    LINKS = "links"
    SEQUENCES = "sequences"


ONE_DAY = Duration(1, Unit.DAY)


@dataclass(frozen=True, slots=True)
class JourneyQuery:
    """What entities do after the first event in the time range that meets `anchor`; `backward`: before the last one.

    Events are rows of `dataset` (None: the first that has all that is named) that meet `where` and the segments, called
    by the text of their dimension `by`. Up to `steps` events follow the anchor (step 0), none of them more than
    `within` away from it, nor (with `gap`) after a pause of more than that. Without `repeats`, equal events one after
    another are one.

    LINKS: columns `step`, `name`, `other` (1: the names beyond the `limit` most common of the step), `next` and
    `next_other`, `ends` (1: no event follows) and `count`, entities. SEQUENCES: columns `length` (events), `name0` …,
    `count` and `total` (entities with an anchor), the `limit` most common ones.
    """

    by: str
    anchor: Condition
    backward: bool = False
    report: JourneyReport = JourneyReport.LINKS
    dataset: str | None = None
    entity: str | None = None
    steps: int = 3
    time_range: TimeRange | None = None
    timezone: str | None = None
    where: Condition | None = None
    segments: tuple[str, ...] = ()
    within: Duration = ONE_DAY
    gap: Duration | None = None
    repeats: bool = False
    limit: int = 10
