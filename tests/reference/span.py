"""The time range of a query made absolute, and the regions of time that a field's rows come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from semantic.errors import Code
from semantic.query.query import Between, Dates, Last, TimeRange
from semantic.time import Grain, Weekday
from tests.reference.clock import (
    ONE_DAY,
    Moment,
    at,
    bucket_day,
    clock_size,
    day_begin,
    is_clock,
    last_day,
)
from tests.reference.refused import Refused


@dataclass(frozen=True, slots=True)
class Span:
    """Local days, both included; with `start` and `end` also an exact range of instants, its end excluded."""

    first: date
    last: date
    start: datetime | None = None
    end: datetime | None = None

    def holds(self, when: Moment) -> bool:
        if self.start is not None and self.end is not None:
            return self.start <= when.instant < self.end
        return self.first <= when.day <= self.last

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The instants at which it begins and ends."""
        start = day_begin(self.first, zone) if self.start is None else self.start
        return start, day_begin(self.last + ONE_DAY, zone) if self.end is None else self.end


def resolve(
    time_range: TimeRange | None, zone: ZoneInfo, week_start: Weekday, through: Iterable[date | None]
) -> Span | None:
    """A query's range as days (and instants). `through`: each dataset's last complete day."""
    match time_range:
        case None:
            return None
        case Dates(first, last):
            if first > last:
                raise Refused(Code.BAD_TIME_RANGE)
            return _days(first, last, zone)
        case Between(start, end):
            return _instants(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), zone)
        case Last():
            known = [day for day in through if day is not None]
            if not known:
                raise Refused(Code.BAD_TIME_RANGE)
            return _last(time_range, min(known), zone, week_start)


def _days(first: date, last: date, zone: ZoneInfo) -> Span:
    """Whole days; refused where the day before goes on after its end, or after the first of them has begun."""
    for day in (first, last + ONE_DAY):
        begin = day_begin(day, zone)
        if any(at(begin + timedelta(minutes=minute), zone).day < day for minute in range(24 * 60)):
            raise Refused(Code.BAD_TIME_RANGE)
    return Span(first, last)


def _instants(start: datetime, end: datetime, zone: ZoneInfo) -> Span:
    if start >= end:
        raise Refused(Code.BAD_TIME_RANGE)
    return Span(at(start, zone).day, at(end - timedelta(microseconds=1), zone).day, start, end)


def _last(wanted: Last, through: date, zone: ZoneInfo, week_start: Weekday) -> Span:
    grain = Grain(wanted.unit.value)
    if is_clock(grain):
        end = day_begin(through + ONE_DAY, zone)
        size = clock_size(grain)
        return _instants(end - wanted.count * size, end + (size if wanted.include_current else 0 * size), zone)
    current = bucket_day(through + ONE_DAY, grain, week_start)  # the period that is not complete
    first = current
    for _ in range(wanted.count):
        first = bucket_day(first - ONE_DAY, grain, week_start)
    return _days(first, last_day(current, grain) if wanted.include_current else current - ONE_DAY, zone)


@dataclass(frozen=True, slots=True)
class Days:
    """Rows of these local days, both included, and before an instant."""

    first: date
    last: date
    before: datetime | None = None

    def holds(self, when: Moment | None) -> bool:
        if when is None or (self.before is not None and when.instant >= self.before):
            return False
        return self.first <= when.day <= self.last

    def misses(self, data: Span, zone: ZoneInfo) -> bool:
        """Does it lie entirely before or after the data?"""
        return self.last < data.first or self.first > data.last


@dataclass(frozen=True, slots=True)
class Instants:
    """Rows from an instant to another, which is excluded."""

    start: datetime
    end: datetime

    def holds(self, when: Moment | None) -> bool:
        return when is not None and self.start <= when.instant < self.end

    def misses(self, data: Span, zone: ZoneInfo) -> bool:
        """Does it lie entirely before or after the data's days?"""
        begin, end = data.bounds(zone)
        return self.end <= begin or self.start >= end


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No rows: the group of rows without a time has no window and nothing before it."""

    def holds(self, when: Moment | None) -> bool:
        return False

    def misses(self, data: Span, zone: ZoneInfo) -> bool:
        return True


Region = Days | Instants | Nowhere
