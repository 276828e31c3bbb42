"""A query with everything settled that doesn't depend on a group: its zone, its days, its periods, its rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from semantic.errors import Code
from semantic.model.metric import Simple
from semantic.model.model import Model
from semantic.query.query import (
    And,
    Compare,
    Condition,
    DimensionField,
    MetricField,
    MetricQuery,
    Not,
    Or,
    TimeField,
)
from semantic.time import Duration, Grain
from tests.reference.clock import (
    ONE_DAY,
    Moment,
    Period,
    add_months,
    at,
    bucket,
    bucket_day,
    clock_size,
    day_begin,
    days_of,
    earlier,
    finest,
    is_clock,
    is_clock_unit,
    last_day,
    months_of,
)
from tests.reference.expressions import twin_of
from tests.reference.frame import Frame, frames_of, leaves
from tests.reference.refused import Refused, Unspecified
from tests.reference.rows import Row, Source, Tables
from tests.reference.span import Days, Instants, Nowhere, Region, Span, resolve

Times = tuple[Period | None, ...]
Dims = tuple[Any, ...]
Group = tuple[Times, Dims]
"""The periods of the time fields and the values of the dimension fields that a row is for."""

_LONG = {Grain.MONTH, Grain.QUARTER, Grain.YEAR}


class Asked:
    """One query against tables."""

    def __init__(self, model: Model, tables: Tables, query: MetricQuery) -> None:
        self.model = model
        self.query = query
        self.zone = ZoneInfo(query.timezone or model.timezone)
        self.source = Source(model, tables, self.zone)
        self.grains = [field.grain for field in query.fields if isinstance(field, TimeField)]
        self.dimensions = [field for field in query.fields if isinstance(field, DimensionField)]
        self._refuse()
        self.range = self._range()

    def _refuse(self) -> None:
        if not self.query.metrics:
            raise Refused(Code.NO_METRIC)
        if self.query.fill and not self.grains:
            raise Refused(Code.BAD_ARGUMENT)
        frames = [frame for _, frame in self.leaves]
        timed = self.grains or self.query.time_range or any(not frame.is_plain for frame in frames)
        if timed and any(self.time_column(simple) is None for simple, _ in self.leaves):
            raise Refused(Code.NO_TIME_DIMENSION)
        weeks = self.grains and finest(self.grains) is Grain.WEEK and _LONG & set(self.grains)
        if weeks and any(not frame.is_plain for frame in frames):
            raise Refused(Code.NOT_ANSWERABLE)  # a week can lie in two months
        self._refuse_unshared()

    def _refuse_unshared(self) -> None:
        split = [field.dimension for field in self.dimensions] + list(named(self.query.where))
        for field in self.query.metrics:
            for simple, _ in self.leaves_of(field):
                for name in (*split, *named(field.where)):
                    self.source.dimension(simple.dataset, name)
        for simple, _ in self.leaves:
            known = {segment.name for segment in self.model.datasets[simple.dataset].segments}
            if not known.issuperset(self.query.segments):
                raise Refused(Code.SEGMENT_NOT_SHARED)

    @cached_property
    def leaves(self) -> list[tuple[Simple, Frame]]:
        """Every simple metric in the query with the frame of its rows."""
        return [leaf for field in self.query.metrics for leaf in self.leaves_of(field)]

    def leaves_of(self, field: MetricField) -> list[tuple[Simple, Frame]]:
        metric = self.model.metric(field.metric)
        return [leaf for frame in frames_of(field) for leaf in leaves(self.model, metric, frame)]

    def time_column(self, simple: Simple) -> str | None:
        return simple.time_dimension or self.model.datasets[simple.dataset].time_dimension

    # --- the days of the query -------------------------------------------------------------------------------------

    def extent(self, dataset: str, column: str | None, zone: ZoneInfo) -> Span | None:
        """The earliest and the latest local day of a time column."""
        moments = [self.source.moment(dataset, column, row, zone) for row in self.source.rows[dataset]]
        days = [when.day for when in moments if when is not None]
        return Span(min(days), max(days)) if days else None

    def _through(self, dataset: str) -> date | None:
        declared = self.model.datasets[dataset].data_through
        if declared is not None:
            return declared
        extent = self.extent(dataset, self.model.datasets[dataset].time_dimension, ZoneInfo(self.model.timezone))
        return None if extent is None else extent.last - ONE_DAY

    def _range(self) -> Span | None:
        """The time range, made absolute."""
        through = [self._through(simple.dataset) for simple, _ in self.leaves]
        return resolve(self.query.time_range, self.zone, self.model.week_start, through)

    @cached_property
    def span(self) -> Span | None:
        """The time range or, without one, the days of the data. None: there is no data."""
        if self.range is not None:
            return self.range
        found = [self.extent(simple.dataset, self.time_column(simple), self.zone) for simple, _ in self.leaves]
        known = [extent for extent in found if extent is not None]
        return Span(min(e.first for e in known), max(e.last for e in known)) if known else None

    @cached_property
    def targets(self) -> list[Times]:
        """The periods of the time fields over the span, every combination that has a moment in common."""
        return list(dict.fromkeys(self.times(when) for when in self._moments())) if self.grains else [()]

    def _moments(self) -> Iterator[Moment]:
        if self.span is None:
            return
        if not is_clock(finest(self.grains)):
            for day in self.span.days:
                yield Moment(day_begin(day, self.zone), datetime(day.year, day.month, day.day))
            return
        instant, end = self.span.bounds(self.zone)
        step = timedelta(minutes=1 if finest(self.grains) is Grain.MINUTE else 15)
        while instant < end:
            yield at(instant, self.zone)
            instant = instant.replace(second=0, microsecond=0) + step
            instant -= timedelta(minutes=instant.minute % (step // timedelta(minutes=1)))

    def times(self, when: Moment | None) -> Times:
        """The periods that hold a moment, one for every time field."""
        if when is None:
            return tuple(None for _ in self.grains)
        return tuple(bucket(when, grain, self.model.week_start) for grain in self.grains)

    # --- the rows of a field ---------------------------------------------------------------------------------------

    @cached_property
    def _kept(self) -> dict[tuple[str, str], dict[Dims, list[tuple[Moment | None, Row]]]]:
        return {}

    def kept(self, field: MetricField, simple: Simple) -> dict[Dims, list[tuple[Moment | None, Row]]]:
        """Rows of a simple metric that pass every filter but time, by the values of the dimension fields."""
        key = (field.key, simple.name)
        if key not in self._kept:
            groups: dict[Dims, list[tuple[Moment | None, Row]]] = {}
            for row in self.source.rows[simple.dataset]:
                if self._passes(field, simple, row):
                    when = self.source.moment(simple.dataset, self.time_column(simple), row)
                    groups.setdefault(self._dims(simple.dataset, row), []).append((when, row))
            self._kept[key] = groups
        return self._kept[key]

    def _dims(self, dataset: str, row: Row) -> Dims:
        return tuple(self.source.value(dataset, row, field.dimension, field.grain) for field in self.dimensions)

    def _passes(self, field: MetricField, simple: Simple, row: Row) -> bool:
        dataset = self.model.datasets[simple.dataset]
        own = [segment.where for segment in dataset.segments if segment.name in self.query.segments]
        own += [simple.where] if simple.where is not None else []
        if any(twin_of(where.source)(self.source.getter(dataset.name, row)) is not True for where in own):
            return False
        return self.source.holds(self.query.where, dataset.name, row) and self.source.holds(
            field.where, dataset.name, row
        )

    def plain(self, when: Moment | None) -> bool:
        """Is a moment in the time range? Rows without a time are, when there is no range."""
        return self.range is None or (when is not None and self.range.holds(when))

    # --- regions of time -------------------------------------------------------------------------------------------

    def region(self, frame: Frame, times: Times) -> Region:
        """The rows' time for a frame that is not plain, at a target."""
        if self.span is None or None in times:
            return Nowhere()
        if self.grains and is_clock(finest(self.grains)):
            target = times[self.grains.index(finest(self.grains))]
            assert isinstance(target, datetime)
            return self._clock_region(frame, target)
        if not self.grains and not frame.is_window and frame.offset is not None and not self._is_whole(self.span):
            return self._same_times(self.span, frame.offset)
        first, last = self._target_days(frame, times)
        if frame.window is not None and is_clock_unit(frame.window):
            return self._clock_window(frame, frame.window, last)
        before = self.range.end if self.range is not None and frame.offset is None else None
        if frame.is_window:
            first = self._window_first(frame, last)
        return Days(first, last, before)

    def _is_whole(self, span: Span) -> bool:
        """Does it begin and end with a local day?"""
        return span.bounds(self.zone) == Span(span.first, span.last).bounds(self.zone)

    def _same_times(self, span: Span, offset: Duration) -> Region:
        """A range that begins or ends within a day, moved back to the same local times of earlier days."""
        begin, end = (at(instant, self.zone).local for instant in span.bounds(self.zone))
        moved = [datetime.combine(earlier(local.date(), offset), local.time(), self.zone) for local in (begin, end)]
        return Instants(moved[0].astimezone(UTC), moved[1].astimezone(UTC))

    def _target_days(self, frame: Frame, times: Times) -> tuple[date, date]:
        """First and last day of the target period, moved by the offset; without offset, not past the span's end."""
        assert self.span is not None
        if not self.grains:
            whole = (self.span.first, self.span.last)
            return whole if frame.offset is None else _moved(*whole, frame)
        grain = finest(self.grains)
        first = times[self.grains.index(grain)]
        assert first is not None
        if frame.offset is None:
            return first, min(last_day(first, grain), self.span.last)
        if is_clock_unit(frame.offset):
            raise Refused(Code.NOT_ANSWERABLE)
        first = earlier(first, frame.offset)
        return first, last_day(first, grain)

    def _window_first(self, frame: Frame, last: date) -> date:
        if frame.to_date is not None:
            if is_clock(frame.to_date):
                raise Unspecified("to date of a clock grain")
            return bucket_day(last, frame.to_date, self.model.week_start)
        assert frame.window is not None
        months = months_of(frame.window)
        if months is not None:
            return add_months(last + ONE_DAY, -months)
        return last - timedelta(days=days_of(frame.window) - 1)

    def _clock_window(self, frame: Frame, window: Any, last: date) -> Region:
        """The last hours or minutes of the span, when there is no time field."""
        if self.grains:
            raise Refused(Code.NOT_ANSWERABLE)
        end = day_begin(last + ONE_DAY, self.zone)
        if frame.offset is None and self.span is not None:
            end = self.span.bounds(self.zone)[1]
        return Instants(end - window.count * clock_size(window.unit), end)

    def _clock_region(self, frame: Frame, target: datetime) -> Region:
        """A window of hours or minutes that ends with an hour or a minute, or an hour some hours earlier."""
        assert self.span is not None
        if frame.to_date is not None or not all(map(is_clock_unit, filter(None, (frame.window, frame.offset)))):
            raise Unspecified("days before an hour")
        start, end = target, target + clock_size(finest(self.grains))
        if frame.offset is not None:
            moved = frame.offset.count * clock_size(frame.offset.unit)
            start, end = start - moved, end - moved
        if frame.window is not None:
            start = end - frame.window.count * clock_size(frame.window.unit)
        cut = self.span.bounds(self.zone)[1]
        return Instants(start, end if frame.offset is not None else min(end, cut))


def named(condition: Condition | None) -> Iterator[str]:
    """The dimensions a filter names."""
    match condition:
        case Compare():
            yield condition.dimension
        case Not():
            yield from named(condition.part)
        case And() | Or():
            for part in condition.parts:
                yield from named(part)


def _moved(first: date, last: date, frame: Frame) -> tuple[date, date]:
    """A whole range moved back: as many days long, or as many months when it is whole months moved by months."""
    assert frame.offset is not None
    if is_clock_unit(frame.offset):
        raise Refused(Code.NOT_ANSWERABLE)
    moved = earlier(first, frame.offset)
    after = last + ONE_DAY
    if months_of(frame.offset) is not None and first.day == 1 and after.day == 1:
        months = (after.year - first.year) * 12 + after.month - first.month
        return moved, add_months(moved, months) - ONE_DAY
    return moved, moved + (last - first)
