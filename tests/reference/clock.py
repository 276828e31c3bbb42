"""The reference's own calendar: local moments, buckets, month arithmetic. Shares no code with `semantic.time`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from semantic.time import Duration, Grain, Unit, Weekday
from tests.reference.refused import Unspecified

ONE_DAY = timedelta(days=1)
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_CLOCK = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_LAST_DAY = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ORDER = list(Grain)

Period = date | datetime
"""The value of a time field: the first local day of a period, or the instant at which an hour or a minute begins."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a row stands in time: the instant (aware, UTC) and the local wall time (naive). A date has no hours."""

    instant: datetime
    local: datetime
    is_date: bool = False

    @property
    def day(self) -> date:
        return self.local.date()


def day_begin(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def at(instant: datetime, zone: ZoneInfo) -> Moment:
    """An aware instant as seen in a zone."""
    return Moment(instant.astimezone(UTC), instant.astimezone(zone).replace(tzinfo=None))


def moment(value: object, zone: ZoneInfo, source_zone: ZoneInfo) -> Moment | None:
    """A cell of a time column: a date is a local date, a time without zone is of `source_zone`."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return at(value if value.tzinfo else value.replace(tzinfo=source_zone).astimezone(UTC), zone)
    if isinstance(value, date):
        return Moment(day_begin(value, zone), datetime(value.year, value.month, value.day), is_date=True)
    raise TypeError(f"{value!r} is not a time")


def is_clock(grain: Grain) -> bool:
    return grain in (Grain.MINUTE, Grain.HOUR)


def finest(grains: list[Grain]) -> Grain:
    return min(grains, key=_ORDER.index)


def bucket_day(day: date, grain: Grain, week_start: Weekday) -> date:
    """The first day of the period that holds a day."""
    if grain is Grain.DAY:
        return day
    if grain is Grain.WEEK:
        first = list(Weekday).index(week_start)
        while day.weekday() != first:
            day -= ONE_DAY
        return day
    if grain is Grain.MONTH:
        return date(day.year, day.month, 1)
    if grain is Grain.QUARTER:
        return date(day.year, {1: 1, 2: 4, 3: 7, 4: 10}[(day.month + 2) // 3], 1)
    if grain is Grain.YEAR:
        return date(day.year, 1, 1)
    raise ValueError(grain)


def bucket(when: Moment, grain: Grain, week_start: Weekday) -> Period:
    """The period that holds a moment."""
    if not is_clock(grain):
        return bucket_day(when.day, grain, week_start)
    if when.is_date:
        raise Unspecified("a date has no hours")
    begin = when.local.replace(second=0, microsecond=0)
    if grain is Grain.HOUR:
        begin = begin.replace(minute=0)
    offset = when.local - when.instant.replace(tzinfo=None)
    return (begin - offset).replace(tzinfo=UTC)


def clock_size(unit: Unit | Grain) -> timedelta:
    return _CLOCK[unit.value]


def elapsed(duration: Duration) -> timedelta:
    """A duration as time on a clock, for those that have a fixed length."""
    if is_clock_unit(duration):
        return duration.count * clock_size(duration.unit)
    return timedelta(days=days_of(duration))


def is_clock_unit(duration: Duration) -> bool:
    return duration.unit.value in _CLOCK


def months_of(duration: Duration) -> int | None:
    """Calendar months of a duration, or None for one of days or weeks."""
    size = _MONTHS.get(duration.unit.value)
    return None if size is None else size * duration.count


def days_of(duration: Duration) -> int:
    return duration.count * {"day": 1, "week": 7}[duration.unit.value]


def add_months(day: date, months: int) -> date:
    """Month by month; a day that the month doesn't have becomes its last."""
    year, month = day.year, day.month
    for _ in range(abs(months)):
        month += 1 if months > 0 else -1
        if month == 13:
            year, month = year + 1, 1
        if month == 0:
            year, month = year - 1, 12
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return date(year, month, min(day.day, 29 if leap else _LAST_DAY[month - 1]))


def earlier(day: date, duration: Duration) -> date:
    """`day` moved back by whole days or calendar months."""
    months = months_of(duration)
    return day - timedelta(days=days_of(duration)) if months is None else add_months(day, -months)


def last_day(first: date, grain: Grain) -> date:
    """The last day of a period of that length which begins at `first`."""
    if grain is Grain.DAY:
        return first
    if grain is Grain.WEEK:
        return first + timedelta(days=6)
    return add_months(first, _MONTHS[grain.value]) - ONE_DAY
