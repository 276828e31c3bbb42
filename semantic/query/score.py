"""What is asked of a score's entities: a plain value, names only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from semantic.query.query import Condition, TimeRange


class ScoreReport(StrEnum):
    """Each entity with its numbers; how often entities have bought, and when, for fitting a model of it."""

    ENTITIES = "entities"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class ScoreQuery:
    """How entities stand at the end of the time range. `entities`: only these, as text (none: all); `where`: over the
    dimensions of the score.

    ENTITIES: a row each, the columns of the score (`entity` as text), who has paid most first. HISTORY: columns
    `repeats`, `last`, `age` (days with a purchase after the first; days from the first to the last and to the end) and
    `count`.
    """

    score: str
    report: ScoreReport = ScoreReport.ENTITIES
    entities: tuple[str, ...] = ()
    time_range: TimeRange | None = None
    timezone: str | None = None
    where: Condition | None = None
    limit: int = 100
    offset: int = 0
