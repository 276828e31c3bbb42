"""One dataset's part of a funnel: which of its rows are events, which steps each matches, which open an attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from semantic.lower.filter import condition
from semantic.lower.scope import Scope, Time
from semantic.model.facts import Bounds, Kind
from semantic.model.sequence import Funnel, FunnelOrder
from semantic.plan.build import conjunction
from semantic.plan.expr import TRUE, AnyOf, Bits, Cast, Col, Const, Expr, IsNotTrue, IsNull
from semantic.plan.node import Filter, Plan
from semantic.plan.walk import columns
from semantic.query.query import Condition
from semantic.time import Duration

DAY = "day#"


def held_column(dimension: str) -> str:
    """The column of a held value where it tells attempts apart."""
    return f"{dimension}#hold"


def window_seconds(window: Duration) -> int:
    """A conversion window in elapsed seconds."""
    assert window.seconds is not None, "the load and the binder refuse windows without a fixed length"
    return window.seconds


@dataclass(frozen=True, slots=True)
class StepEvents:
    """The events of one dataset. `start`, `end`: of opening events (naive UTC); `where`, `segments`: filters of those.
    `filters`: of an ad-hoc funnel's steps, in order. `passive_bit`: the mask's bit for events that don't break a run.
    `mixes_held`: events matter whatever their held values are, also when these are not known.
    """

    scope: Scope
    funnel: Funnel
    filters: tuple[Condition | None, ...]
    start: datetime | None
    end: datetime | None
    where: tuple[Condition, ...]
    segments: tuple[str, ...]
    passive_bit: int | None
    mixes_held: bool
    mixed_entities: bool

    @property
    def can_open(self) -> bool:
        """Whether any of its events may open an attempt."""
        return self.scope.dataset.name in self.funnel.entry_datasets

    @property
    def time(self) -> Time:
        """Its time column, knowing what part of it is read."""
        column = self.scope.dataset.time_dimension
        assert column is not None, "the load refuses funnels over datasets without time"
        bounds = self.scope.own.bounds.get(column)
        if bounds is None or not (isinstance(bounds.first, datetime) and isinstance(bounds.last, datetime)):
            return self.scope.time(column, bounds)
        first = max(bounds.first, self.start) if self.start else bounds.first
        until = self._until()
        last = min(bounds.last, until) if until else bounds.last
        return self.scope.time(column, Bounds(first, max(first, last)))

    def _until(self) -> datetime | None:
        """The instant from which no event can belong to an attempt; None: the calendar's end."""
        if self.end is None:
            return None
        length = timedelta(seconds=window_seconds(self.funnel.window)) if self.funnel.window else timedelta(days=2)
        if datetime.max - self.end <= length:
            return None
        return self.end + length + timedelta(microseconds=1)

    def _steps(self) -> list[tuple[Expr, int]]:
        """(condition, bit) of each of the funnel's steps in this dataset."""
        return [
            (self._step(bit), bit)
            for bit, step in enumerate(self.funnel.steps)
            if step.dataset == self.scope.dataset.name
        ]

    def _step(self, bit: int) -> Expr:
        step, asked = self.funnel.steps[bit], self.filters[bit] if self.filters else None
        found = [self.scope.authored(step.where)] if step.where is not None else []
        found += self._known() if self.mixes_held else []
        if asked is not None:
            found.append(condition(self.scope, asked))
        return conjunction(found) or TRUE

    def _exclusions(self) -> list[tuple[Expr, int]]:
        if self.scope.dataset.name != self.funnel.dataset:
            return []
        first = len(self.funnel.steps) + 1
        return [(self.scope.authored(rule.where), first + place) for place, rule in enumerate(self.funnel.exclude)]

    @property
    def opens(self) -> Expr:
        """The condition that an event opens an attempt."""
        if not self.can_open:
            return Const(False)
        steps = self._steps()
        any_step = AnyOf(tuple(when for when, _ in steps))
        found: list[Expr] = [any_step if self.funnel.order is FunnelOrder.ANY else steps[0][0]]
        if self.start is not None:
            found.append(self.time.since(self.start))
        if self.end is not None:
            found.append(self.time.before(self.end))
        found += [condition(self.scope, where) for where in self.where]
        segments = self.scope.dataset.segments
        found += [self.scope.authored(item.where) for item in segments if item.name in self.segments]
        return conjunction(found) or TRUE

    def rows(self, used: list[Expr]) -> Plan:
        """The rows that can be part of an attempt, or end one, with the columns that `used` reads."""
        time, until = self.time, self._until()
        found = [] if self.mixes_held else self._known()
        found.append(time.since(self.start) if self.start else IsNotTrue(IsNull(Col(time.name))))
        if until is not None:
            found.append(time.before(until))
        if self.funnel.order is not FunnelOrder.STRICT:
            found.append(_true(tuple(when for when, _ in (*self._steps(), *self._exclusions()))))
        return self._of_known(found, used)

    def opening_rows(self, used: list[Expr]) -> Plan:
        """The rows that open attempts, with the columns that `used` reads."""
        return self._of_known([IsNotTrue(IsNull(Col(self.time.name))), *self._known(), self.opens], used)

    def _of_known(self, found: list[Expr], used: list[Expr]) -> Plan:
        """The rows of somebody that meet the conditions."""
        who = Col(self._entity_column)
        where = conjunction([IsNotTrue(IsNull(who)), *found])
        assert where is not None
        return Filter(self.scope.relation(columns([who, where, *used])), where)

    @property
    def _entity_column(self) -> str:
        column = self.scope.dataset.entity_column(self.funnel.entity)
        assert column is not None, "the load refuses steps in datasets without the entity"
        return column

    @property
    def entity(self) -> Expr:
        """Who: as the column is, or as text where the funnel's datasets disagree on its kind."""
        who = Col(self._entity_column)
        return Cast(who, Kind.STRING) if self.mixed_entities else who

    @property
    def mask(self) -> Expr:
        """The bits an event has: steps, opens, exclusions, passive."""
        opens = (self.opens, len(self.funnel.steps))
        parts = [*self._steps(), opens, *self._exclusions()]
        if self.passive_bit is not None and self.scope.dataset.passive is not None:
            parts.append((self.scope.authored(self.scope.dataset.passive), self.passive_bit))
        return Bits(tuple(part for part in parts if part[0] != Const(False)))

    @property
    def has_steps(self) -> bool:
        """Whether any of its events may fill a step."""
        return self.scope.dataset.name in (step.dataset for step in self.funnel.steps)

    @property
    def in_steps(self) -> Expr:
        """The condition that an event matches some step."""
        return _true(tuple(when for when, _ in self._steps()))

    @property
    def held(self) -> dict[str, Expr]:
        """What all steps of an attempt must share, by dimension; nothing where no event fills a step."""
        names = self.funnel.hold if self.has_steps else ()
        return {name: self.scope.dimension(name, Kind.STRING) for name in names}

    def apart(self, column: str) -> Expr:
        """What tells an entity's attempts apart: a held value, or for same_day the business day."""
        if column == DAY:
            return self.time.day
        return next(value for name, value in self.held.items() if held_column(name) == column)

    def _known(self) -> list[Expr]:
        return [IsNotTrue(IsNull(value)) for value in self.held.values()]


def _true(conditions: tuple[Expr, ...]) -> Expr:
    """Some condition is true. Said so of several: an engine then asks once for each distinct text, not for each row."""
    return IsNotTrue(IsNotTrue(AnyOf(conditions))) if len(conditions) > 1 else conditions[0]
