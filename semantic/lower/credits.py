"""Credits: each conversion with the touches that get its credit (semantics.md §3).

    placed    conversions and touches as one table ─▶ windows over each entity's lookback: when its first and its last
              touch were, how many there are ─▶ the conversions
    one       placed, with the one touch of that instant (touches that tie are few: they are looked up afterwards)
    each      placed, with every touch of its lookback

A conversion without a touch is there once, with nulls in place of the touch: no revenue is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from semantic.lower.cohort_events import ENTITY, Events, Named
from semantic.lower.step_events import window_seconds
from semantic.lower.touches import TOUCH_AT, TOUCH_DIRECT, TOUCHER, Touches, text_or_own
from semantic.model.facts import Kind
from semantic.model.sequence import AttributionDefinition
from semantic.plan.build import conjunction
from semantic.plan.expr import (
    NULL,
    All,
    Binary,
    Case,
    Cast,
    Col,
    Const,
    Expr,
    IsNotTrue,
    IsNull,
    Item,
    Lately,
    Micros,
    Param,
    Row,
)
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project, Union
from semantic.plan.operators import BinaryOp, Order, Running
from semantic.plan.walk import columns

AT, COUNT, DECAY = "at#", "touches#", "decay#"
"""When a conversion was; how many touches it has; the sum of what they are worth as they fade."""
_TOUCHED, _RANK, _EARNS, _BEST, _WHO, _WHEN = "touched#", "ranked_at#", "earns#", "best#", "who#", "when#"
_EARNED = 1 << 61
"""Added to the instant of a touch that is not direct: the largest is the last such touch, else the last direct one."""
HALF_LIFE = 7 * 86_400 * 1_000_000
"""Microseconds in which a touch loses half of its worth."""


class Pick(StrEnum):
    """Which touches of a conversion's lookback: one of them, every one, or (of conversions that have none) none."""

    FIRST = "first"
    LAST = "last"
    PREFERRED = "preferred"
    EACH = "each"
    NONE = "none"


