"""Time ranges made absolute, and the periods in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from semantic.errors import Code, QueryError
from semantic.model.dataset import Dataset
from semantic.model.facts import Bounds, DatasetFacts
from semantic.query.query import Between, Dates, Last, TimeRange
from semantic.time import (
    Duration,
    Grain,
    Unit,
    Weekday,
    day_begin,
    day_edge,
    period_end,
    period_start,
    shift,
    to_local,
)

MAX_PERIODS = 50_000
"""Periods one query may enumerate."""

Moment = date | datetime
"""A local date, or (for clock grains) a naive UTC instant."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time range made absolute.

    The instants [start, end) in naive UTC, and the local days it touches, both included.
    """

    first_day: date
    last_day: date
    start: datetime
    end: datetime

    @property
    def whole_months(self) -> int | None:
        """The number of calendar months it consists of exactly, or None."""
        after = self.last_day + timedelta(days=1)
        if self.first_day.day != 1 or after.day != 1:
            return None
        return (after.year - self.first_day.year) * 12 + after.month - self.first_day.month


def days_span(first: date, last: date, tz: ZoneInfo) -> Span:
    """The span of whole local days, both included."""
    return Span(first, last, day_begin(first, tz), day_begin(last + timedelta(days=1), tz))


def _asked_days(first: date, last: date, tz: ZoneInfo) -> Span:
    """The span of whole local days that were asked for: exactly their rows lie in it. QueryError BAD_TIME_RANGE."""
    return Span(first, last, day_edge(first, tz), day_edge(last + timedelta(days=1), tz))


def resolve(asked: TimeRange, data_through: date | None, tz: ZoneInfo, week_start: Weekday) -> Span:
    """The absolute span of a time range. QueryError BAD_TIME_RANGE."""
    match asked:
        case Dates(first, last):
            if last < first:
                raise _bad(f"The range ends ({last}) before it begins ({first}).", "Swap `from` and `to`.")
            return _guarded(first, last, tz)
        case Between(start, end):
            if end <= start:
                raise _bad("The range's end is not after its start.", "`end` is excluded: it must be after `start`.")
            return _between(start, end, tz)
        case Last():
            if data_through is None:
                raise _bad(
                    "There are no rows yet, so nobody can say which periods are the last.", "Give `dates` instead."
                )
            return _last(asked, data_through, tz, week_start)


def _bad(message: str, suggestion: str | None = None) -> QueryError:
    return QueryError(Code.BAD_TIME_RANGE, message, suggestion)


def _guarded(first: date, last: date, tz: ZoneInfo) -> Span:
    try:
        return _asked_days(first, last, tz)
    except (OverflowError, ValueError) as error:
        raise _outside(first, last) from error


def _between(start: datetime, end: datetime, tz: ZoneInfo) -> Span:
    try:
        first, last = to_local(start, tz).date(), to_local(end - timedelta(microseconds=1), tz).date()
        days_span(first, last, tz)  # its days have a beginning and an end
    except (OverflowError, ValueError) as error:
        raise _outside(start, end) from error
    return Span(first, last, start, end)


def _outside(start: Moment, end: Moment) -> QueryError:
    return _bad(f"The range {start} to {end} is outside the calendar.", "Use years 1 to 9998.")


def _last(asked: Last, data_through: date, tz: ZoneInfo, week_start: Weekday) -> Span:
    if asked.count < 1:
        raise _bad("`count` must be at least 1.")
    try:
        if asked.unit in (Unit.SECOND, Unit.MINUTE, Unit.HOUR):
            end = day_edge(data_through + timedelta(days=1), tz)
            seconds = Duration(asked.count, asked.unit).seconds or 0
            start = end - timedelta(seconds=seconds)
            extra = timedelta(seconds=(Duration(1, asked.unit).seconds or 0) if asked.include_current else 0)
            return resolve(Between(start, end + extra), data_through, tz, week_start)
        grain = Grain(asked.unit)
        after = period_start(data_through + timedelta(days=1), grain, week_start)  # the first incomplete period
        first = shift(after, Duration(asked.count, asked.unit), -1)
        last = period_end(after, grain) if asked.include_current else after
        return _asked_days(first, last - timedelta(days=1), tz)
    except (OverflowError, ValueError) as error:
        raise _bad(f"The last {asked.count} {asked.unit}s reach outside the calendar.", "Ask for fewer.") from error


def local_day(moment: Moment, tz: ZoneInfo) -> date:
    """The local day of a bound: a date is one already, a naive UTC instant is converted."""
    return to_local(moment, tz).date() if isinstance(moment, datetime) else moment


def bounds_of(facts: DatasetFacts, column: str | None) -> Bounds | None:
    """The bounds of a time column, or None when it has no value."""
    return facts.bounds.get(column) if column else None


def data_through(dataset: Dataset, facts: DatasetFacts, tz: ZoneInfo) -> date | None:
    """The last complete local day: declared, or the day before the newest row's; None without rows or time."""
    if dataset.data_through is not None:
        return dataset.data_through
    bounds = bounds_of(facts, dataset.time_dimension)
    return local_day(bounds.last, tz) - timedelta(days=1) if bounds else None


