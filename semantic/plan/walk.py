"""Going over plans and expressions, without knowing what they are for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
)
from semantic.plan.node import Plan
from semantic.plan.operators import Order


def nodes(plan: Plan) -> Iterator[Plan]:
    """The node and everything under it, top first."""
    yield plan
    for child in plan.inputs:
        yield from nodes(child)


def rewrite(plan: Plan, change: Callable[[Plan], Plan]) -> Plan:
    """`change` applied to every node, bottom up. A node used twice stays one node."""
    done: dict[int, Plan] = {}

    def visit(node: Plan) -> Plan:
        if id(node) not in done:
            inputs = tuple(visit(child) for child in node.inputs)
            done[id(node)] = change(node.with_inputs(inputs) if inputs != node.inputs else node)
        return done[id(node)]

    return visit(plan)


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside one."""
    match expr:
        case Col() | Param() | Const() | RowCount():
            return ()
        case RowNumber(order):
            return _ordered(order)
        case Previous(part, order) | CountSoFar(part, order):
            return (part, *_ordered(order))
        case Lately():
            return (expr.part, *_ordered(expr.order))
        case Bits():
            return tuple(condition for condition, _ in expr.parts)
        case Authored():
            return tuple(inner for _, inner in expr.names)
        case Binary():
            return (expr.left, expr.right)
        case Shifted():
            return (expr.part, expr.by)
        case Shares():
            return (expr.part, expr.other)
        case All() | AnyOf() | Coalesce() | Row():
            return expr.parts
        case IsNotTrue() | IsNull() | InList() | TextMatch() | Cast() | Shift() | Truncate():
            return (expr.part,)
        case PeriodNumber() | PeriodStart() | Instant() | PeriodIndex() | Item() | Micros():
            return (expr.part,)
        case BitOf() | LowestBit() | HasBits():
            return (expr.part,)
        case Case():
            return (*(side for when in expr.whens for side in when), expr.default)
        case _:
            assert_never(expr)


def _ordered(order: Order) -> tuple[Expr, ...]:
    return tuple(Col(name) for name in (*order.within, *order.by))


def columns(exprs: Iterable[Expr]) -> Iterator[str]:
    """The column names that expressions read, with repeats."""
    for expr in exprs:
        if isinstance(expr, Col):
            yield expr.name
        else:
            yield from columns(parts(expr))
