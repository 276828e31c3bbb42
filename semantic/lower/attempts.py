"""Attempts: a funnel's events, of any datasets, put to the kernel; what comes back, as rows (semantics.md §1).

each dataset's rows ─▶ Filter to events of any step ─▶ Project (entity, time, mask of the steps it matches)
    ─▶ Union ─▶ Match per entity ─▶ chosen attempts, with the opening event's period and dimensions
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from semantic.lower.scope import Scope
from semantic.lower.step_events import StepEvents, window_seconds
from semantic.lower.view import View
from semantic.model.facts import Kind
from semantic.model.sequence import ExcludeEffect, Funnel, FunnelEntry, FunnelOrder
from semantic.plan.expr import ZERO, Binary, Case, Coalesce, Col, Const, Expr, PeriodNumber, PeriodStart, RowNumber
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Match, Plan, Project, Union
from semantic.plan.operators import BinaryOp, Order
from semantic.plan.spec import Exclusion, MatchSpec
from semantic.query.bound import DimensionKey
from semantic.query.query import Condition
from semantic.time import Grain

ENTITY, TIME, MASK, CODE, PERIOD, DEPTH = "entity", "time", "mask", "code", "period", "depth"


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
        """Columns: `entity`, `depth`, t1 …, `period` (a date or an instant, with `grain`), the dimensions."""
        codes = self._codes() if self.dimensions else None
        members = tuple(self._events(dataset, codes) for dataset in self._datasets())
        held = tuple(name for name, _ in self._of(self._datasets()[0]).held)
        found: Plan = Match(members[0] if len(members) == 1 else Union(members), (ENTITY, *held), self._spec())
        if held:
            found = self._best_of_held(found)
        kept = [ENTITY, DEPTH, *(f"t{step + 1}" for step in range(self._steps) if self.times)]
        named: list[tuple[str, Expr]] = [(name, Col(name)) for name in kept]
        if self.grain is not None:
            named.append((PERIOD, PeriodStart(Col(PERIOD), self.grain.is_clock)))
        if codes is not None:
            found = Join(found, codes, JoinKind.INNER, ((CODE, _coded(CODE)),))
            named += [(key.name, Col(_coded(key.name))) for key in self.dimensions]
        return Project(found, tuple(named))

    @property
    def _steps(self) -> int:
        return len(self.funnel.steps)

    def _datasets(self) -> tuple[str, ...]:
        names = [step.dataset for step in self.funnel.steps]
        return tuple(dict.fromkeys([*names, self.funnel.dataset] if self.funnel.exclude else names))

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
        return known and not self.funnel.hold and self.funnel.window is not None

    @property
    def _passive_bit(self) -> int | None:
        strict = self.funnel.order is FunnelOrder.STRICT
        declared = any(self.view.model.datasets[name].passive is not None for name in self._datasets())
        return self._steps + 1 + len(self.funnel.exclude) if strict and declared else None

    def _codes(self) -> Plan:
        """The combinations of dimension values that opening events have, numbered from 1."""
        members = []
        for events in filter(lambda events: events.can_open, map(self._of, self._datasets())):
            keys = tuple((_coded(key.name), events.scope.key(key)) for key in self.dimensions)
            rows = events.rows([events.opens, *(expr for _, expr in keys)])
            members.append(Aggregate(Filter(rows, events.opens), keys, ()))
        found: Plan = members[0]
        if len(members) > 1:
            found = Aggregate(Union(tuple(members)), tuple((name, Col(name)) for name in found.output), ())
        named: list[tuple[str, Expr]] = [(name, Col(name)) for name in found.output]
        return Project(found, (*named, (_coded(CODE), RowNumber(Order(tuple(found.output))))))

    def _events(self, dataset: str, codes: Plan | None) -> Plan:
        """One dataset's events: entity, time, mask, what is held, and period and code of those that may open."""
        events = self._of(dataset)
        named: list[tuple[str, Expr]] = [(ENTITY, events.entity), (TIME, events.time.instant), (MASK, events.mask)]
        if self.grain is not None:
            number = PeriodNumber(events.time.bucket(self.grain), self.grain.is_clock)
            named.append((PERIOD, number if events.can_open else ZERO))
        named += events.held
        coded = codes is not None and events.can_open
        dimensions = [(key.name, events.scope.key(key)) for key in self.dimensions] if coded else []
        every = (*named, *((f"{name}#event", expr) for name, expr in dimensions))
        plan: Plan = Project(events.rows([expr for _, expr in every]), every)
        if codes is None:
            return plan
        code: Expr = ZERO
        if coded:
            pairs = tuple((f"{key.name}#event", _coded(key.name)) for key in self.dimensions)
            plan = Join(plan, codes, JoinKind.LEFT, pairs, null_safe=True)
            code = Coalesce((Col(_coded(CODE)), ZERO))
        kept: list[tuple[str, Expr]] = [(name, Col(name)) for name, _ in named]
        return Project(plan, (*kept, (CODE, code)))

    def _spec(self) -> MatchSpec:
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
            codes=bool(self.dimensions),
            times=self.times or bool(self.funnel.hold) or window is None,
            passive=self._passive_bit,
            exclusions=exclusions,
            since=self._since(),
            longs=self._longs,
        )

    def _since(self) -> datetime:
        """An instant that no event is earlier than."""
        if self.start is not None:
            return self.start
        firsts = [self._of(dataset).time.bounds.first for dataset in self._datasets()]
        return min(datetime(day.year, day.month, day.day) for day in firsts) - timedelta(days=2)

    def _best_of_held(self, found: Plan) -> Plan:
        """The chosen of the attempts that one entity has with different held values: the deepest, then the earliest."""
        rank = Binary(BinaryOp.SUBTRACT, Binary(BinaryOp.MULTIPLY, _absolute(DEPTH), Const(1 << 56)), Col("t1"))
        keys = (ENTITY, PERIOD) if self.grain is not None else (ENTITY,)
        chosen = (*(() if self.grain is not None else (PERIOD,)), CODE, DEPTH)
        times = tuple(f"t{step + 1}" for step in range(self._steps))
        best = tuple((name, Agg(Fold.ARG_MAX, Col(name), by=rank)) for name in (*chosen, *times))
        return Aggregate(found, tuple((name, Col(name)) for name in keys), best)


def _absolute(name: str) -> Expr:
    negative = Binary(BinaryOp.LT, Col(name), ZERO)
    return Case(((negative, Binary(BinaryOp.SUBTRACT, ZERO, Col(name))),), Col(name))


def _coded(name: str) -> str:
    return f"{name}#code"
