"""Calendar arithmetic: units, grains, durations, periods, zones. Pure; knows no clock.

Local dates are the business calendar's. A period is named by its first local date (or, for HOUR and MINUTE, by the
instant at which it begins). Zone rules come from the tz database through `zoneinfo`, and from nowhere else: no
engine's own time zones are used, so that every engine agrees.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from semantic.errors import Code, QueryError, did_you_mean


class Grain(StrEnum):
    """The size of a time bucket, finest first."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def is_clock(self) -> bool:
        """True for grains finer than a day, whose periods are instants and not dates."""
        return self in (Grain.MINUTE, Grain.HOUR)


class Unit(StrEnum):
    """The unit of a duration."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Weekday(StrEnum):
    """The first day of a week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @property
    def number(self) -> int:
        """Days after Monday, as in `date.weekday()`."""
        return list(Weekday).index(self)


_SECONDS = {Unit.SECOND: 1, Unit.MINUTE: 60, Unit.HOUR: 3600, Unit.DAY: 86400, Unit.WEEK: 604800}
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}
_GRAIN_MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}
_DURATION = re.compile(r"\s*(\d+)\s*([a-z]+?)s?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Duration:
    """`count` units, such as 7 days. Positive."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @property
    def seconds(self) -> int | None:
        """Elapsed seconds, or None for calendar units (month, quarter, year), which have no fixed length."""
        size = _SECONDS.get(self.unit)
        return None if size is None else size * self.count

    @property
    def days(self) -> int | None:
        """Whole days, or None when it is not a whole number of days."""
        seconds = self.seconds
        return seconds // 86400 if seconds is not None and seconds % 86400 == 0 else None

    @property
    def months(self) -> int | None:
        """Whole months, or None for units of fixed length."""
        size = _MONTHS.get(self.unit)
        return None if size is None else size * self.count


def parse_duration(text: str) -> Duration | None:
    """`"7 days"`, `"1 week"`, `"300 seconds"` → Duration; None when it is not one (zero included)."""
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0 or match[2].lower() not in set(Unit):
        return None
    return Duration(int(match[1]), Unit(match[2].lower()))


def add_months(day: date, months: int) -> date:
    """Month arithmetic, clipped: 31 March minus 1 month is 28 (or 29) February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def shift(day: date, duration: Duration, sign: int = 1) -> date:
    """`day` plus (or, with sign -1, minus) a duration of whole days or months. ValueError for finer durations."""
    if duration.months is not None:
        return add_months(day, sign * duration.months)
    if duration.days is None:
        raise ValueError(f"{duration} is not a whole number of days")
    return day + timedelta(days=sign * duration.days)


def period_start(day: date, grain: Grain, week_start: Weekday = Weekday.MONDAY) -> date:
    """The first day of the period of `grain` that holds `day` (for clock grains: the day itself)."""
    match grain:
        case Grain.WEEK:
            return day - timedelta(days=(day.weekday() - week_start.number) % 7)
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case Grain.YEAR:
            return date(day.year, 1, 1)
        case _:
            return day


def period_end(start: date, grain: Grain) -> date:
    """The first day after the period that begins at `start` (any day may be a start: same length, clipped)."""
    if grain in _GRAIN_MONTHS:
        return add_months(start, _GRAIN_MONTHS[grain])
    return start + timedelta(days=7 if grain is Grain.WEEK else 1)


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The IANA zone, or QueryError BAD_TIMEZONE."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = did_you_mean(name, available_timezones()) if "/" in name else None
        example = 'Use an IANA name such as "Asia/Shanghai".'
        raise QueryError(Code.BAD_TIMEZONE, f'"{name}" is not a time zone.', near or example) from error


def day_begin(day: date, tz: ZoneInfo) -> datetime:
    """The instant (UTC, naive) at which a local day begins.

    Where midnight is skipped by DST: the first instant of the day.
    """
    local = datetime(day.year, day.month, day.day, tzinfo=tz)
    instant = local.astimezone(UTC)
    skipped = instant.astimezone(tz).replace(tzinfo=None) != local.replace(tzinfo=None)
    if skipped:  # fold 0 of a gap maps to after the gap by the old offset; the gap's end is where the offset changes
        instant = _change_between(instant - timedelta(days=1), instant + timedelta(days=1), tz)
    return instant.replace(tzinfo=None)


def day_edge(day: date, tz: ZoneInfo) -> datetime:
    """The instant (UTC, naive) that parts a local day and all later ones from all days before.

    QueryError BAD_TIME_RANGE where none does: clocks go back over midnight, and the day before goes on.
    """
    first = day_begin(day, tz)
    again = datetime(day.year, day.month, day.day, tzinfo=tz, fold=1).astimezone(UTC).replace(tzinfo=None)
    if again > first and to_local(again - timedelta(microseconds=1), tz).date() < day:
        raise QueryError(
            Code.BAD_TIME_RANGE,
            f"{day} begins twice in {tz.key}: clocks go back over its first midnight, and the day before goes on. "
            "Days can't be counted up to there, or from there.",
            "Ask for days that begin and end elsewhere, or in another `timezone`.",
        )
    return first


def to_local(instant: datetime, tz: ZoneInfo) -> datetime:
    """A naive UTC instant → naive local wall time."""
    return instant.replace(tzinfo=UTC).astimezone(tz).replace(tzinfo=None)


def to_instant(moment: datetime) -> datetime:
    """An aware datetime → naive UTC; a naive one is taken as UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _offset(instant: datetime, tz: ZoneInfo) -> timedelta:
    return instant.astimezone(tz).utcoffset() or timedelta()


def _change_between(low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    """The first instant in (low, high] with `high`'s offset, when exactly one change lies between."""
    target = _offset(high, tz)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle <= low:
            break
        low, high = (low, middle) if _offset(middle, tz) == target else (middle, high)
    return high


@lru_cache(maxsize=1024)
def utc_offsets(tz: ZoneInfo, first: datetime, last: datetime) -> tuple[tuple[datetime, int], ...]:
    """The zone's offsets over [first, last] (naive UTC): pairs (from instant, seconds east of UTC), in time order.

    The first pair's instant is `first`. One pair means that local time is a constant shift of UTC over the whole range.
    """
    step = timedelta(days=7)  # no zone changes twice within a week after 1970; older data gets day steps
    if first.year < 1970:
        step = timedelta(days=1)
    begin, end = first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
    probes = [begin]
    while probes[-1] < end:
        probes.append(end if end - probes[-1] <= step else probes[-1] + step)
    pairs = [(first, int(_offset(begin, tz).total_seconds()))]
    for low, high in pairwise(probes):
        if _offset(low, tz) != _offset(high, tz):
            change = _change_between(low, high, tz)
            pairs.append((change.replace(tzinfo=None), int(_offset(high, tz).total_seconds())))
    return tuple(pairs)