@dataclass(frozen=True)
class Credits:
    """`conditions`: which rows are conversions. `values`: named expressions of each. `fades`: EACH needs DECAY."""

    touches: Touches
    conversions: Events
    conditions: tuple[Expr, ...]
    values: Named
    picks: tuple[Pick, ...]
    fades: bool

    def of(self, pick: Pick) -> Plan:
        """Conversions with the touches of a pick. Columns: `at#`, `touches#` where it is known, the values, `touch_at#`
        and what is asked of touches; EACH: `decay#` too, when it fades.
        """
        match pick:
            case Pick.EACH:
                return self._each()
            case Pick.NONE:
                nothing = Filter(self._placed, Binary(BinaryOp.EQ, Col(COUNT), Const(0)))
                return self._with(nothing, ((TOUCH_AT, NULL), *((name, NULL) for name, _ in self.touches.asked())))
            case Pick.FIRST | Pick.LAST | Pick.PREFERRED:
                return self._one(pick)

    def conversion_rows(self, named: Named) -> Plan:
        """The conversions alone."""
        where = conjunction(list(self.conditions))
        exprs = [expr for _, expr in named]
        rows = self.conversions.scope.relation(columns([*exprs, where] if where is not None else exprs))
        return Project(rows if where is None else Filter(rows, where), named)

    @property
    def at(self) -> Expr:
        """When a conversion is, in microseconds since 1970."""
        return Micros(self.conversions.time.instant)

    # conversions, and what their lookback holds

    @cached_property
    def _placed(self) -> Plan:
        """The conversions, with when each single pick was, and how many touches there are where that matters."""
        kept: Named = tuple((name, Col(name)) for name in (ENTITY, AT, *(name for name, _ in self.values)))
        every = Project(self._timeline(), (*kept, (_TOUCHED, Col(_TOUCHED)), *self._windows()))
        count: Named = ((COUNT, Col(COUNT)),) if self._counts else ()
        whens = tuple((_when(pick), self._found_at(pick)) for pick in self._single)
        return Project(Filter(every, IsNull(Col(_TOUCHED))), (*kept, *whens, *count))

    @property
    def _single(self) -> tuple[Pick, ...]:
        return tuple(pick for pick in self.picks if pick not in (Pick.EACH, Pick.NONE))

    @property
    def _counts(self) -> bool:
        return len(self._single) < len(self.picks)

    @property
    def _knows_direct(self) -> bool:
        return Pick.PREFERRED in self.picks and self.touches.is_direct is not None

    def _timeline(self) -> Plan:
        """Conversions and touches as rows of one table."""
        who = text_or_own(self.conversions.who, self.touches.mixed)
        converted = [(ENTITY, who), (AT, self.at), (_TOUCHED, NULL), *self.values]
        at = Col(TOUCH_AT)
        touched: list[tuple[str, Expr]] = [(ENTITY, Col(TOUCHER)), (AT, at), (_TOUCHED, at)]
        touched += [(name, NULL) for name, _ in self.values]
        direct: Named = ()
        if self._knows_direct and self.touches.is_direct is not None:
            direct = ((TOUCH_DIRECT, self.touches.is_direct),)
            converted.append((_RANK, NULL))
            touched.append((_RANK, Case(((Col(TOUCH_DIRECT), at),), Binary(BinaryOp.ADD, at, Const(_EARNED)))))
        touches = Project(self.touches.plan(direct), tuple(touched))
        return Union((self.conversion_rows(tuple(converted)), touches))

    def _windows(self) -> Named:
        found = [(_when(pick), Running.MIN if pick is Pick.FIRST else Running.MAX, pick) for pick in self._single]
        windows = [(name, fold, _RANK if self._by_rank(pick) else _TOUCHED) for name, fold, pick in found]
        if self._counts:
            windows.append((COUNT, Running.COUNT, _TOUCHED))
        order, lookback = Order((AT,), (ENTITY,)), reach(self.touches.definition)
        return tuple((name, Lately(fold, Col(part), order, lookback)) for name, fold, part in windows)

    def _by_rank(self, pick: Pick) -> bool:
        return pick is Pick.PREFERRED and self._knows_direct

    def _found_at(self, pick: Pick) -> Expr:
        """When the touch of a pick was."""
        found = Col(_when(pick))
        if not self._by_rank(pick):
            return found
        earned = Binary(BinaryOp.GTE, found, Const(_EARNED // 2))
        return Case(((earned, Binary(BinaryOp.SUBTRACT, found, Const(_EARNED))),), found)

    # conversions with their touches

    def _with(self, plan: Plan, touch: Named) -> Plan:
        names = [AT, *([COUNT] if self._counts else []), *(name for name, _ in self.values)]
        return Project(plan, (*((name, Col(name)) for name in names), *touch))

    def _one(self, pick: Pick) -> Plan:
        asked = self.touches.asked()
        when = Col(_when(pick))
        if not asked:
            return self._with(self._placed, ((TOUCH_AT, when),))
        order = self._order(pick)
        same = ((ENTITY, TOUCHER), (_when(pick), TOUCH_AT))
        joined = Join(self._placed, self._best(pick, (*order, *asked)), JoinKind.LEFT, same)
        items = tuple((name, Item(Col(_BEST), len(order) + place)) for place, (name, _) in enumerate(asked))
        return self._with(joined, ((TOUCH_AT, when), *items))

    def _order(self, pick: Pick) -> Named:
        """What touches of one instant are ordered by: where others are preferred to those that are direct, by that."""
        direct = self.touches.is_direct
        earned = ((_EARNS, IsNotTrue(direct)),) if direct is not None and self._by_rank(pick) else ()
        return (*earned, *self.touches.order())

    def _best(self, pick: Pick, parts: Named) -> Plan:
        """For each entity and instant of a pick: the touch that is first, or last, in the order of touches."""
        wanted = ((_WHO, Col(ENTITY)), (_WHEN, Col(_when(pick))))
        known = Filter(self._placed, IsNotTrue(IsNull(Col(_when(pick)))))
        on = ((TOUCHER, _WHO), (TOUCH_AT, _WHEN))
        met = Join(self.touches.plan(parts), Aggregate(known, wanted, ()), JoinKind.INNER, on)
        row = Row(tuple(Col(name) for name, _ in parts))
        best = Agg(Fold.MIN if pick is Pick.FIRST else Fold.MAX, row)
        return Aggregate(met, tuple((name, Col(name)) for name, _ in on), ((_BEST, best),))

    def _each(self) -> Plan:
        asked = self.touches.asked()
        placed = Join(self._placed, self._fading(), JoinKind.INNER, _FADING) if self.fades else self._placed
        pairs = before(self.touches.definition, placed, self.touches.plan(asked))
        named = [(name, Col(name)) for name in (TOUCH_AT, *((DECAY,) if self.fades else ()))]
        return self._with(pairs, (*named, *((name, Col(name)) for name, _ in asked)))

    def _fading(self) -> Plan:
        """For each entity and instant of a conversion: the sum of what its touches are worth."""
        keys = ((ENTITY, Col(ENTITY)), (AT, Col(AT)))
        pairs = before(self.touches.definition, Aggregate(self._placed, keys, ()), self.touches.plan())
        names = tuple((f"fading_{name}", expr) for name, expr in keys)
        return Aggregate(pairs, names, ((DECAY, Agg(Fold.SUM, worth())),))


_FADING = tuple((name, f"fading_{name}") for name in (ENTITY, AT))


def reach(definition: AttributionDefinition) -> int:
    """The lookback in microseconds."""
    return window_seconds(definition.lookback) * 1_000_000


def before(definition: AttributionDefinition, conversions: Plan, touches: Plan) -> Plan:
    """Each conversion (or instant of conversions) with each touch of its lookback."""
    until = Binary(BinaryOp.LTE, Col(TOUCH_AT), Col(AT))
    since = Binary(BinaryOp.LTE, Binary(BinaryOp.SUBTRACT, Col(AT), Col(TOUCH_AT)), Const(reach(definition)))
    return Filter(Join(conversions, touches, JoinKind.INNER, ((ENTITY, TOUCHER),)), All((until, since)))


def worth() -> Expr:
    """What a touch is worth at its conversion, before credits are made to sum to one."""
    age = Cast(Binary(BinaryOp.SUBTRACT, Col(AT), Col(TOUCH_AT)), Kind.FLOAT)
    lives = Binary(BinaryOp.MULTIPLY, age, Param(1 / HALF_LIFE, Kind.FLOAT))
    return Binary(BinaryOp.POWER, Param(0.5, Kind.FLOAT), lives)


def _when(pick: Pick) -> str:
    """When the one touch of a pick was."""
    return f"{pick}_at#"
