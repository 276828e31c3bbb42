"""Plan expressions → SQL text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from semantic.model.facts import Kind
from semantic.plan.expr import (
    All,
    AnyOf,
    Authored,
    Binary,
    BitOf,
    Bits,
    Case,
    Cast,
    Coalesce,
    Col,
    Const,
    CountSoFar,
    Expr,
    HasBits,
    InList,
    Instant,
    IsNotTrue,
    IsNull,
    Item,
    Lately,
    Logic,
    LowestBit,
    Micros,
    Moment,
    Param,
    PeriodIndex,
    PeriodNumber,
    PeriodStart,
    Previous,
    Row,
    RowCount,
    RowNumber,
    Shares,
    Shift,
    Shifted,
    TextMatch,
    Truncate,
    Window,
    Word,
)
from semantic.plan.fold import Agg, Fold
from semantic.plan.operators import BinaryOp, Order
from semantic.sql.authored import Claim, pieces
from semantic.sql.dialect import Dialect
from semantic.sql.fragment import Binding, Fragment, build, join, nest

Columns = Mapping[str, Fragment]


def render(expr: Expr, columns: Columns, dialect: Dialect) -> Fragment:
    """An expression over columns, whose texts are given."""

    def part(inner: Expr) -> Fragment:
        return render(inner, columns, dialect)

    match expr:
        case Col(name):
            return columns[name]
        case Param():
            return dialect.param(expr)
        case Const(value):
            return Fragment("NULL" if value is None else str(value).upper(), is_set=value is not None)
        case Authored():
            return _authored(expr, columns, dialect)
        case Binary():
            return _binary(expr, part(expr.left), part(expr.right), dialect)
        case All() | AnyOf() | IsNotTrue() | IsNull() | InList() | TextMatch():
            return _condition(expr, part, dialect)
        case Case(whens, default):
            return _case([(part(when), part(then)) for when, then in whens], part(default))
        case Coalesce(parts):
            return _coalesce([part(inner) for inner in parts])
        case Cast(inner, kind):
            return dialect.as_kind(part(inner), kind)
        case Bits() | BitOf() | LowestBit() | Shifted() | HasBits() | Shares():
            return _word(expr, part, dialect)
        case Row(parts):
            return dialect.row([part(inner) for inner in parts])
        case Item(inner, place):
            return dialect.row_item(part(inner), place)
        case Shift() | Truncate() | PeriodNumber() | PeriodStart() | PeriodIndex() | Instant() | Micros():
            return _timed(expr, part(expr.part), dialect)
        case RowNumber() | Previous() | CountSoFar() | Lately() | RowCount():
            return _window(expr, columns, dialect)
        case _:
            assert_never(expr)


def _condition(expr: Logic, part: Callable[[Expr], Fragment], dialect: Dialect) -> Fragment:
    match expr:
        case All(parts):
            return conjoined([part(inner) for inner in parts])
        case AnyOf(parts):
            return _disjoined([part(inner) for inner in parts])
        case IsNotTrue(IsNull(inner)):
            return build("{} IS NOT NULL", nest(part(inner)), binding=Binding.COMPARED)
        case IsNotTrue(IsNotTrue(inner)):
            return build("{} IS TRUE", nest(part(inner)), binding=Binding.COMPARED)
        case IsNotTrue(inner):
            return build("{} IS NOT TRUE", nest(part(inner)), binding=Binding.COMPARED)
        case IsNull(inner):
            return build("{} IS NULL", nest(part(inner)), binding=Binding.COMPARED)
        case InList(inner, values):
            return dialect.in_list(nest(part(inner)), values)
        case TextMatch():
            return _text(expr, part(expr.part), dialect)
        case _:
            assert_never(expr)


def _case(branches: list[tuple[Fragment, Fragment]], default: Fragment) -> Fragment:
    whens = (build("WHEN {} THEN {}", when, then) for when, then in branches)
    return build("CASE {} ELSE {} END", join(" ", whens), default)


def _window(expr: Window, columns: Columns, dialect: Dialect) -> Fragment:
    match expr:
        case RowNumber(order):
            return _over(Fragment("row_number()"), order, columns)
        case Previous(part, order):
            return _over(build("lag({})", render(part, columns, dialect)), order, columns)
        case CountSoFar(part, order):
            counted = build("count(CASE WHEN {} THEN 1 END)", render(part, columns, dialect))
            return _over(counted, order, columns, " ROWS UNBOUNDED PRECEDING")
        case Lately(fold, part, order, reach):
            folded = build(f"{fold.value}({{}})", render(part, columns, dialect))
            return _over(folded, order, columns, f" RANGE BETWEEN {reach} PRECEDING AND CURRENT ROW")
        case RowCount():
            return Fragment("count(*) OVER ()")
        case _:
            assert_never(expr)


def _over(function: Fragment, order: Order, columns: Columns, rows: str = "") -> Fragment:
    direction = "DESC NULLS FIRST" if order.reverse else "NULLS LAST"
    by = build("ORDER BY {}", join(", ", (build(f"{{}} {direction}", columns[name]) for name in order.by)))
    within = join(", ", (columns[name] for name in order.within))
    return build(f"{{}} OVER ({'PARTITION BY {} ' if order.within else '{}'}{{}}{rows})", function, within, by)


def conjoined(conditions: Sequence[Fragment], separator: str = " AND ") -> Fragment:
    """All of them (none: true)."""
    if not conditions:
        return Fragment("TRUE")
    several = len(conditions) > 1
    return join(separator, (nest(one, Binding.AND) if several else one for one in conditions), Binding.AND)


def _disjoined(conditions: Sequence[Fragment]) -> Fragment:
    """Any of them (none: false). What binds more tightly than OR has parentheses all the same, for the reader."""
    if not conditions:
        return Fragment("FALSE")
    several = len(conditions) > 1
    return join(" OR ", (nest(one, Binding.NOT) if several else one for one in conditions), Binding.OR)


_SIGNS: Mapping[BinaryOp, tuple[Binding, Binding, Binding]] = {
    BinaryOp.ADD: (Binding.SUM, Binding.PRODUCT, Binding.SUM),
    BinaryOp.SUBTRACT: (Binding.SUM, Binding.PRODUCT, Binding.SUM),
    BinaryOp.MULTIPLY: (Binding.PRODUCT, Binding.ATOM, Binding.PRODUCT),
    BinaryOp.SAME: (Binding.ATOM, Binding.ATOM, Binding.COMPARED),
    BinaryOp.DIFFERENT: (Binding.ATOM, Binding.ATOM, Binding.COMPARED),
}
"""What an operator's sides and its result bind like; the others compare."""
_COMPARING = (Binding.SUM, Binding.SUM, Binding.COMPARED)


