"""Where in time the rows of a frame lie, seen from a target: shifted by an offset, widened by a window."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from semantic.time import Duration
from tests.reference.asked import Asked, Times
from tests.reference.clock import (
    ONE_DAY,
    add_months,
    at,
    bucket_day,
    clock_size,
    day_begin,
    days_of,
    earlier,
    elapsed,
    finest,
    is_clock,
    last_day,
    months_of,
)
from tests.reference.frame import Frame
from tests.reference.refused import Unspecified
from tests.reference.span import Days, Instants, Nowhere, Region, Span


def region_of(asked: Asked, frame: Frame, times: Times) -> Region:
    """The rows' time for a frame that is not plain, at a target."""
    if asked.span is None or None in times:
        return Nowhere()
    if asked.grains and is_clock(finest(asked.grains)):
        target = times[asked.grains.index(finest(asked.grains))]
        assert isinstance(target, datetime)
        return _clock_region(asked, frame, target)
    if not asked.grains and not frame.is_window and frame.offset is not None and not _is_whole(asked, asked.span):
        return _same_times(asked, asked.span, frame.offset)
    first, last = _target_days(asked, frame, times)
    before = asked.range.end if asked.range is not None and frame.offset is None else None
    if frame.is_window:
        first = _window_first(asked, frame, last)
    return Days(first, last, before)


def _is_whole(asked: Asked, span: Span) -> bool:
    """Does it begin and end with a local day?"""
    return span.bounds(asked.zone) == Span(span.first, span.last).bounds(asked.zone)


def _same_times(asked: Asked, span: Span, offset: Duration) -> Region:
    """A range that begins or ends within a day, moved back to the same local times of earlier days."""
    begin, end = (at(instant, asked.zone).local for instant in span.bounds(asked.zone))
    moved = [datetime.combine(earlier(local.date(), offset), local.time(), asked.zone) for local in (begin, end)]
    return Instants(moved[0].astimezone(UTC), moved[1].astimezone(UTC))


def _target_days(asked: Asked, frame: Frame, times: Times) -> tuple[date, date]:
    """First and last day of the target period, moved by the offset; without offset, not past the span's end."""
    assert asked.span is not None
    if not asked.grains:
        whole = (asked.span.first, asked.span.last)
        return whole if frame.offset is None else _moved(*whole, frame)
    grain = finest(asked.grains)
    first = times[asked.grains.index(grain)]
    assert first is not None
    if frame.offset is None:
        return first, min(last_day(first, grain), asked.span.last)
    first = earlier(first, frame.offset)
    return first, last_day(first, grain)


def _window_first(asked: Asked, frame: Frame, last: date) -> date:
    if frame.to_date is not None:
        if is_clock(frame.to_date):
            raise Unspecified("to date of a clock grain")
        return bucket_day(last, frame.to_date, asked.model.week_start)
    assert frame.window is not None
    months = months_of(frame.window)
    if months is not None:
        return add_months(last + ONE_DAY, -months)
    return last - timedelta(days=days_of(frame.window) - 1)


def _clock_region(asked: Asked, frame: Frame, target: datetime) -> Region:
    """The rows of a period of an hour or a minute. Days are elapsed time there, 24 hours each."""
    assert asked.span is not None
    start, end = target, target + clock_size(finest(asked.grains))
    if frame.offset is not None:
        start, end = start - elapsed(frame.offset), end - elapsed(frame.offset)
    if frame.window is not None:
        start = end - elapsed(frame.window)
    if frame.to_date is not None:
        if is_clock(frame.to_date):
            raise Unspecified("to date of a clock grain")
        day = bucket_day(at(start, asked.zone).day, frame.to_date, asked.model.week_start)
        start = day_begin(day, asked.zone)
    cut = asked.span.bounds(asked.zone)[1]
    return Instants(start, end if frame.offset is not None else min(end, cut))


def _moved(first: date, last: date, frame: Frame) -> tuple[date, date]:
    """A whole range moved back: as many days long, or as many months when it is whole months moved by months."""
    assert frame.offset is not None
    moved = earlier(first, frame.offset)
    after = last + ONE_DAY
    if months_of(frame.offset) is not None and first.day == 1 and after.day == 1:
        months = (after.year - first.year) * 12 + after.month - first.month
        return moved, add_months(moved, months) - ONE_DAY
    return moved, moved + (last - first)
