"""Expressions of a plan as one line of text."""

from __future__ import annotations

from datetime import date
from typing import assert_never

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
from semantic.plan.operators import Order
from semantic.query.query import Scalar


def show_expr(expr: Expr) -> str:
    """An expression in one line; parameters by their values."""
    match expr:
        case Col(name):
            return name
        case Param(value):
            return _show_value(value)
        case Const(value):
            return "null" if value is None else str(value).lower()
        case Authored():
            return f"«{expr.expression.sql}»"
        case Binary():
            return f"({show_expr(expr.left)} {expr.op} {show_expr(expr.right)})"
        case All(parts):
            return f"all({', '.join(map(show_expr, parts))})"
        case AnyOf(parts):
            return f"any({', '.join(map(show_expr, parts))})"
        case IsNotTrue(part):
            return f"not({show_expr(part)})"
        case IsNull(part):
            return f"null({show_expr(part)})"
        case InList(part, values):
            return f"{show_expr(part)} in ({', '.join(map(show_expr, values))})"
        case TextMatch():
            return f"{expr.test}({show_expr(expr.part)}, {show_expr(expr.value)}{', fold' if expr.fold else ''})"
        case Case(whens, default):
            shown = "; ".join(f"{show_expr(when)} → {show_expr(then)}" for when, then in whens)
            return f"case({shown}; else {show_expr(default)})"
        case Coalesce(parts):
            return f"coalesce({', '.join(map(show_expr, parts))})"
        case Cast(part, kind):
            return f"{show_expr(part)}::{kind}"
        case Row(parts):
            return f"row({', '.join(map(show_expr, parts))})"
        case Item(part, place):
            return f"{show_expr(part)}.{place}"
        case Shift() | Truncate() | PeriodNumber() | PeriodStart() | PeriodIndex() | Instant() | Micros():
            return _show_moment(expr)
        case Bits() | BitOf() | LowestBit() | Shifted() | HasBits() | Shares():
            return _show_word(expr)
        case RowNumber() | Previous() | CountSoFar() | Lately() | RowCount():
            return _show_window(expr)
        case _:
            assert_never(expr)


def _show_value(value: Scalar | tuple[Scalar, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_show_value, value))}]"
    return str(value) if isinstance(value, date) else repr(value)


def _show_moment(expr: Moment) -> str:
    match expr:
        case Shift(part, pieces):
            return f"shift({show_expr(part)}, {', '.join(f'{seconds:+}s' for _, seconds in pieces)})"
        case Truncate(part, grain):
            return f"{grain}({show_expr(part)})"
        case PeriodNumber(part):
            return f"number({show_expr(part)})"
        case PeriodStart(part):
            return f"period({show_expr(part)})"
        case PeriodIndex(part, grain, _, since):
            return f"{grain}_index({show_expr(part)}{f', since {since}' if since else ''})"
        case Micros(part):
            return f"micros({show_expr(part)})"
        case Instant(part):
            return f"instant({show_expr(part)})"
        case _:
            assert_never(expr)


def _show_word(expr: Word) -> str:
    match expr:
        case Bits():
            return f"bits({', '.join(f'{bit}: {show_expr(when)}' for when, bit in expr.parts)})"
        case BitOf(part):
            return f"bit({show_expr(part)})"
        case LowestBit(part):
            return f"lowest bit of {show_expr(part)}"
        case Shifted(part, by, kept):
            moved = f"({show_expr(part)} >> {show_expr(by)})"
            return moved if kept is None else f"lowest {kept} bits of {moved}"
        case HasBits(part, low, high):
            return f"bits {low}…{high} of {show_expr(part)}"
        case Shares(part, other):
            return f"shares({show_expr(part)}, {show_expr(other)})"
        case _:
            assert_never(expr)


def _show_window(expr: Window) -> str:
    match expr:
        case RowNumber(order):
            return f"row_number({_show_order(order)})"
        case Previous(part, order):
            return f"previous({show_expr(part)}; {_show_order(order)})"
        case CountSoFar(part, order):
            return f"count_so_far({show_expr(part)}; {_show_order(order)})"
        case Lately(fold, part, order, reach):
            return f"{fold}({show_expr(part)} of the last {reach} by {_show_order(order)})"
        case RowCount():
            return "row_count()"
        case _:
            assert_never(expr)


def _show_order(order: Order) -> str:
    within = f" in {', '.join(order.within)}" if order.within else ""
    return f"{', '.join(order.by)}{within}{' reversed' if order.reverse else ''}"
