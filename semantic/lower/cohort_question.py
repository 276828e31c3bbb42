"""What is asked of cohorts, and what follows from it: periods, the cohort event, the horizon of returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from semantic.lower.cohort_events import Events, Named, filters, mixed
from semantic.lower.view import View
from semantic.model.facts import Kind
from semantic.model.sequence import Clock, CohortType, RetentionDefinition, RetentionMode
from semantic.plan.build import conjunction
from semantic.plan.expr import (
    NULL,
    Binary,
    Cast,
    Col,
    Expr,
    IsNotTrue,
    Item,
    Param,
    PeriodIndex,
    Row,
    Truncate,
)
from semantic.plan.node import Filter, Plan
from semantic.plan.operators import BinaryOp
from semantic.plan.word import MOST_KEPT, WORD
from semantic.query.bound import DimensionKey, Key
from semantic.query.cells import Cell, later, period_index
from semantic.query.period import local_day
from semantic.query.query import Condition
from semantic.time import Grain, day_begin, day_edge, period_start

BEGAN = "began#"
"""When an entity's cohort event was, or a row that begins with it."""


@dataclass(frozen=True, slots=True)
class CohortQuestion:
    """The cohorts whose events lie on `days` (both local days included; None: no data) between `start` and `end` (naive
    UTC; None: unbounded) and meet the filters, split by `keys`. `through`: the last complete day. `so_far`: cells that
    are not final are asked for too.
    """

    view: View
    definition: RetentionDefinition
    cells: tuple[Cell, ...]
    keys: tuple[Key, ...]
    days: tuple[date, date]
    start: datetime | None
    end: datetime | None
    through: date | None
    where: tuple[Condition, ...] = ()
    segments: tuple[str, ...] = ()
    so_far: bool = False

    # what is asked

    @property
    def members(self) -> Events:
        """The events that make an entity a member."""
        return Events(self.view, self.definition.cohort, self.definition.entity)

    @property
    def returns(self) -> Events:
        """The events that bring an entity back."""
        return Events(self.view, self.definition.returns, self.definition.entity)

    @property
    def mixed(self) -> bool:
        """Whether the two datasets disagree on the kind of the entity's column."""
        return mixed(self.view, self.definition)

    @property
    def first_time(self) -> bool:
        """Whether an entity has one cohort, of its first event ever."""
        return self.definition.cohort_type is CohortType.FIRST_TIME

    @property
    def open_ended(self) -> bool:
        """Whether any later return counts, however late."""
        return self.definition.mode is RetentionMode.ON_OR_AFTER

    @property
    def calendar(self) -> bool:
        """Whether periods are the calendar's."""
        return self.definition.clock is Clock.CALENDAR

    @property
    def furthest(self) -> int:
        """The last period after the cohort's that a cell looks at."""
        return max((cell.high or 0 for cell in self.cells), default=0)

    @property
    def kept(self) -> int | None:
        """The bits of a word that cells look at, where a whole number has as many; None: all of them."""
        cells = self.furthest + 1
        return cells if cells <= MOST_KEPT else None

    @property
    def filter(self) -> Expr | None:
        """The question's filter of cohort events."""
        return filters(self.members.scope, self.where, self.segments)

    @property
    def dimensions(self) -> tuple[DimensionKey, ...]:
        """The keys that are dimensions of the cohort event."""
        return tuple(key for key in self.keys if isinstance(key, DimensionKey))

    def fits(self) -> bool:
        """Whether one aggregate per entity can say it all."""
        if not self.calendar or any(cell.low == 0 for cell in self.cells):
            return False
        own_period = all(not isinstance(key, DimensionKey) and key.grain is self.definition.grain for key in self.keys)
        if not self.first_time and (not own_period or self.filter is not None):
            return False
        return self.places <= WORD

    # periods

    @property
    def places(self) -> int:
        """From the first cohort's period to the last with a return that matters: how many there are.

        The day after the last event counts as one: an earlier event may be of it, where clocks go back over midnight.
        """
        first, last = map(self.number, self.days)
        seen = self.number(local_day(self.returns.time.bounds.last, self.view.zone) + timedelta(days=1))
        return max(min(last + self.furthest, seen), last) - first + 1

    def number(self, day: date) -> int:
        """The number of a day's period."""
        return period_index(day, self.definition.grain, self.view.week_start)

    def period_number(self, day: Expr, since: int = 0) -> Expr:
        """The number of a day's period, as an expression, counted from the number `since`."""
        return PeriodIndex(day, self.definition.grain, self.view.week_start, since)

    def period(self, day: Expr, grain: Grain) -> Expr:
        """The start of a day's period."""
        return day if grain is Grain.DAY else Truncate(day, grain, self.view.week_start)

    def local_day(self, utc: Expr) -> Expr:
        """The local day of a naive UTC timestamp."""
        return Cast(self.members.scope.to_local(utc, self.members.time.bounds), Kind.DATE)

    @property
    def complete(self) -> datetime | None:
        """The instant at which the complete days end; None: no day is."""
        return day_edge(self.through + timedelta(days=1), self.view.zone) if self.through else None

    def horizon(self) -> datetime | None:
        """The instant from which no return matters any more."""
        if self.open_ended:
            return None if self.so_far else self.complete
        start = period_start(self.days[1], self.definition.grain, self.view.week_start)
        day = later(start, self.furthest + 2, self.definition.grain)
        return day_begin(day, self.view.zone)

    @property
    def finished(self) -> Expr | None:
        """The condition that a return lies in the complete days; None: nothing asks for it."""
        if self.complete is None or not self.open_ended or not self.so_far:
            return None
        return self.returns.time.before(self.complete)

    def return_conditions(self) -> list[Expr]:
        """What makes a row a return that matters."""
        first = period_start(self.days[0], self.definition.grain, self.view.week_start)
        return self.returns.conditions(day_begin(first, self.view.zone), self.horizon())

    # cohort events

    def event(self) -> Expr:
        """A cohort event as a value whose least is the entity's first: its time, or a row of its time, dimensions and
        whether it fails the question's filter."""
        time, scope = self.members.time.instant, self.members.scope
        failing = [] if self.filter is None else [IsNotTrue(self.filter)]
        more = [*(scope.key(key) for key in self.dimensions), *failing]
        return Row((time, *more)) if more else time

    @property
    def is_row(self) -> bool:
        """Whether a cohort event is more than its time."""
        return bool(self.dimensions) or self.filter is not None

    @property
    def began(self) -> Expr:
        """When the cohort event was."""
        return Item(Col(BEGAN), 0) if self.is_row else Col(BEGAN)

    def in_range(self, entities: Plan) -> Plan:
        """Only entities whose cohort event exists, lies in the range and meets the filter."""
        found: list[Expr] = []
        if self.start is not None:
            found.append(Binary(BinaryOp.GTE, self.began, Param(self.start, Kind.TIMESTAMP)))
        if self.end is not None:
            found.append(Binary(BinaryOp.LT, self.began, Param(self.end, Kind.TIMESTAMP)))
        if self.filter is not None:
            found.append(IsNotTrue(Item(Col(BEGAN), len(self.dimensions) + 1)))
        known = Binary(BinaryOp.DIFFERENT, Col(BEGAN), NULL)
        return Filter(entities, conjunction([known, *found]) or known)

    def named_keys(self) -> Named:
        """The keys, of the cohort event."""
        places = {key.name: place for place, key in enumerate(self.dimensions, start=1)}
        found: list[tuple[str, Expr]] = []
        for key in self.keys:
            if isinstance(key, DimensionKey):
                found.append((key.name, Item(Col(BEGAN), places[key.name])))
            elif key.grain.is_clock:
                found.append((key.name, self.members.scope.clock_bucket(self.began, key.grain, None)))
            else:
                found.append((key.name, self.period(self.local_day(self.began), key.grain)))
        return tuple(found)
