"""Frames made concrete: for each target period, the days (or instants) its value is of. See semantics.md §4.

Target period ──offset──▶ source period ──window / to date──▶ [from, to)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from semantic.model.facts import Kind
from semantic.model.metric import Attribution, Simple
from semantic.model.reach import sources
from semantic.plan.expr import TRUE, All, Binary, Col, Const, Expr, IsNotTrue, IsNull, Param
from semantic.plan.operators import BinaryOp
from semantic.query.bind import days_with_data, effective_span
from semantic.query.bound import BoundQuery, Frame
from semantic.query.period import Moment, Span, Target, clock_bucket, finest, targets
from semantic.time import (
    Duration,
    Grain,
    add_months,
    day_begin,
    day_edge,
    period_end,
    period_start,
    shift,
    to_instant,
    to_local,
    utc_offsets,
)


@dataclass(frozen=True, slots=True)
class Interval:
    """A target (the starts of its periods, one for each time key) and the days or instants [start, end) it is of."""

    target: tuple[Moment, ...]
    start: Moment
    end: Moment


def intervals(bound: BoundQuery, frame: Frame) -> tuple[Interval, ...]:
    """One interval for each target period of the query, in time order; none when there is no data and no range."""
    span = effective_span(bound)
    if span is None:
        return ()
    grains = [key.grain for key in bound.time_keys]
    if not grains:
        start, end = _whole(bound, span, frame)
        return (Interval((), start, end),)
    grain = finest(grains)
    if grain.is_clock:
        at = grains.index(grain)
        return tuple(
            _clock(bound, target, target.starts[at], grain, frame)
            for target in targets(span, grains, bound.zone, bound.week_start)
        )
    return tuple(
        _daily(bound, target, grain, frame, span) for target in targets(span, grains, bound.zone, bound.week_start)
    )


def _whole(bound: BoundQuery, span: Span, frame: Frame) -> tuple[Moment, Moment]:
    """The days of a query without time fields: the whole range, shifted; or the window that ends with it.

    A range that begins or ends within a day is shifted to the same local times.
    """
    first, after = span.first_day, span.last_day + timedelta(days=1)
    if frame.window is None and frame.to_date is None and frame.offset is not None and not _whole_days(bound, span):
        return _earlier(bound, span.start, frame.offset), _earlier(bound, span.end, frame.offset)
    if frame.offset is not None:
        months = frame.offset.months
        whole = span.whole_months if months is not None else None
        length = after - first
        first = shift(first, frame.offset, -1)
        after = add_months(first, whole) if whole is not None else first + length
    return (_window_start(bound, frame, first, after), after)


def _whole_days(bound: BoundQuery, span: Span) -> bool:
    after = span.last_day + timedelta(days=1)
    return span.start == day_begin(span.first_day, bound.zone) and span.end == day_begin(after, bound.zone)


def _earlier(bound: BoundQuery, instant: datetime, offset: Duration) -> datetime:
    """The instant with the same local time of day, `offset` earlier."""
    local = to_local(instant, bound.zone)
    moved = datetime.combine(shift(local.date(), offset, -1), local.time(), bound.zone)
    return to_instant(moved)


def _daily(bound: BoundQuery, target: Target, grain: Grain, frame: Frame, span: Span) -> Interval:
    start = period_start(target.first, grain, bound.week_start)
    if frame.offset is None:
        after = min(period_end(start, grain), span.last_day + timedelta(days=1))
    else:
        start = shift(start, frame.offset, -1)
        after = period_end(start, grain)
    return Interval(target.starts, _window_start(bound, frame, start, after), after)


def _window_start(bound: BoundQuery, frame: Frame, start: date, after: date) -> date:
    """Where the value's days begin, when its period is [start, after)."""
    if frame.window is not None:
        return shift(after, frame.window, -1)
    if frame.to_date is not None:
        return period_start(after - timedelta(days=1), frame.to_date, bound.week_start)
    return start


