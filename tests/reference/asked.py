"""A query with everything settled that doesn't depend on a group: its zone, its days, its periods, its rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
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
from semantic.time import Grain
from tests.reference.clock import (
    ONE_DAY,
    Moment,
    Period,
    at,
    bucket,
    day_begin,
    finest,
    is_clock,
)
from tests.reference.expressions import twin_of
from tests.reference.frame import Frame, frames_of, leaves
from tests.reference.refused import Refused
from tests.reference.rows import Row, Source, Tables
from tests.reference.span import Span, resolve

Times = tuple[Period | None, ...]
Dims = tuple[Any, ...]
Group = tuple[Times, Dims]
"""The periods of the time fields and the values of the dimension fields that a row is for."""


class Asked:
    """One query against tables."""

    def __init__(self, model: Model, tables: Tables, query: MetricQuery) -> None:
        self.model = model
        self.query = query
        self.zone = ZoneInfo(query.timezone or model.timezone)
        self.source = Source(model, tables, self.zone)
        self.grains = [field.grain for field in query.fields if isinstance(field, TimeField)]
        self.dimensions = [field for field in query.fields if isinstance(field, DimensionField)]

    @cached_property
    def leaves(self) -> list[tuple[Simple, Frame]]:
        """Every simple metric in the query with the frame of its rows."""
        return [leaf for field in self.query.metrics for leaf in self.leaves_of(field)]

    def leaves_of(self, field: MetricField) -> list[tuple[Simple, Frame]]:
        """Its simple metrics with their frames; none for a field that is null here."""
        return [] if self.is_absent(field) else self._leaves(field)

    def is_absent(self, field: MetricField) -> bool:
        """Is the field null by its author's choice (`unallocated: null`), as it can't be split or filtered as asked?"""
        metric = self.model.metric(field.metric)
        names = [*(key.dimension for key in self.dimensions), *named(self.query.where), *named(field.where)]
        known = [{name for name, _, _ in self.source.dimensions(leaf.dataset)} for leaf, _ in self._leaves(field)]
        if all(name in each for name in names for each in known):
            return False
        if not metric.unallocated_null:
            raise Refused(Code.DIMENSION_NOT_SHARED)
        return True

    def _leaves(self, field: MetricField) -> list[tuple[Simple, Frame]]:
        metric = self.model.metric(field.metric)
        return [leaf for frame in frames_of(field) for leaf in leaves(self.model, metric, frame)]

    def time_column(self, simple: Simple) -> tuple[str, str | None]:
        """The dataset that has the column which dates a metric's rows, and the column."""
        chosen = simple.time_dimension
        if chosen is None:
            return simple.dataset, self.model.datasets[simple.dataset].time_dimension
        dataset = simple.dataset
        for step in chosen.path:
            dataset = self.model.relationships[step].to_dataset
        return dataset, chosen.name

    def moment(self, simple: Simple, row: Row) -> Moment | None:
        """Where a metric places a row in time."""
        path = simple.time_dimension.path if simple.time_dimension else ()
        dataset, column = self.time_column(simple)
        _, found = self.source.related(simple.dataset, row, path)
        return None if found is None else self.source.moment(dataset, column, found)

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

    @cached_property
    def range(self) -> Span | None:
        """The time range, made absolute."""
        read = [name for simple, _ in self.leaves for name in (simple.dataset, self.time_column(simple)[0])]
        through = [self._through(name) for name in read]
        return resolve(self.query.time_range, self.zone, self.model.week_start, through)

    @cached_property
    def span(self) -> Span | None:
        """The time range or, without one, the days of the data. None: there is no data."""
        if self.range is not None:
            return self.range
        found = [self.extent(*self.time_column(simple), self.zone) for simple, _ in self.leaves]
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
                    when = self.moment(simple, row)
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
