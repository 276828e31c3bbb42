"""Attempts: a funnel's events, of any datasets, put to the kernel; what comes back, as rows (semantics.md §1).

each dataset's rows ─▶ Filter to events of any step ─▶ Project (entity, time, mask of the steps it matches)
    ─▶ Union ─▶ Match per entity ─▶ chosen attempts, with the opening event's period and dimensions

Held values: where only events of one value matter to an attempt, Match is per entity and value, and of an entity's
attempts the chosen one is taken after it. Where others break a run or exclude, events carry a number of their value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from semantic.lower.numbering import Numbering, known_values, numbering
from semantic.lower.scope import Scope
from semantic.lower.step_events import DAY, StepEvents, held_column, window_seconds
from semantic.lower.view import View
from semantic.model.facts import Kind
from semantic.model.sequence import ExcludeEffect, Funnel, FunnelEntry, FunnelOrder
from semantic.plan.expr import ZERO, Binary, Case, Col, Expr, Item, PeriodNumber, PeriodStart, Row
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Match, Plan, Project, Union
from semantic.plan.operators import BinaryOp
from semantic.plan.spec import Exclusion, MatchSpec
from semantic.query.bound import DimensionKey
from semantic.query.query import Condition
from semantic.time import Grain

_ENTITY, _TIME, _MASK, _CODE, _PERIOD, _HELD, _DEPTH = "entity", "time", "mask", "code", "period", "held", "depth"
ENTITY, PERIOD, DEPTH = "entity#", "period#", "depth#"
"""Columns of attempts, which no dimension is named like."""
BEST = "best#"


def filled(step: int) -> str:
    """The column of when a step (from 1) was filled."""
    return f"t{step}#"


@dataclass(frozen=True, slots=True)
class Attempts:
    """The chosen attempts of a funnel whose opening events lie in [start, end) (naive UTC), meet `where`, and are in
    the segments. `dimensions` of the opening event come out under their key names; with `grain`, an entity has an
    attempt for each opening period; with `times`, when each step was filled. `filters`: of an ad-hoc funnel's steps.
    """

    view: View
    funnel: Funnel
    start: datetime | None = None
    end: datetime | None = None
    where: tuple[Condition, ...] = ()
    segments: tuple[str, ...] = ()
    dimensions: tuple[DimensionKey, ...] = ()
    grain: Grain | None = None
    times: bool = False
    filters: tuple[Condition | None, ...] = ()

    def plan(self) -> Plan:
        """Columns: ENTITY, DEPTH, when each step was `filled`, PERIOD (date or instant; with `grain`), dimensions."""
        codes = self._codes() if self.dimensions else None
        held = self._held() if self._mixes_held else None
        members = tuple(self._events(dataset, codes, held) for dataset in self._datasets())
        apart = self._apart
        found: Plan = Match(members[0] if len(members) == 1 else Union(members), (_ENTITY, *apart), self._spec(codes))
        if apart:
            found = self._chosen(found)
        if any(rule.effect is ExcludeEffect.REMOVE for rule in self.funnel.exclude):
            found = Filter(found, Binary(BinaryOp.GT, Col(_DEPTH), ZERO))
        named: list[tuple[str, Expr]] = [(ENTITY, Col(_ENTITY)), (DEPTH, Col(_DEPTH))]
        named += [(filled(step), Col(f"t{step}")) for step in range(1, self._steps + 1) if self.times]
        if self.grain is not None:
            named.append((PERIOD, PeriodStart(Col(_PERIOD), self.grain.is_clock)))
        if codes is not None:
            found = Join(found, codes.plan, JoinKind.INNER, ((_CODE, codes.number),))
            named += [(key.name, Col(codes.column(key.name))) for key in self.dimensions]
        return Project(found, tuple(named))

    @property
    def _steps(self) -> int:
        return len(self.funnel.steps)

    def _datasets(self) -> tuple[str, ...]:
        return self.funnel.datasets

    def _scope(self, dataset: str) -> Scope:
        view = self.view
        return Scope(view.model, view.facts, view.model.datasets[dataset], view.zone, view.week_start)

    def _of(self, dataset: str) -> StepEvents:
        return StepEvents(
            scope=self._scope(dataset),
            funnel=self.funnel,
            filters=self.filters,
            start=self.start,
            end=self.end,
            where=self.where,
            segments=self.segments,
            passive_bit=self._passive_bit,
            mixes_held=self._mixes_held,
            mixed_entities=self._mixed_entities,
        )

    @property
    def _mixed_entities(self) -> bool:
        kinds = set()
        for scope in map(self._scope, self._datasets()):
            kinds.add(scope.own.columns.get(scope.dataset.entity_column(self.funnel.entity) or "", Kind.OTHER))
        return len(kinds) > 1

    @property
    def _longs(self) -> bool:
        """Whether attempts are by entity alone, and every entity is a whole number of 64 bits."""
        scopes = map(self._scope, self._datasets())
        known = all(scope.dataset.entity_column(self.funnel.entity) in scope.own.longs for scope in scopes)
        return known and not self._apart and not self._mixes_held

    @property
    def _passive_bit(self) -> int | None:
        strict = self.funnel.order is FunnelOrder.STRICT
        declared = any(self.view.model.datasets[name].passive is not None for name in self._datasets())
        return self._steps + 1 + len(self.funnel.exclude) if strict and declared else None

    @property
    def _mixes_held(self) -> bool:
        """Whether events of other held values matter to an attempt: they break a run, or exclude."""
        return bool(self.funnel.hold) and (self.funnel.order is FunnelOrder.STRICT or bool(self.funnel.exclude))

    @property
    def _apart(self) -> tuple[str, ...]:
        """What an entity's events are told apart by, each part with attempts of its own."""
        held = () if self._mixes_held else tuple(map(held_column, self.funnel.hold))
        return (*held, *([DAY] if self.funnel.window is None else []))

    def _codes(self) -> Numbering:
        """The combinations of dimension values that opening events have."""
        openers = [events for events in map(self._of, self._datasets()) if events.can_open]
        if len(openers) == len(self.dimensions) == 1:
            (events,), (key,) = openers, self.dimensions
            few = events.scope.few_values_of(events.scope.key(key))
            if few is not None:
                return known_values(_CODE, key.name, key.kind, few)
        members = []
        for events in openers:
            values = {key.name: events.scope.key(key) for key in self.dimensions}
            members.append((events.opening_rows(list(values.values())), values))
        return numbering(_CODE, members)

    def _held(self) -> Numbering:
        """The combinations of held values that events of any step have."""
        members = []
        for events in filter(lambda events: events.has_steps, map(self._of, self._datasets())):
            rows = events.rows([events.in_steps, *events.held.values()])
            members.append((Filter(rows, events.in_steps), events.held))
        return numbering(_HELD, members)

    def _events(self, dataset: str, codes: Numbering | None, held: Numbering | None) -> Plan:
        """One dataset's events: entity, time, mask, what tells them apart, and the numbers of what they are."""
        events = self._of(dataset)
        named: list[tuple[str, Expr]] = [(_ENTITY, events.entity), (_TIME, events.time.instant), (_MASK, events.mask)]
        if self.grain is not None:
            number = PeriodNumber(events.time.bucket(self.grain), self.grain.is_clock)
            named.append((_PERIOD, number if events.can_open else ZERO))
        named += [(name, events.apart(name)) for name in self._apart]
        numbered: list[tuple[Numbering, Mapping[str, Expr]]] = []
        if codes is not None:
            dimensions = {key.name: events.scope.key(key) for key in self.dimensions} if events.can_open else {}
            numbered.append((codes, dimensions))
        if held is not None:
            numbered.append((held, events.held))
        own = [(numbers.own(name), expr) for numbers, values in numbered for name, expr in values.items()]
        every = (*named, *own)
        plan: Plan = Project(events.rows([expr for _, expr in every]), every)
        if not numbered:
            return plan
        kept: list[tuple[str, Expr]] = [(name, Col(name)) for name, _ in named]
        for numbers, values in numbered:
            plan = numbers.of(plan, tuple(values)) if values else plan
            kept.append((numbers.name, numbers.found() if values else ZERO))
        return Project(plan, tuple(kept))

    def _spec(self, codes: Numbering | None) -> MatchSpec:
        places = {step.name: place for place, step in enumerate(self.funnel.steps)}
        exclusions = tuple(
            Exclusion(
                self._steps + 1 + place,
                places[rule.from_step],
                places[rule.to_step],
                rule.effect is ExcludeEffect.REMOVE,
            )
            for place, rule in enumerate(self.funnel.exclude)
        )
        window = self.funnel.window
        return MatchSpec(
            steps=self._steps,
            window=None if window is None else window_seconds(window) * 1_000_000,
            order=self.funnel.order,
            first=self.funnel.entry is FunnelEntry.FIRST,
            periods=self.grain is not None,
            codes=codes is not None,
            largest=codes.largest if codes is not None else None,
            times=self.times or bool(self._apart),
            passive=self._passive_bit,
            exclusions=exclusions,
            since=self._since(),
            until=self._until(),
            longs=self._longs,
            held=self._mixes_held,
            events=sum(self._scope(dataset).own.rows for dataset in self._datasets()),
        )

    def _since(self) -> datetime:
        """An instant that no event is earlier than."""
        if self.start is not None:
            return self.start
        firsts = [self._of(dataset).time.bounds.first for dataset in self._datasets()]
        return min(datetime(day.year, day.month, day.day) for day in firsts) - timedelta(days=2)

    def _until(self) -> datetime:
        """An instant that no event is later than."""
        lasts = [self._of(dataset).time.bounds.last for dataset in self._datasets()]
        return max(datetime.combine(day, datetime.max.time()) for day in lasts) + timedelta(days=1)

    def _chosen(self, found: Plan) -> Plan:
        """The chosen of the attempts that one entity has on different days, or with different held values: by the rule
        of the kernel (engine/funnel.py); when only the first event opens one, the attempt that starts first.
        """
        first, *later = (f"t{step + 1}" for step in range(self._steps))
        opens_once = self.funnel.entry is FunnelEntry.FIRST
        furthest, earliest = _absolute(_DEPTH), _less(first)
        rank = (earliest, furthest) if opens_once else (furthest, earliest)
        best = Row((*rank, Col(_DEPTH), *map(_less, (_CODE, *later)), Col(_PERIOD)))
        keys = (_ENTITY, _PERIOD) if self.grain is not None and not opens_once else (_ENTITY,)
        chosen = Aggregate(found, tuple((name, Col(name)) for name in keys), ((BEST, Agg(Fold.MAX, best)),))
        named: list[tuple[str, Expr]] = [(name, Col(name)) for name in keys]
        named.append((first, _negative(Item(Col(BEST), rank.index(earliest)))))
        named.append((_DEPTH, Item(Col(BEST), len(rank))))
        named += [
            (name, _negative(Item(Col(BEST), place))) for place, name in enumerate((_CODE, *later), len(rank) + 1)
        ]
        if _PERIOD not in keys:
            named.append((_PERIOD, Item(Col(BEST), len(best.parts) - 1)))
        return Project(chosen, tuple(named))


def _absolute(name: str) -> Expr:
    return Case(((Binary(BinaryOp.LT, Col(name), ZERO), _less(name)),), Col(name))


def _less(name: str) -> Expr:
    """What is larger the smaller a column is."""
    return _negative(Col(name))


def _negative(part: Expr) -> Expr:
    return Binary(BinaryOp.SUBTRACT, ZERO, part)
