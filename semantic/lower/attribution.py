"""Attribution metrics: the credit that conversions give to their touches, by the touches' dimensions and by time.

A model is which touches of a lookback get a share (a pick), and how large it is. Several models and values of one
attribution share their conversions, touches and picks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from semantic.lower.cohort_events import Events
from semantic.lower.credits import AT, COUNT, DECAY, Credits, Pick, worth
from semantic.lower.filter import passes_unset
from semantic.lower.leaf import CreditLeaf
from semantic.lower.step_events import window_seconds
from semantic.lower.touches import KEPT, TOUCH_AT, Touches, moved
from semantic.model.expression import Expression
from semantic.model.facts import Bounds, Kind
from semantic.model.sequence import AttributionModel, CreditTime
from semantic.plan.build import conjunction, divide
from semantic.plan.expr import NULL, Binary, Case, Cast, Coalesce, Col, Const, Expr, Instant, Param
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Plan, Project, Union
from semantic.plan.operators import BinaryOp
from semantic.query.bound import BoundQuery, DimensionKey, Key, TimeKey
from semantic.time import Grain

_WHEN = "when#"

Share = Expr | None
"""A part of a conversion's value; None: all of it."""


def _fraction(value: float) -> Expr:
    return Param(value, Kind.FLOAT)


def _middle() -> Expr:
    """What each touch gets by position beside the first and the last, which share what is left: 0.2 over n - 2."""
    others = Binary(BinaryOp.SUBTRACT, Col(COUNT), Const(2))
    return Case(((Binary(BinaryOp.GT, Col(COUNT), Const(2)), divide(_fraction(0.2), others)),), _fraction(0.0))


def _end() -> Expr:
    """What the first touch gets beside that, and the last: 0.4 in all; half of everything when there is no other."""
    least = Case(((Binary(BinaryOp.GT, Col(COUNT), Const(2)), _fraction(0.4)),), _fraction(0.5))
    return Binary(BinaryOp.SUBTRACT, least, _middle())


_SHARES: Mapping[AttributionModel, Mapping[Pick, Share]] = {
    AttributionModel.LAST_NON_DIRECT: {Pick.PREFERRED: None},
    AttributionModel.FIRST: {Pick.FIRST: None},
    AttributionModel.LAST: {Pick.LAST: None},
    AttributionModel.LINEAR: {Pick.EACH: divide(Const(1), Col(COUNT)), Pick.NONE: None},
    AttributionModel.POSITION: {Pick.EACH: _middle(), Pick.FIRST: _end(), Pick.LAST: _end()},
    AttributionModel.TIME_DECAY: {Pick.EACH: divide(worth(), Col(DECAY)), Pick.NONE: None},
}


