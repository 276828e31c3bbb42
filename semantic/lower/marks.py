"""Distinct counts by a key of few values, by bits: what count(DISTINCT) says in half of its time, on many rows.

    Rows ─▶ Aggregate by (value, other keys): a word with one bit for each value of the key ─▶ Aggregate by (bits, other
         keys): how many values ─▶ Join with the key's values ─▶ Filter to those whose bit is set ─▶ Aggregate by keys

One row for each value is all that is hashed, instead of one for each value and key; questions by other keys share it.
The bits are counted in pieces, so that few patterns are met by many values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from semantic.lower.leaf import MetricLeaf
from semantic.lower.rows import Named, Rows
from semantic.model.facts import Kind
from semantic.model.metric import Aggregation
from semantic.plan.cost import rows_read
from semantic.plan.expr import (
    ZERO,
    Binary,
    BitOf,
    Case,
    Coalesce,
    Col,
    Const,
    Expr,
    IsNotTrue,
    IsNull,
    Param,
    PeriodIndex,
    Shares,
    Shifted,
)
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project, Spine
from semantic.plan.operators import BinaryOp
from semantic.query.bound import BoundQuery, DimensionKey, Key, TimeKey
from semantic.query.cells import later, period_index
from semantic.query.query import Scalar
from semantic.time import Grain, period_start, to_local

ENOUGH = 500_000
"""Rows from which it pays: the statement takes a few milliseconds more to plan."""
PIECE, ONE_PIECE = 8, 16
"""Bits that are counted together; and up to how many of a word are one piece."""
MOST = 400
"""Periods looked at: more than any word has bits for."""
VALUE, PIECE_OF, PLACE, BITS, VALUES = "value#", "piece#", "place#", "bits#", "values#"


@dataclass(frozen=True, slots=True)
class Marked:
    """A key with few values: `values` in order, null first; `place` is where a row's value stands in it."""

    key: Key
    values: tuple[Scalar | None, ...]
    place: Expr

    @property
    def is_one_piece(self) -> bool:
        """Whether a pattern of all of its bits is met by many values."""
        return len(self.values) <= ONE_PIECE


def marked_key(rows: Rows, leaf: MetricLeaf, word: int) -> Marked | None:
    """The key that a distinct count is made faster by; None where there is none. `word`: bits of a word.

    Of several keys it is the one that leaves the others fewest groups.
    """
    bound = rows.bound
    if leaf.metric.agg is not Aggregation.COUNT_DISTINCT or not bound.keys:
        return None
    if bound.facts.datasets[leaf.metric.dataset].rows < ENOUGH or rows_read(rows.by(()), bound.facts) < ENOUGH:
        return None
    every = (_marked(rows, key) for key in bound.keys)
    alone = len(bound.keys) == 1
    found = [one for one in every if one and len(one.values) <= word and (alone or one.is_one_piece)]
    return max(found, key=lambda one: len(one.values), default=None)


def counted_by_marks(rows: Rows, marked: Marked) -> Iterator[Plan]:
    """One plan for each filter that leaves have of their own. Columns: the query's keys, then those leaves'."""
    wheres = dict.fromkeys(rows.own_where(leaf) for leaf, _ in rows.items)
    words = {where: f"word{index}#" for index, where in enumerate(wheres)}
    others = tuple((key.name, rows.key(key)) for key in rows.bound.keys if key is not marked.key)
    value = rows.argument(rows.items[0][0].metric)
    assert value is not None, "distinct counts are of something"
    bit = BitOf(marked.place, len(marked.values))
    folds = tuple((name, Agg(Fold.BIT_OR, bit, where)) for where, name in words.items())
    entities = rows.fold(((VALUE, value), *others), folds)
    kept: Named = tuple((name, Col(name)) for name, _ in others)
    for where, word in words.items():
        names = tuple(name for leaf, name in rows.items if rows.own_where(leaf) == where)
        yield _unpacked(rows.bound, marked, _pieces(marked, entities, kept, word), kept, names)


