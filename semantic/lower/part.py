"""Parts: the leaves that can be computed together, each part as a plan with the same columns.

Five shapes, from the cheapest:
    direct     a reading by its own periods (or, without time fields, of one interval of time)
    marked     distinct counts of many rows, by a key of few values: those of each value counted as bits (marks.py)
    moved      a reading by whole periods → each moved to the periods that ask for it (offsets)
    counted    distinct counts over windows of days: the days of each value as bits (distinct.py)
    windowed   rows → partial Aggregate by day → joined with every window that holds the day → Aggregate again
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol, assert_never

from semantic.errors import Code, QueryError
from semantic.lower.attribution import CreditReading
from semantic.lower.distinct import counted, fits
from semantic.lower.frames import Interval, aligned, intervals, moment_kind, unit
from semantic.lower.funnel import FunnelReading
from semantic.lower.leaf import CohortLeaf, CreditLeaf, Leaf, MetricLeaf, StepLeaf, ValueLeaf
from semantic.lower.marks import Marked, counted_by_marks, marked_key
from semantic.lower.retention import RetentionReading, ValueReading
from semantic.lower.rows import Rows
from semantic.lower.scope import Scope
from semantic.lower.window import summed, windowed
from semantic.model.metric import Aggregation
from semantic.model.reach import time_column
from semantic.plan.expr import Col
from semantic.plan.node import Join, JoinKind, Plan, Project, Spine
from semantic.query.bound import BoundQuery, DimensionKey, Frame, Key
from semantic.query.period import Moment, finest
from semantic.time import Grain, day_edge

UNIT = "unit#"
SOURCE = "source#"
_NEVER = datetime(1970, 1, 1)
"""Between this and itself there are no rows."""


class Reading(Protocol):
    """What computes leaves between two instants: the rows of a dataset, the attempts of a funnel, …"""

    def by(self, keys: tuple[Key, ...], unit: tuple[str, Grain] | None = None) -> Plan:
        """The leaves' columns by the keys; with `unit`, by the periods of its grain too, in the column it names."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """Leaves that one reading answers; `items` are (leaf, its column)."""

    bound: BoundQuery
    items: tuple[tuple[Leaf, str], ...]

    @property
    def frame(self) -> Frame:
        """The frame all its leaves have; where they are counted by bits, one of their frames."""
        return self.items[0][0].frame

    def reading(self, start: datetime | None = None, end: datetime | None = None) -> Reading:
        """What computes its leaves between two instants."""
        bound = self.bound
        if isinstance(self.items[0][0], MetricLeaf):
            return self.rows(start, end)
        cohorts = tuple((leaf, name) for leaf, name in self.items if isinstance(leaf, CohortLeaf))
        if cohorts:
            return RetentionReading(bound, cohorts, start, end)
        values = tuple((leaf, name) for leaf, name in self.items if isinstance(leaf, ValueLeaf))
        if values:
            return ValueReading(bound, values, start, end)
        credits = tuple((leaf, name) for leaf, name in self.items if isinstance(leaf, CreditLeaf))
        if credits:
            return CreditReading(bound, credits, start, end)
        steps = tuple((leaf, name) for leaf, name in self.items if isinstance(leaf, StepLeaf))
        return FunnelReading(bound, steps, start, end)

    def rows(self, start: datetime | None, end: datetime | None) -> Rows:
        """The rows between two instants, for leaves of metrics."""
        bound = self.bound
        metrics = tuple((leaf, name) for leaf, name in self.items if isinstance(leaf, MetricLeaf))
        metric = metrics[0][0].metric
        scope = Scope(bound.model, bound.facts, bound.model.datasets[metric.dataset], bound.zone, bound.week_start)
        return Rows(bound, scope, metrics, time_column(bound.model, metric), start, end)


def parts(bound: BoundQuery, items: Iterable[tuple[Leaf, str]], word: int) -> tuple[Part, ...]:
    """Leaves grouped so that each group reads its data once. `word`: bits of a word."""
    groups: dict[tuple[object, ...], list[tuple[Leaf, str]]] = {}
    for leaf, name in items:
        groups.setdefault(_group(bound, leaf, word), []).append((leaf, name))
    return tuple(Part(bound, tuple(group)) for group in groups.values())


def _group(bound: BoundQuery, leaf: Leaf, word: int) -> tuple[object, ...]:
    match leaf:
        case MetricLeaf(metric, frame):
            timed = bound.span is not None or bound.time_keys or not frame.is_plain
            if _by_bits(bound, leaf):
                return ("bits", metric.dataset, time_column(bound.model, metric), metric.expr, frame.offset)
            time = time_column(bound.model, metric) if timed else None
            if _marked(Part(bound, ((leaf, ""),)), word) is not None:
                return ("marks", metric.dataset, time, metric.expr)
            return ("rows", metric.dataset, time, frame)
        case StepLeaf(funnel, _, frame, where):
            return ("funnel", funnel.name, frame, where)
        case CohortLeaf(retention=retention, frame=frame, where=where):
            return ("retention", retention.name, frame, where)
        case CreditLeaf(definition=definition, time=time, frame=frame, where=where):
            return ("attribution", definition.name, time, frame, where)
        case ValueLeaf(retention=retention, frame=frame, where=where):
            return ("value", retention.name, frame, where)
        case _:
            assert_never(leaf)