def _binary(expr: Binary, left: Fragment, right: Fragment, dialect: Dialect) -> Fragment:
    if expr.op is BinaryOp.DIVIDE:
        kind = Kind.FLOAT if left.kind is Kind.FLOAT else None
        return build("{} / nullif({}, 0)", nest(left, Binding.PRODUCT), right, binding=Binding.PRODUCT, kind=kind)
    if expr.op is BinaryOp.WHOLES:
        return dialect.wholes(nest(left), nest(right))
    if expr.op is BinaryOp.POWER:
        return build("power({}, {})", left, right, kind=Kind.FLOAT)
    before, after, whole = _SIGNS.get(expr.op, _COMPARING)
    return build(f"{{}} {expr.op.value.upper()} {{}}", nest(left, before), nest(right, after), binding=whole)


def _coalesce(parts: list[Fragment]) -> Fragment:
    """The first that is not null, without those that stand behind one that never is."""
    needed = next((index for index, part in enumerate(parts) if part.is_set), len(parts) - 1) + 1
    if needed == 1:
        return parts[0]
    return build("coalesce({})", join(", ", parts[:needed]), is_set=parts[needed - 1].is_set)


def _authored(expr: Authored, columns: Columns, dialect: Dialect) -> Fragment:
    names, claims = dict(expr.names), dict(expr.claims)
    found: list[Fragment] = []
    cut, binding = pieces(expr.expression.sql, dialect.name)
    for piece in cut:
        if isinstance(piece, str):
            found.append(Fragment(piece))
        elif isinstance(piece, Claim):
            found.append(dialect.claim(claims[piece.name]))
        else:
            found.append(nest(render(names[piece], columns, dialect)))
    return replace(join("", found), binding=binding)


