"""Funnels as metrics: how many entities reach each step, by the opening event's dimensions and periods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from semantic.lower.attempts import DEPTH, PERIOD, Attempts
from semantic.lower.leaf import StepLeaf
from semantic.lower.scope import Scope
from semantic.model.facts import Kind
from semantic.plan.expr import Binary, Cast, Col, Const, Expr, Truncate
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Plan
from semantic.plan.operators import BinaryOp
from semantic.query.bound import BoundQuery, DimensionKey, Key, TimeKey
from semantic.query.period import finest
from semantic.time import Grain


def reached(step: int) -> Agg:
    """The attempts that fill a step (from 1)."""
    return Agg(Fold.COUNT, None, Binary(BinaryOp.GTE, Col(DEPTH), Const(step)))


@dataclass(frozen=True, slots=True)
class FunnelReading:
    """Steps of one funnel with one filter, of attempts that open between two instants."""

    bound: BoundQuery
    items: tuple[tuple[StepLeaf, str], ...]
    start: datetime | None
    end: datetime | None

    def by(self, keys: tuple[Key, ...], unit: tuple[str, Grain] | None = None) -> Plan:
        """The steps' entities by the keys; an entity counts once in each period of the finest grain asked for."""
        bound, leaf = self.bound, self.items[0][0]
        grains = [key.grain for key in keys if isinstance(key, TimeKey)] + ([unit[1]] if unit else [])
        grain = finest(grains) if grains else None
        attempts = Attempts(
            view=bound,
            funnel=leaf.funnel,
            start=self.start,
            end=self.end,
            where=tuple(where for where in (bound.where, leaf.where) if where is not None),
            segments=bound.segments,
            dimensions=tuple(key for key in keys if isinstance(key, DimensionKey)),
            grain=grain,
        )
        named = [(unit[0], Col(PERIOD))] if unit else []
        by = (*named, *((key.name, self._key(key, grain)) for key in keys))
        counts = tuple((name, reached(leaf.step)) for leaf, name in self.items)
        return Aggregate(attempts.plan(), by, counts)

    def _key(self, key: Key, grain: Grain | None) -> Expr:
        """A key over the attempts: the period itself, a coarser one that holds it, or a dimension."""
        if isinstance(key, DimensionKey):
            return Col(key.name)
        if key.grain is grain or grain is None:
            return Col(PERIOD)
        bound = self.bound
        dataset = bound.model.datasets[self.items[0][0].funnel.steps[0].dataset]
        scope = Scope(bound.model, bound.facts, dataset, bound.zone, bound.week_start)
        utc = Cast(Col(PERIOD), Kind.TIMESTAMP)
        if key.grain.is_clock:
            return scope.clock_bucket(utc, key.grain, None)
        day: Expr = Cast(scope.to_local(utc, None), Kind.DATE) if grain.is_clock else Col(PERIOD)
        return day if key.grain is Grain.DAY else Truncate(day, key.grain, bound.week_start)
