"""Cohorts: who belongs to which period, and in which later periods each came back (semantics.md §2).

The result has one row for each pattern: the keys asked for, the cohort's period (`cohort#`), in which periods after it
the entities came back (words of bits; or only the last, `last#`), and how many entities share the pattern (`entities#`).

    one pass     calendar periods that fit one word: all events ─▶ Aggregate per entity (first cohort event; one bit for
                 each period with a return) ─▶ the bits moved by the cohort's period
    join         everything else: cohort events per entity ─▶ Join with the entity's returns ─▶ bits per entity
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from semantic.lower.cohort_events import ENTITY, Events, Named, Side, filters, mixed, together
from semantic.lower.view import View
from semantic.model.facts import Kind
from semantic.model.sequence import Clock, CohortType, RetentionDefinition, RetentionMode
from semantic.plan.expr import (
    NULL,
    WORD,
    ZERO,
    All,
    AnyOf,
    Binary,
    BinaryOp,
    BitOf,
    Case,
    Cast,
    Coalesce,
    Col,
    Const,
    Expr,
    HasBits,
    IsNotTrue,
    Item,
    Micros,
    Param,
    PeriodIndex,
    Row,
    Shifted,
    Truncate,
    conjunction,
)
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project, Spine
from semantic.query.bound import DimensionKey, Key
from semantic.query.cells import Cell, later, period_index
from semantic.query.query import Condition
from semantic.time import Grain, day_begin, period_start

COHORT, LAST, ENTITIES = "cohort#", "last#", "entities#"
BEGAN, RETURNED, MEMBER, INDEX, OTHER = "began#", "returned#", "member#", "index#", "other#"


def word(place: int) -> str:
    """The column of a word of bits."""
    return f"word{place}#"


def hit(cell: Cell) -> Expr:
    """The condition that a pattern counts for a cell."""
    if cell.high is None:
        return Binary(BinaryOp.GTE, Col(LAST), Const(cell.low))
    parts = []
    for place in range(cell.low // WORD, cell.high // WORD + 1):
        low, high = max(cell.low - place * WORD, 0), min(cell.high - place * WORD, WORD - 1)
        parts.append(HasBits(Col(word(place)), low, high))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The cohorts whose events lie on `days` (both local days included; None: no data) between `start` and `end` (naive
    UTC; None: unbounded) and meet the filters, split by `keys`. `through`: the last complete day.
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

    def plan(self) -> Plan:
        """Columns: the keys, `cohort#`, the words or `last#`, `entities#`."""
        if not self._fits():
            return self._patterns(self._joined())
        if self._first_time:
            return self._patterns(self._in_one_pass())
        return self._recurring_in_one_pass()

    def _patterns(self, entities: Plan) -> Plan:
        by = tuple((name, Col(name)) for name in entities.output)
        return Aggregate(entities, by, ((ENTITIES, Agg(Fold.COUNT)),))

    # what is asked

    @property
    def _members(self) -> Events:
        return Events(self.view, self.definition.cohort, self.definition.entity)

    @property
    def _returns(self) -> Events:
        return Events(self.view, self.definition.returns, self.definition.entity)

    @property
    def _mixed(self) -> bool:
        return mixed(self.view, self.definition)

    @property
    def _first_time(self) -> bool:
        return self.definition.cohort_type is CohortType.FIRST_TIME

    @property
    def _open_ended(self) -> bool:
        return self.definition.mode is RetentionMode.ON_OR_AFTER

    @property
    def _calendar(self) -> bool:
        return self.definition.clock is Clock.CALENDAR

    @property
    def _furthest(self) -> int:
        return max((cell.high or 0 for cell in self.cells), default=0)

    @property
    def _filter(self) -> Expr | None:
        return filters(self._members.scope, self.where, self.segments)

    @property
    def _dimensions(self) -> tuple[DimensionKey, ...]:
        return tuple(key for key in self.keys if isinstance(key, DimensionKey))

    def _fits(self) -> bool:
        """Whether one aggregate per entity can say it all."""
        if not self._calendar or any(cell.low == 0 for cell in self.cells):
            return False
        own_period = all(not isinstance(key, DimensionKey) and key.grain is self.definition.grain for key in self.keys)
        if not self._first_time and (not own_period or self._filter is not None):
            return False
        first, last = map(self._number, self.days)
        return last + self._furthest - first < WORD

    # periods

    def _number(self, day: date) -> int:
        return period_index(day, self.definition.grain, self.view.week_start)

    def _period_number(self, day: Expr) -> Expr:
        return PeriodIndex(day, self.definition.grain, self.view.week_start)

    def _period(self, day: Expr, grain: Grain) -> Expr:
        return day if grain is Grain.DAY else Truncate(day, grain, self.view.week_start)

    def _local_day(self, utc: Expr) -> Expr:
        return Cast(self._members.scope.to_local(utc, self._members.time.bounds), Kind.DATE)

    def _horizon(self) -> datetime | None:
        """The instant from which no return matters any more."""
        if self._open_ended:
            return day_begin(self.through + timedelta(days=1), self.view.zone) if self.through else None
        start = period_start(self.days[1], self.definition.grain, self.view.week_start)
        day = later(start, self._furthest + 2, self.definition.grain)
        return day_begin(day, self.view.zone)

    def _return_conditions(self) -> list[Expr]:
        first = period_start(self.days[0], self.definition.grain, self.view.week_start)
        return self._returns.conditions(day_begin(first, self.view.zone), self._horizon())

    # cohort events

    def _event(self) -> Expr:
        """A cohort event as a value whose least is the entity's first: its time, or a row of its time, dimensions and
        whether it fails the question's filter."""
        time, scope = self._members.time.instant, self._members.scope
        failing = [] if self._filter is None else [IsNotTrue(self._filter)]
        more = [*(scope.key(key) for key in self._dimensions), *failing]
        return Row((time, *more)) if more else time

    @property
    def _is_row(self) -> bool:
        return bool(self._dimensions) or self._filter is not None

    @property
    def _began(self) -> Expr:
        return Item(Col(BEGAN), 0) if self._is_row else Col(BEGAN)

    def _in_range(self, entities: Plan) -> Plan:
        """Only entities whose cohort event exists, lies in the range and meets the filter."""
        found: list[Expr] = []
        if self.start is not None:
            found.append(Binary(BinaryOp.GTE, self._began, Param(self.start, Kind.TIMESTAMP)))
        if self.end is not None:
            found.append(Binary(BinaryOp.LT, self._began, Param(self.end, Kind.TIMESTAMP)))
        if self._filter is not None:
            found.append(IsNotTrue(Item(Col(BEGAN), len(self._dimensions) + 1)))
        known = Binary(BinaryOp.DIFFERENT, Col(BEGAN), NULL)
        return Filter(entities, conjunction([known, *found]) or known)

    def _named_keys(self) -> Named:
        """The keys, of the cohort event."""
        places = {key.name: place for place, key in enumerate(self._dimensions, start=1)}
        found: list[tuple[str, Expr]] = []
        for key in self.keys:
            if isinstance(key, DimensionKey):
                found.append((key.name, Item(Col(BEGAN), places[key.name])))
            elif key.grain.is_clock:
                found.append((key.name, self._members.scope.clock_bucket(self._began, key.grain, None)))
            else:
                found.append((key.name, self._period(self._local_day(self._began), key.grain)))
        return tuple(found)

    # one pass

    def _returned(self) -> Side:
        """Returns, each as the number of its period from the first that matters."""
        base = Const(self._number(self.days[0]))
        number = Binary(BinaryOp.SUBTRACT, self._period_number(self._returns.time.day), base)
        return Side(self._returns, ((RETURNED, number),), self._return_conditions())

    def _return_fold(self) -> tuple[str, Agg]:
        if self._open_ended:
            return LAST, Agg(Fold.MAX, Col(RETURNED))
        return word(0), Agg(Fold.BIT_OR, BitOf(Col(RETURNED)))

    def _since(self, index: Expr) -> tuple[str, Expr]:
        """The returns counted from a cohort's period, whose number from the first that matters is `index`."""
        if self._open_ended:
            return LAST, Binary(BinaryOp.SUBTRACT, Coalesce((Col(LAST), Const(-1))), index)
        return word(0), Shifted(Coalesce((Col(word(0)), ZERO)), index)

    def _in_one_pass(self) -> Plan:
        began = Side(self._members, ((BEGAN, self._event()),), self._members.conditions())
        events = together(began, self._returned(), self._mixed)
        folds = ((BEGAN, Agg(Fold.MIN, Col(BEGAN))), self._return_fold())
        entities = self._in_range(Aggregate(events, ((ENTITY, Col(ENTITY)),), folds))
        cohort = self._period(self._local_day(self._began), self.definition.grain)
        base = Const(self._number(self.days[0]))
        index = Binary(BinaryOp.SUBTRACT, self._period_number(cohort), base)
        return Project(entities, (*self._named_keys(), (COHORT, cohort), self._since(index)))

    def _recurring_in_one_pass(self) -> Plan:
        """Membership as bits too: each cohort period of the range then looks at the same words."""
        base = Const(self._number(self.days[0]))
        number = Binary(BinaryOp.SUBTRACT, self._period_number(self._members.time.day), base)
        members = Side(self._members, ((MEMBER, number),), self._members.conditions(self.start, self.end))
        events = together(members, self._returned(), self._mixed)
        folds = ((MEMBER, Agg(Fold.BIT_OR, BitOf(Col(MEMBER)))), self._return_fold())
        entities = Aggregate(events, ((ENTITY, Col(ENTITY)),), folds)
        by = tuple((name, Col(name)) for name in entities.output if name != ENTITY)
        patterns = Aggregate(entities, by, ((ENTITIES, Agg(Fold.COUNT)),))
        first = period_start(self.days[0], self.definition.grain, self.view.week_start)
        count = self._number(self.days[1]) - self._number(self.days[0]) + 1
        places = tuple((later(first, place, self.definition.grain), place) for place in range(count))
        spine = Spine(((COHORT, Kind.DATE), (INDEX, Kind.INTEGER)), places)
        every = Join(patterns, spine, JoinKind.CROSS)
        member = Filter(every, HasBits(Shifted(Coalesce((Col(MEMBER), ZERO)), Col(INDEX)), 0, 0))
        keys: list[tuple[str, Expr]] = [(key.name, Col(COHORT)) for key in self.keys]
        found = Project(member, (*keys, (COHORT, Col(COHORT)), self._since(Col(INDEX)), (ENTITIES, Col(ENTITIES))))
        names = tuple((name, Col(name)) for name in found.output if name != ENTITIES)
        return Aggregate(found, names, ((ENTITIES, Agg(Fold.SUM, Col(ENTITIES))),))

    # join

    def _joined(self) -> Plan:
        left, right = self._cohort_entities(), self._return_periods()
        both = Join(left, right, JoinKind.LEFT, ((ENTITY, OTHER),))
        kept: list[tuple[str, Expr]] = [(name, Col(name)) for name in left.output if name != BEGAN]
        placed = Project(both, (*kept, (INDEX, self._after())))
        folds = [(word(place), _word_fold(place)) for place in range(self._furthest // WORD + 1)]
        if self._open_ended:
            folds = [(LAST, Agg(Fold.MAX, Col(INDEX)))]
        entities = Aggregate(placed, tuple(kept), tuple(folds))
        named: list[tuple[str, Expr]] = [(name, Col(name)) for name, _ in kept if name != ENTITY]
        named += [(name, Coalesce((Col(name), Const(-1) if name == LAST else ZERO))) for name, _ in folds]
        return Project(entities, tuple(named))

    def _cohort_entities(self) -> Plan:
        """An entity's cohort event (recurring: one in each period): the keys, the cohort, when it began."""
        members = self._members
        recurring = not self._first_time
        conditions = members.conditions(self.start, self.end) if recurring else members.conditions()
        period = self._period(members.time.day, self.definition.grain)
        named: Named = ((BEGAN, self._event()), *(((COHORT, period),) if recurring else ()))
        rows = members.rows(named, conditions, self._mixed)
        by = (ENTITY, COHORT) if recurring else (ENTITY,)
        first = Aggregate(rows, tuple((name, Col(name)) for name in by), ((BEGAN, Agg(Fold.MIN, Col(BEGAN))),))
        cohort = Col(COHORT) if recurring else self._period(self._local_day(self._began), self.definition.grain)
        columns = (*self._named_keys(), (ENTITY, Col(ENTITY)), (COHORT, cohort), (BEGAN, self._began))
        return Project(self._in_range(first), columns)

    def _return_periods(self) -> Plan:
        """Returns: each one (elapsed), or the last of each period (calendar), with the period's number."""
        time = self._returns.time
        named: Named = (
            (RETURNED, time.instant),
            *(((INDEX, self._period_number(time.day)),) if self._calendar else ()),
        )
        rows = self._returns.rows(named, self._return_conditions(), self._mixed)
        if not self._calendar:
            return Project(rows, ((OTHER, Col(ENTITY)), (RETURNED, Col(RETURNED))))
        by = ((OTHER, Col(ENTITY)), (INDEX + "2", Col(INDEX)))
        return Aggregate(rows, by, ((RETURNED, Agg(Fold.MAX, Col(RETURNED))),))

    def _after(self) -> Expr:
        """How many periods after its cohort an entity's return lies; null when not after the cohort event."""
        if self._calendar:
            number = Binary(BinaryOp.SUBTRACT, Col(INDEX + "2"), self._period_number(Col(COHORT)))
        else:
            length = (7 if self.definition.grain is Grain.WEEK else 1) * 86_400_000_000
            micros = Binary(BinaryOp.SUBTRACT, Micros(Col(RETURNED)), Micros(Col(BEGAN)))
            number = Binary(BinaryOp.WHOLES, micros, Const(length))
        return Case(((Binary(BinaryOp.GT, Col(RETURNED), Col(BEGAN)), number),), NULL)


def _word_fold(place: int) -> Agg:
    low = place * WORD
    within = All((Binary(BinaryOp.GTE, Col(INDEX), Const(low)), Binary(BinaryOp.LT, Col(INDEX), Const(low + WORD))))
    return Agg(Fold.BIT_OR, BitOf(Binary(BinaryOp.SUBTRACT, Col(INDEX), Const(low))), within)