@dataclass(frozen=True, slots=True)
class Target:
    """One row's period: its start by each time grain asked for, in order, and the days it covers within the range.

    For clock grains `starts` are instants and `first`, `last` the local day they lie in.
    """

    starts: tuple[Moment, ...]
    first: date
    last: date


def nested(grains: Sequence[Grain]) -> bool:
    """True when each period of the finest grain lies within one period of every other (weeks don't within months)."""
    coarse = {Grain.MONTH, Grain.QUARTER, Grain.YEAR}
    return Grain.WEEK not in grains or not coarse & set(grains) or min(_order(grain) for grain in grains) < 3


def finest(grains: Sequence[Grain]) -> Grain:
    """The smallest of the grains."""
    return min(grains, key=_order)


def _order(grain: Grain) -> int:
    return list(Grain).index(grain)


def targets(span: Span, grains: Sequence[Grain], tz: ZoneInfo, week_start: Weekday) -> tuple[Target, ...]:
    """Every combination of periods in a span, in time order. QueryError LIMIT_EXCEEDED beyond MAX_PERIODS."""
    if any(grain.is_clock for grain in grains):
        return _clock_targets(span, grains, tz, week_start)
    step = finest(grains) if nested(grains) else Grain.DAY
    found: list[Target] = []
    day = span.first_day
    while day <= span.last_day:
        _check_count(len(found))
        after = period_end(period_start(day, step, week_start), step)
        last = min(after - timedelta(days=1), span.last_day)
        starts = tuple(period_start(day, grain, week_start) for grain in grains)
        if found and found[-1].starts == starts:
            found[-1] = Target(starts, found[-1].first, last)
        else:
            found.append(Target(starts, day, last))
        day = after
    return tuple(found)


def _check_count(count: int) -> None:
    if count >= MAX_PERIODS:
        raise QueryError(
            Code.LIMIT_EXCEEDED,
            f"The time range has more than {MAX_PERIODS:,} periods of this grain.",
            "Ask for a shorter range or a coarser grain.",
        )


def clock_bucket(instant: datetime, grain: Grain, tz: ZoneInfo) -> datetime:
    """The instant (naive UTC) at which the local hour or minute that holds `instant` begins."""
    offset = instant.replace(tzinfo=UTC).astimezone(tz).utcoffset() or timedelta()
    local = instant + offset
    kept = local.replace(second=0, microsecond=0)
    return (kept if grain is Grain.MINUTE else kept.replace(minute=0)) - offset


def _clock_targets(span: Span, grains: Sequence[Grain], tz: ZoneInfo, week_start: Weekday) -> tuple[Target, ...]:
    step = finest(grains)
    size = timedelta(minutes=1) if step is Grain.MINUTE else timedelta(hours=1)
    _check_count(int((span.end - span.start) / size))
    found: list[Target] = []
    instant = span.start
    while instant < span.end:
        bucket = clock_bucket(instant, step, tz)
        # of the instant and not of the bucket's beginning: where clocks go back, that may be of an earlier bucket
        day = to_local(instant, tz).date()
        starts = tuple(
            clock_bucket(instant, grain, tz) if grain.is_clock else period_start(day, grain, week_start)
            for grain in grains
        )
        if not found or found[-1].starts != starts:
            found.append(Target(starts, day, day))
        instant = bucket + size
    return tuple(found)
