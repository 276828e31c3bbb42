"""The queries that the documents make errors, in the order in which a query is checked."""

from __future__ import annotations

from datetime import datetime

from semantic.errors import Code
from semantic.time import Grain
from tests.reference.asked import Asked
from tests.reference.clock import finest, is_clock, is_clock_unit, months_of
from tests.reference.refused import Refused, Unspecified

_LONG = {Grain.MONTH, Grain.QUARTER, Grain.YEAR}


def refuse(asked: Asked) -> None:
    """Refused, with the first mistake found."""
    if not asked.query.metrics:
        raise Refused(Code.NO_METRIC)
    if asked.query.fill and not asked.grains:
        raise Refused(Code.BAD_ARGUMENT)
    _refuse_unshared(asked)
    assert asked.range is None or asked.range.first <= asked.range.last  # made absolute here: BAD_TIME_RANGE
    frames = [frame for _, frame in asked.leaves]
    _refuse_without_time(asked, any(not frame.is_plain for frame in frames))
    weeks = asked.grains and finest(asked.grains) is Grain.WEEK and _LONG & set(asked.grains)
    if weeks and any(not frame.is_plain for frame in frames):
        raise Refused(Code.NOT_ANSWERABLE)  # a week can lie in two months
    if any(frame.twice for frame in frames):
        raise Refused(Code.NOT_ANSWERABLE)
    durations = [duration for frame in frames for duration in (frame.offset, frame.window) if duration]
    clock = asked.grains and is_clock(finest(asked.grains))
    if any(months_of(duration) is not None if clock else is_clock_unit(duration) for duration in durations):
        raise Refused(Code.NOT_ANSWERABLE)


def _refuse_without_time(asked: Asked, framed: bool) -> None:
    if not (asked.grains or asked.query.time_range or framed):
        return
    for simple, _ in asked.leaves:
        dataset, column = asked.time_column(simple)
        if column is None:
            raise Refused(Code.NO_TIME_DIMENSION)
        if not asked.grains or not is_clock(finest(asked.grains)):
            continue
        values = [row[column] for row in asked.source.rows[dataset] if row[column] is not None]
        if not values:
            raise Unspecified("hours of a column that may have none")
        if not isinstance(values[0], datetime):
            raise Refused(Code.GRAIN_NOT_POSSIBLE)


def _refuse_unshared(asked: Asked) -> None:
    if all([asked.is_absent(field) for field in asked.query.metrics]):  # noqa: C419 - each may be refused
        raise Refused(Code.DIMENSION_NOT_SHARED)
    for simple, _ in asked.leaves:
        known = {segment.name for segment in asked.model.datasets[simple.dataset].segments}
        if not known.issuperset(asked.query.segments):
            raise Refused(Code.SEGMENT_NOT_SHARED)