@dataclass(frozen=True, slots=True)
class CreditReading:
    """Credits of one attribution with one filter, of conversions (or touches, where those say when) between two
    instants.
    """

    bound: BoundQuery
    items: tuple[tuple[CreditLeaf, str], ...]
    start: datetime | None
    end: datetime | None

    def by(self, keys: tuple[Key, ...], unit: tuple[str, Grain] | None = None) -> Plan:
        """The credits by the keys."""
        credit = self._credits(tuple(key for key in keys if isinstance(key, DimensionKey)))
        grains = [*([unit] if unit else []), *((key.name, key.grain) for key in keys if isinstance(key, TimeKey))]
        times = {name: self._period(grain) for name, grain in grains}
        named = (*([unit[0]] if unit else []), *(key.name for key in keys))
        rows = self._rows(credit, bool(times))
        sums = tuple((name, Agg(Fold.SUM, Col(name))) for _, name in self.items)
        return Aggregate(rows, tuple((name, times.get(name, Col(name))) for name in named), sums)

    @property
    def _by_touch(self) -> bool:
        return self.items[0][0].time is CreditTime.TOUCH

    def _credits(self, dimensions: tuple[DimensionKey, ...]) -> Credits:
        bound, leaf = self.bound, self.items[0][0]
        reach = timedelta(seconds=window_seconds(leaf.definition.lookback))
        end = moved(self.end, reach + timedelta(microseconds=1)) if self._by_touch else self.end
        touches = Touches(
            view=bound,
            definition=leaf.definition,
            dimensions=dimensions,
            where=tuple(where for where in (bound.where, leaf.where) if where is not None),
            segments=bound.segments,
            start=moved(self.start, -reach),
            end=end,
        )
        conversions = Events(bound, leaf.definition.conversion, leaf.definition.entity)
        picks = dict.fromkeys(pick for model in self._models() for pick in _SHARES[model])
        return Credits(
            touches=touches,
            conversions=conversions,
            conditions=tuple(conversions.conditions(self.start, end)),
            values=tuple((name, _of(conversions, value)) for value, name in self._values().items()),
            picks=tuple(picks),
            fades=AttributionModel.TIME_DECAY in self._models(),
        )

    def _models(self) -> tuple[AttributionModel, ...]:
        return tuple(dict.fromkeys(leaf.model for leaf, _ in self.items))

    def _values(self) -> dict[Expression | None, str]:
        """The column of each different value."""
        values = dict.fromkeys(leaf.value for leaf, _ in self.items)
        return {value: f"value{place}#" for place, value in enumerate(values)}

    def _rows(self, credit: Credits, timed: bool) -> Plan:
        """A row for each credit. Columns: the dimensions, when it is (where that matters), the leaves'."""
        touches = credit.touches
        if not touches.dimensions and not touches.is_filtered and not self._by_touch:
            return self._unsplit(credit, timed)
        members = tuple(self._member(credit, pick, timed) for pick in credit.picks)
        return members[0] if len(members) == 1 else Union(members)

    def _unsplit(self, credit: Credits, timed: bool) -> Plan:
        """Whatever the model: all credit of a conversion, which nothing splits."""
        values, columns = dict(credit.values), self._values()
        named = [(name, values[columns[leaf.value]]) for leaf, name in self.items]
        return credit.conversion_rows((*(((_WHEN, credit.at),) if timed else ()), *named))

    def _member(self, credit: Credits, pick: Pick, timed: bool) -> Plan:
        rows = credit.of(pick)
        found: list[Expr] = []
        if credit.touches.is_filtered:
            found.append(Coalesce((Col(KEPT), Const(self._passes_untouched(credit.touches)))))
        when = Coalesce((Col(TOUCH_AT), Col(AT))) if self._by_touch else Col(AT)
        if self._by_touch:
            found += _between(when, self.start, self.end)
        where = conjunction(found)
        named: list[tuple[str, Expr]] = [(key.name, Col(key.name)) for key in credit.touches.dimensions]
        if timed:
            named.append((_WHEN, when))
        named += [(name, self._share(leaf, pick)) for leaf, name in self.items]
        return Project(rows if where is None else Filter(rows, where), tuple(named))

    def _passes_untouched(self, touches: Touches) -> bool:
        """Whether a conversion without a touch passes the filters: nothing of it is set, and it is in no segment."""
        return not touches.segments and all(passes_unset(where) for where in touches.where)

    def _share(self, leaf: CreditLeaf, pick: Pick) -> Expr:
        shares, value = _SHARES[leaf.model], Col(self._values()[leaf.value])
        if pick not in shares:
            return Case(((Const(False), value),), NULL)  # a null of the value's type, which unions of some engines need
        share = shares[pick]
        return value if share is None else Binary(BinaryOp.MULTIPLY, Cast(value, Kind.FLOAT), share)

    def _period(self, grain: Grain) -> Expr:
        """The local period that a credit is in."""
        bound, leaf = self.bound, self.items[0][0]
        scope = Events(bound, leaf.definition.conversion, leaf.definition.entity).scope
        return scope.period(Cast(Instant(Col(_WHEN)), Kind.TIMESTAMP), grain, self._bounds())

    def _bounds(self) -> Bounds | None:
        """Between which instants credits lie, with a day to spare for local dates."""
        definition = self.items[0][0].definition
        events = (definition.conversion, *((definition.touch,) if self._by_touch else ()))
        found = [Events(self.bound, one, definition.entity).time.bounds for one in events]
        firsts, lasts = [_instant(one.first) for one in found], [_instant(one.last) for one in found]
        first = max(min(firsts), self.start) if self.start else min(firsts)
        last = min(max(lasts), self.end) if self.end else max(lasts)
        day = timedelta(days=1)
        return Bounds(moved(first, -day) or first, moved(max(first, last), day) or last)


def _of(conversions: Events, value: Expression | None) -> Expr:
    """What a conversion has to give: its value, or one conversion."""
    return Const(1) if value is None else conversions.scope.authored(value)


def _between(when: Expr, start: datetime | None, end: datetime | None) -> list[Expr]:
    found: list[Expr] = []
    if start is not None:
        found.append(Binary(BinaryOp.GTE, when, Param(_micros(start), Kind.INTEGER)))
    if end is not None:
        found.append(Binary(BinaryOp.LT, when, Param(_micros(end), Kind.INTEGER)))
    return found


def _micros(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1)) // timedelta(microseconds=1)


def _instant(moment: date) -> datetime:
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)
