"""Aggregates that several plans have in common: found, made one, and one made from another.

Two aggregates of the same rows by the same keys are one that folds everything either does. An aggregate all of whose
folds a finer one of the same rows has already is folded from that one's groups: totals from days, distinct users from a
row for each user. Nothing finer is ever made for this: whether it would be much smaller than the rows is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from semantic.plan.build import is_set
from semantic.plan.expr import Col, Expr, IsNotTrue, IsNull
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Plan
from semantic.plan.walk import nodes
from semantic.rewrite.merge import merged

_AGAIN = {Fold.SUM: Fold.SUM, Fold.COUNT: Fold.SUM, Fold.MIN: Fold.MIN, Fold.MAX: Fold.MAX, Fold.BIT_OR: Fold.BIT_OR}
"""How what was folded is folded once more, by fewer keys."""


@dataclass(slots=True, eq=False)
class Common:
    """An aggregate of one or several plans. `users`: their places. Columns are named when they are first asked for."""

    input: Plan
    keys: tuple[Expr, ...]
    folds: dict[Agg, str] = field(default_factory=dict)
    users: set[int] = field(default_factory=set)

    def takes(self, node: Aggregate, place: int) -> bool:
        """Whether an aggregate is of the same rows by the same keys; if so, it is folded here too."""
        keys = {expr for _, expr in node.keys}
        rows = merged(self.input, node.input) if keys == set(self.keys) else None
        if rows is None:
            return False
        self.input = rows
        for _, agg in node.aggregates:
            self.folds.setdefault(agg, f"fold{len(self.folds)}#")
        self.users.add(place)
        return True

    def key(self, expr: Expr) -> str:
        """The column of a key."""
        return f"key{self.keys.index(expr)}#"

    def node(self) -> Aggregate:
        """The aggregate itself."""
        folds = tuple((name, agg) for agg, name in self.folds.items())
        return Aggregate(self.input, tuple((self.key(expr), expr) for expr in self.keys), folds)

    def again(self, agg: Agg, keys: frozenset[Expr]) -> Agg | None:
        """The same fold by some of the keys, made of this one's groups; None where they don't tell it."""
        if agg.fold is Fold.COUNT_DISTINCT:
            return self._counted(agg, keys)
        name = self.folds.get(agg)
        return Agg(_AGAIN[agg.fold], Col(name)) if name is not None and agg.fold in _AGAIN else None

    def _counted(self, agg: Agg, keys: frozenset[Expr]) -> Agg | None:
        """A distinct count, where there is one group for each of the values, and each tells whether it counts."""
        if agg.arg is None or agg.arg not in self.keys or keys | {agg.arg} != set(self.keys):
            return None
        counted = Agg(Fold.COUNT, Col(self.key(agg.arg)))
        if agg.where is None:
            return counted
        marks = (name for one, name in self.folds.items() if one.where == agg.where and _is_mark(one))
        return next((replace(counted, where=IsNotTrue(IsNull(Col(name)))) for name in marks), None)


def commons(plans: Sequence[Plan]) -> dict[int, Common]:
    """What each aggregate of rows (by its id) has become part of."""
    found: dict[int, Common] = {}
    known: list[Common] = []
    for place, plan in enumerate(plans):
        for node in nodes(plan):
            if isinstance(node, Aggregate) and id(node) not in found and not _aggregates(node.input):
                found[id(node)] = next((one for one in known if one.takes(node, place)), None) or _new(
                    node, place, known
                )
    return found


def _new(node: Aggregate, place: int, known: list[Common]) -> Common:
    common = Common(node.input, tuple(dict.fromkeys(expr for _, expr in node.keys)))
    assert common.takes(node, place), "an aggregate is of its own rows"
    known.append(common)
    return common


def _is_mark(agg: Agg) -> bool:
    """Whether it is null only of groups without a row that it folds."""
    return agg.fold is Fold.BIT_OR and agg.arg is not None and is_set(agg.arg)


def _aggregates(plan: Plan) -> bool:
    return any(isinstance(node, Aggregate) for node in nodes(plan))