def _by_bits(bound: BoundQuery, leaf: Leaf) -> bool:
    """Whether a leaf counts distinct values over windows of days."""
    if not isinstance(leaf, MetricLeaf) or leaf.metric.agg is not Aggregation.COUNT_DISTINCT:
        return False
    windowed = leaf.frame.window is not None or leaf.frame.to_date is not None
    return windowed and bool(bound.time_keys) and not any(key.grain.is_clock for key in bound.time_keys)


def lower_part(part: Part, word: int) -> Iterator[Plan]:
    """The plans of a part.

    one, or for windows one for each kind of aggregate. Columns: the query's keys, then leaves'. `word`: bits of a word.
    """
    bound = part.bound
    if _by_bits(bound, part.items[0][0]):
        yield from _counted(part, word)
        return
    marked = _marked(part, word)
    if marked is not None:
        yield from counted_by_marks(_plain(part), marked)
        return
    if part.frame.is_plain:
        yield part.reading(*_span(bound)).by(bound.keys)
        return
    found = intervals(bound, part.frame)
    reading = part.reading(*_edges(bound, part.frame, found))
    if not bound.time_keys:
        yield reading.by(bound.keys)
        return
    grain = finest([key.grain for key in bound.time_keys])
    dimensions = tuple(key for key in bound.keys if isinstance(key, DimensionKey))
    if part.frame.window is None and part.frame.to_date is None and aligned(found, grain, bound):
        yield _moved(part, reading, found, grain)
    elif isinstance(reading, Rows):
        yield from windowed(reading, found, unit(found, grain, bound))
    elif isinstance(reading, CreditReading):
        size = unit(found, grain, bound)
        yield summed(bound, reading.by(dimensions, (UNIT, size)), found, size)
    else:
        raise QueryError(
            Code.NOT_ANSWERABLE,
            "Conversions and retentions have no value over windows or shifted parts of periods.",
            "Use an offset of whole periods, or leave the time field out.",
        )


def _marked(part: Part, word: int) -> Marked | None:
    """The key that distinct counts are made faster by."""
    leaf = part.items[0][0]
    return marked_key(_plain(part), leaf, word) if isinstance(leaf, MetricLeaf) and leaf.frame.is_plain else None


def _plain(part: Part) -> Rows:
    return part.rows(*_span(part.bound))


def _span(bound: BoundQuery) -> tuple[datetime | None, datetime | None]:
    return (None, None) if bound.span is None else (bound.span.start, bound.span.end)


def _counted(part: Part, word: int) -> Iterator[Plan]:
    """One plan for all windows that fit into a word, and one for each other frame."""
    bound = part.bound
    frames = {leaf.frame: intervals(bound, leaf.frame) for leaf, _ in part.items}
    windows = {frame: found for frame, found in frames.items() if fits(found, word)}
    chosen = replace(part, items=tuple(item for item in part.items if item[0].frame in windows))

    def read(first: date, after: date) -> Rows:
        return chosen.rows(_instant(bound, first), _end(bound, chosen.frame, after))

    if windows:
        yield counted(windows, read, word)
    for frame, found in frames.items():
        if frame not in windows:
            rest = replace(part, items=tuple(item for item in part.items if item[0].frame == frame))
            yield from windowed(rest.rows(*_edges(bound, frame, found)), found, Grain.DAY)


def _edges(bound: BoundQuery, frame: Frame, found: tuple[Interval, ...]) -> tuple[datetime | None, datetime | None]:
    """The instants between which any interval lies; rows after the range's end are in no window of its periods."""
    if not found:
        return (_NEVER, _NEVER)
    start = _instant(bound, min(item.start for item in found))
    return start, _end(bound, frame, max(item.end for item in found))


def _end(bound: BoundQuery, frame: Frame, after: Moment) -> datetime:
    end = _instant(bound, after)
    return min(end, bound.span.end) if frame.offset is None and bound.span is not None else end


def _instant(bound: BoundQuery, moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else day_edge(moment, bound.zone)


def _moved(part: Part, reading: Reading, found: tuple[Interval, ...], grain: Grain) -> Plan:
    """Read by whole periods of `grain`, then each period moved to the targets that ask for it."""
    bound = part.bound
    inner = reading.by(tuple(key for key in bound.keys if isinstance(key, DimensionKey)), (UNIT, grain))
    targets = tuple((key.name, key.kind) for key in bound.time_keys)
    spine = Spine((*targets, (SOURCE, moment_kind(grain))), tuple((*item.target, item.start) for item in found))
    joined = Join(inner, spine, JoinKind.INNER, ((UNIT, SOURCE),))
    names = (*(key.name for key in bound.keys), *(name for _, name in part.items))
    return Project(joined, tuple((name, Col(name)) for name in names))
