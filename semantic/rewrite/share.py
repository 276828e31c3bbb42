"""Share: plans that are asked for at once → groups of plans that compute what they have in common only once.

It comes after every other pass: rows a viewer may not see are filtered out in each plan, so that plans only share where
these filters are equal, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from semantic.model.facts import Kind
from semantic.plan.expr import ZERO, Cast, Coalesce, Col, Expr
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Join, JoinKind, Match, Plan, Project
from semantic.plan.walk import rewrite
from semantic.rewrite.common import Common, commons
from semantic.rewrite.merge import merged


@dataclass(frozen=True, slots=True)
class Group:
    """Plans that belong into one statement. `places`: of the plans they were given as. A node of several plans is the
    same object in all.
    """

    places: tuple[int, ...]
    plans: tuple[Plan, ...]


def share(plans: Sequence[Plan]) -> tuple[Group, ...]:
    """Every plan once; a plan that shares nothing is as it was, alone. Outputs and rows are those of the plans."""
    if len(plans) < 2:
        return tuple(Group((place,), (plan,)) for place, plan in enumerate(plans))
    found = commons(plans)
    makers = _Makers(tuple(dict.fromkeys(found.values())))
    circles = _Circles(len(plans))
    for common in makers.known:
        circles.join([*common.users, *(place for source in makers.sources(common) for place in source.users)])

    def change(node: Plan) -> Plan:
        common = found.get(id(node))
        return makers.read(common, node) if common and isinstance(node, Aggregate) and makers.shares(common) else node

    changed = [rewrite(plan, change) for plan in plans]
    unified = _unified(changed, circles)
    return tuple(
        Group(places, tuple(unified[place] if len(places) > 1 else plans[place] for place in places))
        for places in circles.all()
    )


def _unified(plans: Sequence[Plan], circles: _Circles) -> list[Plan]:
    """The same plans, with equal aggregates and matches being one object."""
    known: dict[Plan, tuple[Plan, int]] = {}

    def only(place: int, node: Plan) -> Plan:
        if not isinstance(node, Aggregate | Match):
            return node
        first, owner = known.setdefault(node, (node, place))
        circles.join([owner, place])
        return first

    return [rewrite(plan, partial(only, place)) for place, plan in enumerate(plans)]


class _Circles:
    """Which plans have something in common, however far around."""

    def __init__(self, count: int) -> None:
        self._of = list(range(count))

    def join(self, places: Sequence[int]) -> None:
        """These have."""
        circles = {self._of[place] for place in places}
        self._of = [min(circles) if circle in circles else circle for circle in self._of]

    def all(self) -> tuple[tuple[int, ...], ...]:
        """Every circle, its places in order."""
        found: dict[int, list[int]] = {}
        for place, circle in enumerate(self._of):
            found.setdefault(circle, []).append(place)
        return tuple(tuple(places) for places in found.values())


@dataclass(slots=True, eq=False)
class _Makers:
    """Plans of common aggregates, each made once."""

    known: tuple[Common, ...]
    _sources: dict[Common, dict[Agg, Common]] = field(default_factory=dict)
    _made: dict[Common, Plan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for common in self.known:
            self._sources[common] = self._finer(common)

    def _finer(self, common: Common) -> dict[Agg, Common]:
        """From which other aggregate each fold can be made: with keys, all of one or none."""
        keys = frozenset(common.keys)
        finer = [one for one in self.known if keys < set(one.keys) and merged(common.input, one.input) is not None]
        finer.sort(key=lambda one: len(one.keys))
        found = {agg: one for agg in common.folds for one in reversed(finer) if one.again(agg, keys)}
        if not keys:
            return found
        whole = next((one for one in finer if all(one.again(agg, keys) for agg in common.folds)), None)
        return {} if whole is None else dict.fromkeys(common.folds, whole)

    def sources(self, common: Common) -> tuple[Common, ...]:
        """The aggregates that one is made of."""
        return tuple(dict.fromkeys(self._sources[common].values()))

    def shares(self, common: Common) -> bool:
        """Whether it is of several plans, or made from another or another from it."""
        return (
            len(common.users) > 1
            or bool(self._sources[common])
            or any(common in self.sources(other) for other in self.known)
        )

    def read(self, common: Common, node: Aggregate) -> Plan:
        """What an aggregate gave, read from what it has become part of."""
        keys = tuple((name, Col(common.key(expr))) for name, expr in node.keys)
        folds = tuple((name, Col(common.folds[agg])) for name, agg in node.aggregates)
        return Project(self._plan(common), (*keys, *folds))

    def _plan(self, common: Common) -> Plan:
        if common not in self._made:
            self._made[common] = self._coarser(common) if self._sources[common] else common.node()
        return self._made[common]

    def _coarser(self, common: Common) -> Plan:
        """One plan for each source, and one of the rows for what none of them has: each of one row, where several."""
        sources = self._sources[common]
        parts = [self._folded(common, source) for source in self.sources(common)]
        if rest := tuple((name, agg) for agg, name in common.folds.items() if agg not in sources):
            parts.append(Aggregate(common.input, (), rest))
        plan = parts[0]
        for part in parts[1:]:
            plan = Join(plan, part, JoinKind.CROSS)
        return plan

    def _folded(self, common: Common, source: Common) -> Plan:
        """Everything that comes from one source, folded from its groups."""
        keys = frozenset(common.keys)
        named = [(name, agg) for agg, name in common.folds.items() if self._sources[common].get(agg) is source]
        again = [(name, agg, source.again(agg, keys)) for name, agg in named]
        folds = tuple((name, made) for name, _, made in again if made is not None)
        by = tuple((common.key(expr), Col(source.key(expr))) for expr in common.keys)
        folded = Aggregate(self._plan(source), by, folds)
        values = tuple((name, _whole(name) if agg.fold is Fold.COUNT else Col(name)) for name, agg, _ in again)
        return Project(folded, (*((name, Col(name)) for name, _ in by), *values))


def _whole(name: str) -> Expr:
    """A sum of counts: of none it is 0, and never more than a count can be."""
    return Cast(Coalesce((Col(name), ZERO)), Kind.INTEGER)
