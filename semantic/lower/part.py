"""Parts: the leaves of one dataset that can be computed together, each part as a plan with the same columns.

Three shapes, from the cheapest:
    direct     rows → Aggregate by the row's own periods (or, without time fields, of one interval of time)
    moved      rows → Aggregate by whole periods → each moved to the periods that ask for it (offsets)
    windowed   rows → partial Aggregate by day → joined with every window that holds the day → Aggregate again
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from semantic.lower.frames import Interval, aligned, intervals, moment_kind
from semantic.lower.leaf import Leaf
from semantic.lower.rows import Rows
from semantic.lower.scope import Scope
from semantic.lower.window import windowed
from semantic.model.reach import time_column
from semantic.plan.expr import Col
from semantic.plan.node import Join, JoinKind, Plan, Project, Spine
from semantic.query.bound import BoundQuery, DimensionKey, Frame
from semantic.query.period import Moment, finest
from semantic.time import Grain, day_begin

UNIT = "unit#"
SOURCE = "source#"


@dataclass(frozen=True, slots=True)
class Part:
    """Leaves of one dataset, one time column and one frame; `items` are (leaf, its column)."""

    bound: BoundQuery
    dataset: str
    time: str | None
    frame: Frame
    items: tuple[tuple[Leaf, str], ...]

    def rows(self, start: datetime | None = None, end: datetime | None = None) -> Rows:
        """The rows it reads between two instants."""
        bound = self.bound
        scope = Scope(bound.model, bound.facts, bound.model.datasets[self.dataset], bound.zone, bound.week_start)
        return Rows(bound, scope, self.items, self.time, start, end)


def parts(bound: BoundQuery, items: Iterable[tuple[Leaf, str]]) -> tuple[Part, ...]:
    """Leaves grouped so that each group reads its dataset once."""
    timed = bound.span is not None or bool(bound.time_keys)
    groups: dict[tuple[str, str | None, Frame], list[tuple[Leaf, str]]] = {}
    for leaf, name in items:
        needs_time = timed or not leaf.frame.is_plain
        time = time_column(bound.model, leaf.metric) if needs_time else None
        groups.setdefault((leaf.metric.dataset, time, leaf.frame), []).append((leaf, name))
    return tuple(Part(bound, *key, tuple(group)) for key, group in groups.items())


def lower_part(part: Part) -> Iterator[Plan]:
    """The plans of a part.

    One, or for windows one for each kind of aggregate. Columns: the query's keys, then leaves'.
    """
    bound = part.bound
    if part.frame.is_plain:
        span = bound.span
        yield _direct(part.rows(span.start, span.end) if span else part.rows())
        return
    found = intervals(bound, part.frame)
    rows = part.rows(*_edges(bound, part.frame, found))
    if not bound.time_keys:
        yield _direct(rows)
        return
    grain = finest([key.grain for key in bound.time_keys])
    if part.frame.window is None and part.frame.to_date is None and aligned(found, grain, bound):
        yield _moved(rows, found, grain)
    else:
        yield from windowed(rows, found, grain if grain.is_clock else Grain.DAY)


def _edges(bound: BoundQuery, frame: Frame, found: tuple[Interval, ...]) -> tuple[datetime | None, datetime | None]:
    """The instants between which any interval lies; rows after the range's end are in no window of its periods."""
    if not found:
        return (None, None)
    start = _instant(bound, min(item.start for item in found))
    end = _instant(bound, max(item.end for item in found))
    if frame.offset is None and bound.span is not None:
        end = min(end, bound.span.end)
    return start, end


def _instant(bound: BoundQuery, moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else day_begin(moment, bound.zone)


def _direct(rows: Rows) -> Plan:
    return rows.aggregate(tuple((key.name, rows.key(key)) for key in rows.bound.keys))


def _moved(rows: Rows, found: tuple[Interval, ...], grain: Grain) -> Plan:
    """Aggregated by whole periods of `grain`, then each period moved to the targets that ask for it."""
    bound = rows.bound
    dimensions = tuple((key.name, rows.key(key)) for key in bound.keys if isinstance(key, DimensionKey))
    inner = rows.aggregate(((UNIT, rows.bucket(grain)), *dimensions))
    targets = tuple((key.name, key.kind) for key in bound.time_keys)
    spine = Spine((*targets, (SOURCE, moment_kind(grain))), tuple((*item.target, item.start) for item in found))
    joined = Join(inner, spine, JoinKind.INNER, ((UNIT, SOURCE),))
    names = (*(key.name for key in bound.keys), *(name for _, name in rows.items))
    return Project(joined, tuple((name, Col(name)) for name in names))
