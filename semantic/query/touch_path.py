"""What is asked of touch paths: a plain value, names only."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.query.query import Condition, TimeRange


@dataclass(frozen=True, slots=True)
class TouchPathQuery:
    """The most common paths of touches before an attribution's conversions of the time range.

    A path is the last `steps` touches of a conversion's lookback that meet `where` and the segments, called by the text
    of the dimension `by` (None: the first that credit can be split by). Without `repeats`, equal touches one after
    another are one. `metric`: an attribution metric of this attribution, whose value is summed.

    Columns: `length` (0: no touch), `name1` (the last touch) …, `conversions`, `value` with a metric, and `total` and
    `total_value` over all paths; the `limit` most common ones.
    """

    attribution: str
    by: str | None = None
    metric: str | None = None
    steps: int = 10
    repeats: bool = False
    time_range: TimeRange | None = None
    timezone: str | None = None
    where: Condition | None = None
    segments: tuple[str, ...] = ()
    limit: int = 20
