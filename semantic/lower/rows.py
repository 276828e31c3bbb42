"""The rows a group of leaves reads: one dataset between two instants, filtered as the query and its leaves say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from semantic.lower.filter import condition
from semantic.lower.leaf import MetricLeaf
from semantic.lower.scope import Scope, Time
from semantic.model.facts import Bounds, Kind
from semantic.model.metric import Aggregation, Simple
from semantic.model.reach import TimeColumn
from semantic.plan.build import conjunction, disjunction
from semantic.plan.expr import Cast, Expr
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Plan, Project
from semantic.plan.walk import columns
from semantic.query.bound import BoundQuery, Key, TimeKey
from semantic.time import Grain

Named = tuple[tuple[str, Expr], ...]

_FOLDS = {
    Aggregation.SUM: Fold.SUM,
    Aggregation.COUNT: Fold.COUNT,
    Aggregation.COUNT_DISTINCT: Fold.COUNT_DISTINCT,
    Aggregation.AVG: Fold.AVG,
    Aggregation.MIN: Fold.MIN,
    Aggregation.MAX: Fold.MAX,
    Aggregation.MEDIAN: Fold.PERCENTILE,
    Aggregation.PERCENTILE: Fold.PERCENTILE,
}


@dataclass(frozen=True, slots=True)
class Rows:
    """`items`: the leaves with their columns. `time`: the time column, when the query needs one and has one. `start`,
    `end`: naive UTC, the end excluded; None: unbounded.
    """

    bound: BoundQuery
    scope: Scope
    items: tuple[tuple[MetricLeaf, str], ...]
    time: TimeColumn | None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def when(self) -> Time:
        """The time column, knowing what part of it is read (so that local time needs few cases)."""
        assert self.time is not None
        return self.scope.time(self.time.name, self._bounds(self.time), self.time.path)

    def _bounds(self, time: TimeColumn) -> Bounds | None:
        found = self.scope.facts.datasets[time.dataset].bounds.get(time.name)
        if found is None or not (isinstance(found.first, datetime) and isinstance(found.last, datetime)):
            return found
        first = max(found.first, self.start) if self.start else found.first
        last = min(found.last, self.end) if self.end else found.last
        return Bounds(first, max(first, last))

    def key(self, key: Key) -> Expr:
        """The values rows are split by."""
        return self.when.bucket(key.grain) if isinstance(key, TimeKey) else self.scope.key(key)

    def by(self, keys: tuple[Key, ...], unit: tuple[str, Grain] | None = None) -> Plan:
        """Every leaf by the keys; with `unit`, by the periods of its grain too, in the column it names."""
        named = () if unit is None else ((unit[0], self.bucket(unit[1])),)
        return self.aggregate((*named, *((key.name, self.key(key)) for key in keys)))

    def bucket(self, grain: Grain) -> Expr:
        """The period of `grain` a row lies in."""
        return self.when.bucket(grain)

    def aggregate(self, keys: Named) -> Plan:
        """Every leaf over the rows, by the keys."""
        return self.fold(keys, tuple((name, self.agg(leaf)) for leaf, name in self.items))

    def fold(self, keys: Named, aggregates: tuple[tuple[str, Agg], ...]) -> Plan:
        """Aggregates of the rows, by the keys."""
        used = [expr for _, expr in keys]
        used += [expr for _, agg in aggregates for expr in (agg.arg, agg.where) if expr is not None]
        return Aggregate(self._filtered(used), keys, aggregates)

    def project(self, named: Named) -> Plan:
        """Named expressions of each row."""
        return Project(self._filtered([expr for _, expr in named]), named)

    def agg(self, leaf: MetricLeaf) -> Agg:
        """The aggregate of one leaf over these rows."""
        metric = leaf.metric
        return Agg(_FOLDS[metric.agg], self.argument(metric), self.own_where(leaf), percentile(metric))

    def own_where(self, leaf: MetricLeaf) -> Expr | None:
        """What only one leaf of several filters by; None when all have the same filter, which then filters the rows."""
        return None if self._shared() else self.leaf_where(leaf)

    def argument(self, metric: Simple) -> Expr | None:
        """What a metric aggregates, or None for rows."""
        if metric.expr is None:
            return None
        expr = self.scope.authored(metric.expr)
        if metric.agg in (Aggregation.MIN, Aggregation.MAX):
            return self.scope.instant(expr, metric.expr)
        return Cast(expr, Kind.FLOAT) if _FOLDS[metric.agg] is Fold.PERCENTILE else expr

    def leaf_where(self, leaf: MetricLeaf) -> Expr | None:
        """The metric's own filter and the field's."""
        found: list[Expr] = []
        if leaf.metric.where is not None:
            found.append(self.scope.authored(leaf.metric.where))
        if leaf.where is not None:
            found.append(condition(self.scope, leaf.where))
        return conjunction(found)

    def _shared(self) -> bool:
        """True when all leaves have the same filter, which then filters the rows themselves."""
        first, *others = ((leaf.metric.where, leaf.where) for leaf, _ in self.items)
        return all(other == first for other in others)

    def _filtered(self, used: list[Expr]) -> Plan:
        where = conjunction(list(self._conditions()))
        needed = columns([*used, where] if where is not None else used)
        relation = self.scope.relation(needed)
        return relation if where is None else Filter(relation, where)

    def _conditions(self) -> Iterator[Expr]:
        if self.start is not None and self.time is not None:
            yield self.when.since(self.start)
        if self.end is not None and self.time is not None:
            yield self.when.before(self.end)
        if self.bound.where is not None:
            yield condition(self.scope, self.bound.where)
        for segment in self.scope.dataset.segments:
            if segment.name in self.bound.segments:
                yield self.scope.authored(segment.where)
        wheres = [self.leaf_where(leaf) for leaf, _ in self.items]
        known = tuple(dict.fromkeys(where for where in wheres if where is not None))
        if None not in wheres and known:  # a row that no leaf reads makes no group
            yield disjunction(known)


def percentile(metric: Simple) -> float | None:
    """The share a percentile metric asks for; a median's is one half."""
    return 0.5 if metric.agg is Aggregation.MEDIAN else metric.p
