"""Withhold: groups of too few entities, and what would tell them by subtraction, are left out of an answer.

A group is withheld as a whole, because its numbers may tell each other. Where any is, so is for each number the
smallest group that would have been shown: what is missing from a total is then of at least two groups, and of enough
entities.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from semantic.errors import Code, QueryError
from semantic.lower.guards import Guard, Told, guards, overlap, told
from semantic.lower.leaf import Leaves
from semantic.model.reads import metrics_inside
from semantic.plan.expr import NULL, ZERO, All, AnyOf, Binary, Case, Cast, Coalesce, Col, Const, Expr, IsNotTrue, IsNull
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project
from semantic.plan.operators import BinaryOp
from semantic.plan.walk import columns
from semantic.query.access import LeastGroups
from semantic.query.bound import BoundMetric, BoundQuery, Frame
from semantic.query.query import Condition

SMALL = "small#"
ANY_SMALL = "any_small#"


@dataclass(frozen=True, slots=True)
class Withholding:
    """What has to be withheld in one query. `told`: the rows that its protected numbers are of."""

    bound: BoundQuery
    guards: tuple[Guard, ...]
    told: frozenset[Told] = frozenset()

    def rows(self, plan: Plan) -> Plan:
        """Of rows of keys and leaves, those that may be shown; of those with numbers that are not protected, these."""
        keys = [key.name for key in self.bound.keys]
        if not self.guards or not keys:
            return plan
        counts = tuple(dict.fromkeys(guard.column for guard in self.guards))
        groups, withheld = judged(plan, counts, self._is_small())
        protected = {name for guard in self.guards for name in (guard.of, guard.column, guard.rows)}
        shown = tuple(
            (name, Case(((withheld, NULL),), Col(name)) if name in protected else Col(name)) for name in plan.output
        )
        found = Project(groups, shown)
        return Filter(found, AnyOf(tuple(self._reasons(plan, keys, protected))))

    def _reasons(self, plan: Plan, keys: Iterable[str], protected: set[str]) -> Iterable[Expr]:
        """Why a row is there: enough entities, or a number that is not protected."""
        for guard in self.guards:
            yield _enough(guard)
        for name in plan.output:
            if name not in keys and name not in protected:
                yield IsNotTrue(IsNull(Col(name)))

    def _is_small(self) -> Expr:
        """Whether there is a number of too few, also of nobody who is known: a total would tell it."""
        small = [
            All((Binary(BinaryOp.GT, _count(one.rows), ZERO), Binary(BinaryOp.LT, _count(one.column), _least(one))))
            for one in self.guards
        ]
        return AnyOf(tuple(small))

    def value(self, metric: BoundMetric, value: Expr) -> Expr:
        """The value of a field, null where any number it is computed from is of too few."""
        read = set(columns([value]))
        needed = tuple(_enough(guard) for guard in self.guards if guard.of in read)
        return Case(((All(needed), value),), Cast(NULL, metric.kind)) if needed else value


def judged(plan: Plan, counts: Sequence[str], small: Expr) -> tuple[Plan, Expr]:
    """Groups beside what decides which of them are withheld, and whether one is: for being `small`, or, where any is,
    for being the smallest of those shown by any of the columns `counts`.
    """
    marked = Project(plan, (*_same(plan.output), (SMALL, Case(((small, Const(1)),), ZERO))))
    smallest = [(f"least#{place}", _shown(name)) for place, name in enumerate(counts)]
    whole = Aggregate(marked, (), ((ANY_SMALL, Agg(Fold.MAX, Col(SMALL))), *smallest))
    told = [
        All((Binary(BinaryOp.EQ, Col(ANY_SMALL), Const(1)), Binary(BinaryOp.EQ, Col(name), Col(column))))
        for (column, _), name in zip(smallest, counts, strict=True)
    ]
    return Join(marked, whole, JoinKind.CROSS), AnyOf((Binary(BinaryOp.EQ, Col(SMALL), Const(1)), *told))


def withholding(
    bound: BoundQuery, leaves: Leaves, values: Mapping[str, Expr], least: LeastGroups | None
) -> Withholding:
    """What has to be withheld from a viewer; the leaves it needs are added. FORBIDDEN when it can't be told."""
    if not least:
        return Withholding(bound, ())
    by_leaf: dict[str, int] = {}
    for metric in bound.metrics:
        own = max((least.metrics.get(name, 0) for name in metrics_inside(bound.model, metric.metric)), default=0)
        if own:
            by_leaf |= {name: max(own, by_leaf.get(name, 0)) for name in columns([values[metric.key]])}
    found = guards(bound.model, leaves, least, by_leaf)
    if not found:
        return Withholding(bound, ())
    protected = {guard.of for guard in found}
    of = {name: leaf for leaf, name in leaves.items() if name in protected}
    rows = {name: frozenset(told(bound.model, leaf)) for name, leaf in of.items()}
    for metric in bound.metrics:
        if overlap(one for name in columns([values[metric.key]]) for one in rows.get(name, ())):
            raise _overlapping(
                f'"{metric.metric.name}" is computed from metrics of different rows: ask for each of those '
                "in a request of its own."
            )
    every = frozenset(one for found in rows.values() for one in found)
    if overlap(every):
        raise _overlapping("Ask for metrics with different filters or times of their own in a request each.")
    _check_frames(bound, {(leaf.frame, leaf.where) for leaf in of.values()})
    return Withholding(bound, found, every)


def _check_frames(bound: BoundQuery, of: set[tuple[Frame, Condition | None]]) -> None:
    """Windows and filters that a question adds: those of rows that overlap are refused."""
    overlapping = any(frame.window or frame.to_date for frame, _ in of) and bound.time_keys
    if len(of) > 1 or overlapping:
        raise _overlapping("Ask without windows, and with one filter and one offset for all metrics.")


def _overlapping(suggestion: str) -> QueryError:
    """The refusal of numbers of rows that overlap: they tell each other's difference, however large both are."""
    message = "Numbers of overlapping rows would tell you of groups that are too small for you to see."
    return QueryError(Code.FORBIDDEN, message, suggestion)


def _same(names: Iterable[str]) -> tuple[tuple[str, Expr], ...]:
    return tuple((name, Col(name)) for name in names)


def _count(column: str) -> Expr:
    return Coalesce((Col(column), ZERO))


def _least(guard: Guard) -> Expr:
    return Const(guard.least)


def _enough(guard: Guard) -> Expr:
    return Binary(BinaryOp.GTE, _count(guard.column), _least(guard))


def _shown(column: str) -> Agg:
    """The smallest number of entities of any group that would be shown."""
    shown = (Binary(BinaryOp.EQ, Col(SMALL), ZERO), Binary(BinaryOp.GT, _count(column), ZERO))
    return Agg(Fold.MIN, Col(column), All(shown))