def _text(expr: TextMatch, part: Fragment, dialect: Dialect) -> Fragment:
    value = dialect.param(expr.value)
    if expr.fold:
        part, value = build("lower({})", part), build("lower({})", value)
    return dialect.text_test(expr.test, part, value)


def _word(expr: Word, part: Callable[[Expr], Fragment], dialect: Dialect) -> Fragment:
    match expr:
        case Bits(parts):
            sums: dict[Expr, int] = {}
            for when, bit in parts:
                sums[when] = sums.get(when, 0) + (1 << bit)
            bits = (build(f"CASE WHEN {{}} THEN {total} ELSE 0 END", part(when)) for when, total in sums.items())
            return join(" + ", bits, Binding.SUM)
        case BitOf(inner, places):
            return dialect.bit(part(inner), places)
        case LowestBit(inner):
            return dialect.lowest_bit(nest(part(inner)))
        case Shifted(inner, by, kept):
            moved = dialect.shifted(nest(part(inner)), nest(part(by)))
            return moved if kept is None else dialect.lowest(moved, kept)
        case HasBits(inner, low, high):
            return dialect.has_bits(nest(part(inner)), (1 << (high + 1)) - (1 << low))
        case Shares(inner, other):
            return build("({} & {}) <> 0", nest(part(inner)), nest(part(other)), binding=Binding.COMPARED)
        case _:
            assert_never(expr)


def _timed(expr: Moment, part: Fragment, dialect: Dialect) -> Fragment:
    match expr:
        case Shift(_, pieces_of_time):
            return dialect.shift(part, pieces_of_time)
        case Truncate():
            return _truncate(expr, part, dialect)
        case PeriodNumber():
            return dialect.period_number(part, expr.clock)
        case PeriodStart():
            return dialect.period_start(part, expr.clock)
        case PeriodIndex(_, grain, week_start, since):
            return dialect.period_index(nest(part), grain, week_start.number, since)
        case Instant():
            return dialect.instant(part)
        case Micros():
            return dialect.micros(part)
        case _:
            assert_never(expr)


def _truncate(expr: Truncate, part: Fragment, dialect: Dialect) -> Fragment:
    if expr.grain.is_clock:
        return dialect.truncate(part, expr.grain, is_date=False)
    days = expr.week_start.number if expr.grain == "week" else 0
    if days == 0:
        return dialect.truncate(part, expr.grain, is_date=True)
    moved = dialect.plus_days(part, -days)
    return dialect.plus_days(dialect.truncate(moved, expr.grain, is_date=True), days)


def aggregate(agg: Agg, columns: Columns, dialect: Dialect) -> Fragment:
    """An aggregate over columns. A filtered distinct count is a CASE, which engines run faster than FILTER."""
    arg = render(agg.arg, columns, dialect) if agg.arg is not None else Fragment("*")
    where = render(agg.where, columns, dialect) if agg.where is not None else None
    if agg.fold is Fold.COUNT_DISTINCT:
        if where is not None:
            arg = build("CASE WHEN {} THEN {} END", where, arg)
        return build("count(DISTINCT {})", arg, kind=Kind.INTEGER, is_set=True)
    folded = _folded(agg, arg, columns, dialect)
    if where is None:
        return folded
    filtered = build("{} FILTER (WHERE {})", folded, where, binding=Binding.ATOM)
    return replace(filtered, kind=folded.kind, is_set=folded.is_set)


def _folded(agg: Agg, arg: Fragment, columns: Columns, dialect: Dialect) -> Fragment:
    if agg.fold is Fold.ARG_MAX:
        assert agg.by is not None
        return dialect.arg_max(arg, render(agg.by, columns, dialect))
    if agg.fold is Fold.PERCENTILE:
        assert agg.p is not None
        return replace(dialect.percentile(arg, agg.p), kind=Kind.FLOAT)
    counts = agg.fold is Fold.COUNT
    return build(f"{agg.fold.value}({{}})", arg, kind=Kind.INTEGER if counts else None, is_set=counts)
