"""What a filter picker asks: the values of one dimension."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.query.query import Condition, TimeRange


@dataclass(frozen=True, slots=True)
class ValuesQuery:
    """The values of `dimension` in every dataset that has it (and what `where` names), most frequent first.

    `search`: part of the value, in any case. Answer columns: `value` (of the dimension's kind), `count` (rows).
    """

    dimension: str
    search: str | None = None
    where: Condition | None = None
    time_range: TimeRange | None = None
    timezone: str | None = None
    limit: int = 100