def _clock(bound: BoundQuery, target: Target, begin: Moment, grain: Grain, frame: Frame) -> Interval:
    assert isinstance(begin, datetime)
    offset = timedelta(seconds=(frame.offset.seconds or 0) if frame.offset else 0)
    start = begin - offset
    end = start + clock_size(grain)
    if frame.window is not None:
        start = end - timedelta(seconds=frame.window.seconds or 0)
    elif frame.to_date is not None:
        start = _clock_to_date(bound, start, frame.to_date)
    return Interval(target.starts, start, end)


def _clock_to_date(bound: BoundQuery, instant: datetime, grain: Grain) -> datetime:
    if grain.is_clock:
        return clock_bucket(instant, grain, bound.zone)
    day = to_local(instant, bound.zone).date()
    return day_edge(period_start(day, grain, bound.week_start), bound.zone)


def unit(found: tuple[Interval, ...], grain: Grain, bound: BoundQuery) -> Grain:
    """The largest grain of which every interval is made of whole periods: days, hours or minutes."""
    if grain is not Grain.HOUR:
        return grain if grain.is_clock else Grain.DAY
    edges = [edge for item in found for edge in (item.start, item.end) if isinstance(edge, datetime)]
    offsets = utc_offsets(bound.zone, min(edges), max(edges)) if edges else ()
    size = int(clock_size(grain).total_seconds())
    whole = len({seconds % size for _, seconds in offsets}) < 2
    whole = whole and all(clock_bucket(edge, grain, bound.zone) == edge for edge in edges)
    return grain if whole else Grain.MINUTE


def clock_size(grain: Grain) -> timedelta:
    """The length of a clock period."""
    return timedelta(minutes=1) if grain is Grain.MINUTE else timedelta(hours=1)


def aligned(found: tuple[Interval, ...], grain: Grain, bound: BoundQuery) -> bool:
    """True when every interval is exactly one period of `grain`: then whole periods can be aggregated and moved."""
    if grain.is_clock:
        size = clock_size(grain)
        return all(
            isinstance(item.start, datetime)
            and item.end == item.start + size
            and clock_bucket(item.start, grain, bound.zone) == item.start
            for item in found
        )
    return all(
        item.start == period_start(item.start, grain, bound.week_start) and item.end == period_end(item.start, grain)
        for item in found
    )


def covered(bound: BoundQuery, metric: Simple | Attribution, frame: Frame) -> Expr:
    """True of the rows whose interval touches the days that the metric has data for.

    What has no time has nothing before it.
    """
    times = (source.time for source in sources(bound.model, metric))
    days = days_with_data(((time.dataset, time.name) for time in times if time), bound.facts, bound.zone)
    found = intervals(bound, frame)
    if days is None or not found:
        return Const(False)
    first, last = days
    inside = [item for item in found if _day(item.end, bound, -1) >= first and _day(item.start, bound, 0) <= last]
    if len(inside) == len(found):
        timeless = bound.span is None and bound.time_keys
        return IsNotTrue(IsNull(Col(bound.time_keys[0].name))) if timeless else TRUE
    if not inside or not bound.time_keys:
        return Const(bool(inside))
    key = _leading(bound)
    name, kind = bound.time_keys[key].name, bound.time_keys[key].kind
    low, high = inside[0].target[key], inside[-1].target[key]
    since, until = Binary(BinaryOp.GTE, Col(name), Param(low, kind)), Binary(BinaryOp.LTE, Col(name), Param(high, kind))
    return All((since, until))


def _leading(bound: BoundQuery) -> int:
    grains = [key.grain for key in bound.time_keys]
    return grains.index(finest(grains))


def _day(moment: Moment, bound: BoundQuery, microseconds: int) -> date:
    if isinstance(moment, datetime):
        return to_local(moment + timedelta(microseconds=microseconds), bound.zone).date()
    return moment + timedelta(days=microseconds)


def moment_kind(grain: Grain) -> Kind:
    """What the periods of a grain are named by: dates, or for clock grains instants."""
    return Kind.TIMESTAMPTZ if grain.is_clock else Kind.DATE
