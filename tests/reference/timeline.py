"""Rows of a model's datasets in time: who, when, which; and how far the data goes. What funnels and retention read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from semantic.model.expression import Expression
from semantic.model.model import Model
from semantic.query.query import And, Compare, Condition, Not, Or, TimeRange
from semantic.time import Grain
from tests.reference.clock import ONE_DAY, Moment, Period, at, bucket, clock_size, day_begin, is_clock, last_day
from tests.reference.expressions import Get, twin_of
from tests.reference.rows import Row, Source, Tables
from tests.reference.span import Span, resolve

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_EQUALS = re.compile(r"(?P<name>[a-z_]+) (?P<operator>=|<>) '(?P<text>[^']*)'")
_AMONG = re.compile(r"(?P<name>[a-z_]+) in \((?P<texts>'[^']*'(, '[^']*')*)\)")


def condition_holds(where: Expression | None, get: Get) -> bool:
    """Does an author's condition hold for a row? No condition holds for all."""
    if where is None:
        return True
    if match := _EQUALS.fullmatch(where.source):
        value = get(match["name"])
        return value is not None and (value == match["text"]) == (match["operator"] == "=")
    if match := _AMONG.fullmatch(where.source):
        return get(match["name"]) in re.findall(r"'([^']*)'", match["texts"])
    return twin_of(where.source)(get) is True


@dataclass(frozen=True, slots=True, eq=False)
class Happening:
    """A row that somebody did at some time; `micros`: that time, in microseconds since 1970."""

    dataset: str
    row: Row
    when: Moment
    entity: str
    micros: int


class Timeline:
    """The datasets of a model, in one zone."""

    def __init__(self, model: Model, tables: Tables, timezone: str | None) -> None:
        self.model = model
        self.zone = ZoneInfo(timezone or model.timezone)
        self.source = Source(model, tables, self.zone)

    def happenings(self, dataset: str, entity: str, where: Expression | None = None) -> Iterator[Happening]:
        """Rows with an entity and a time that meet a condition."""
        column = self.model.datasets[dataset].entity_column(entity)
        assert column is not None
        for row in self.source.rows[dataset]:
            when = self.source.moment(dataset, self.model.datasets[dataset].time_dimension, row)
            if when is None or row[column] is None:
                continue
            if condition_holds(where, self.source.getter(dataset, row)):
                yield Happening(dataset, row, when, str(row[column]), (when.instant - EPOCH) // _MICRO)

    def holds(self, where: Expression | None, one: Happening) -> bool:
        """Does a happening meet a condition of the model's author?"""
        return condition_holds(where, self.source.getter(one.dataset, one.row))

    def has_hours(self, dataset: str) -> bool:
        """Are the rows' times more than dates?"""
        column = self.model.datasets[dataset].time_dimension
        moments = [self.source.moment(dataset, column, row) for row in self.source.rows[dataset]]
        return not any(when.is_date for when in moments if when is not None)

    def values(self, one: Happening, dimensions: Iterable[str]) -> tuple[Any, ...]:
        return tuple(self.source.value(one.dataset, one.row, name) for name in dimensions)

    def segments_hold(self, one: Happening, names: Iterable[str]) -> bool:
        known = {segment.name: segment.where for segment in self.model.datasets[one.dataset].segments}
        return all(self.holds(known[name], one) for name in names)

    def period(self, when: Moment, grain: Grain) -> Period:
        return bucket(when, grain, self.model.week_start)

    # --- how far the data goes -------------------------------------------------------------------------------------

    def extent(self, dataset: str, zone: ZoneInfo) -> Span | None:
        """The first and the last local day with rows."""
        column = self.model.datasets[dataset].time_dimension
        moments = [self.source.moment(dataset, column, row, zone) for row in self.source.rows[dataset]]
        days = [when.day for when in moments if when is not None]
        return Span(min(days), max(days)) if days else None

    def data_through(self, datasets: Iterable[str]) -> date | None:
        """The last local day that is complete in all of the datasets: as declared, else the day before the newest."""
        found = [self._data_through(dataset) for dataset in datasets]
        known = [day for day in found if day is not None]
        return min(known) if known else None

    def _data_through(self, dataset: str) -> date | None:
        declared = self.model.datasets[dataset].data_through
        if declared is not None:
            return declared
        extent = self.extent(dataset, ZoneInfo(self.model.timezone))
        return None if extent is None else extent.last - ONE_DAY

    def complete_until(self, through: date | None) -> datetime | None:
        """The instant at which the last complete day has ended."""
        return None if through is None else day_begin(through + ONE_DAY, self.zone)

    # --- the days of a question ------------------------------------------------------------------------------------

    def range(self, wanted: TimeRange | None, datasets: Iterable[str]) -> Span | None:
        """The time range made absolute; None: all time."""
        return resolve(wanted, self.zone, self.model.week_start, [self.data_through(datasets)])

    def days(self, span: Span | None, datasets: Iterable[str]) -> Span | None:
        """The time range or, without one, from the first to the last day of the datasets' rows."""
        if span is not None:
            return span
        known = [extent for extent in (self.extent(name, self.zone) for name in datasets) if extent is not None]
        return Span(min(e.first for e in known), max(e.last for e in known)) if known else None

    def periods(self, days: Span | None, grain: Grain) -> list[Period]:
        """Every period that has some of the days in it."""
        return list(dict.fromkeys(self.period(when, grain) for when in self._moments(days, grain)))

    def _moments(self, days: Span | None, grain: Grain) -> Iterator[Moment]:
        if days is None:
            return
        if not is_clock(grain):
            yield from (Moment(day_begin(day, self.zone), datetime(day.year, day.month, day.day)) for day in days.days)
            return
        instant, end = days.bounds(self.zone)
        while instant < end:
            yield at(instant, self.zone)
            instant = instant.replace(second=0, microsecond=0) + timedelta(minutes=1)

    def period_ends(self, period: Period, grain: Grain) -> datetime:
        """The instant at which a period has ended."""
        if isinstance(period, datetime):
            return period + clock_size(grain)
        return day_begin(last_day(period, grain) + ONE_DAY, self.zone)


def dimensions_of(where: Condition | None) -> Iterator[str]:
    """The dimensions that a filter names."""
    match where:
        case Compare():
            yield where.dimension
        case Not():
            yield from dimensions_of(where.part)
        case And() | Or():
            for part in where.parts:
                yield from dimensions_of(part)


def shown(period: Period, zone: ZoneInfo) -> str:
    """A period as JSON has it: a date, or the instant of an hour with the zone's offset."""
    return period.astimezone(zone).isoformat() if isinstance(period, datetime) else period.isoformat()