def _pieces(marked: Marked, entities: Plan, kept: Named, word: str) -> Plan:
    """How many values there are for each pattern of bits, piece by piece."""
    seen = Filter(entities, IsNotTrue(IsNull(Col(word))))
    # rows whose value is not known make groups, and count in none
    count = ((VALUES, Agg(Fold.COUNT, Col(VALUE))),)
    if marked.is_one_piece:
        return Aggregate(seen, (*kept, (BITS, Shifted(Col(word), ZERO, ONE_PIECE))), count)
    pieces = tuple((piece,) for piece in range(-(-len(marked.values) // PIECE)))
    apart = Join(seen, Spine(((PLACE, Kind.INTEGER),), pieces), JoinKind.CROSS)
    bits = Shifted(Col(word), Binary(BinaryOp.MULTIPLY, Col(PLACE), Const(PIECE)), PIECE)
    return Aggregate(apart, (*kept, (PLACE, Col(PLACE)), (BITS, bits)), count)


def _unpacked(bound: BoundQuery, marked: Marked, pieces: Plan, kept: Named, names: tuple[str, ...]) -> Plan:
    """The pieces' values by the query's keys."""
    size = ONE_PIECE if marked.is_one_piece else PIECE
    rows = tuple((place // size, 1 << place % size, value) for place, value in enumerate(marked.values))
    columns = ((PIECE_OF, Kind.INTEGER), ("bit#", Kind.INTEGER), (marked.key.name, marked.key.kind))
    spine = Spine(columns, rows)
    on = () if marked.is_one_piece else ((PLACE, PIECE_OF),)
    every = Join(pieces, spine, JoinKind.INNER if on else JoinKind.CROSS, on)
    hits = Filter(every, Shares(Col(BITS), Col("bit#")))
    keys = tuple((key.name, Col(key.name)) for key in bound.keys)
    total = Aggregate(hits, keys, ((VALUES, Agg(Fold.SUM, Col(VALUES))),))
    return Project(total, (*((name, Col(name)) for name, _ in keys), *((name, Col(VALUES)) for name in names)))


def _marked(rows: Rows, key: Key) -> Marked | None:
    match key:
        case TimeKey(_, grain) if grain in (Grain.DAY, Grain.WEEK, Grain.MONTH):
            return _marked_time(rows, key)
        case DimensionKey(grain=None):
            return _marked_dimension(rows, key)
        case _:
            return None


def _marked_time(rows: Rows, key: TimeKey) -> Marked | None:
    """Periods, from the day before the first row's to the day after the last one's: where clocks go back over midnight,
    a row may come late for its day.
    """
    week_start, (low, high) = rows.scope.week_start, _days(rows)
    first = period_start(low - timedelta(days=1), key.grain, week_start)
    base = period_index(first, key.grain, week_start) - 1
    count = period_index(high + timedelta(days=1), key.grain, week_start) - base
    periods = (later(first, number, key.grain) for number in range(min(count, MOST)))
    number = PeriodIndex(rows.when.day, key.grain, week_start)
    return Marked(key, (None, *periods), Coalesce((Binary(BinaryOp.SUBTRACT, number, Const(base)), ZERO)))


def _days(rows: Rows) -> tuple[date, date]:
    """The local days of the first and the last row."""
    first, last = rows.when.bounds.first, rows.when.bounds.last
    if isinstance(first, datetime) and isinstance(last, datetime):
        return to_local(first, rows.scope.zone).date(), to_local(last, rows.scope.zone).date()
    return first, last


def _marked_dimension(rows: Rows, key: DimensionKey) -> Marked | None:
    """The values of a column that has few, and the one that stands for none, where the dimension has such."""
    expr = rows.key(key)
    values = rows.scope.few_values_of(expr)
    if values is None:
        return None
    whens = ((Binary(BinaryOp.EQ, expr, Param(value, key.kind)), Const(place)) for place, value in enumerate(values, 1))
    # a value that is not among them would be an error of ours: there is no bit below the first, and it is told
    return Marked(key, (None, *values), Case((*whens, (IsNull(expr), ZERO)), Const(-1)))
