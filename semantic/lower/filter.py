"""Filters: conditions over dimensions → expressions. Two-valued: a condition and its opposite make the whole."""

from __future__ import annotations

from typing import assert_never

from semantic.lower.scope import Scope
from semantic.model.facts import Kind
from semantic.model.reach import reachable
from semantic.plan.expr import All, AnyOf, Binary, Expr, InList, IsNotTrue, IsNull, Param, TextMatch
from semantic.plan.operators import BinaryOp, TextTest
from semantic.query.comparing import check_value
from semantic.query.kind import dimension_kind
from semantic.query.query import And, Compare, Condition, Not, Operator, Or, Scalar

_ORDER = {
    Operator.EQ: BinaryOp.EQ,
    Operator.GT: BinaryOp.GT,
    Operator.GTE: BinaryOp.GTE,
    Operator.LT: BinaryOp.LT,
    Operator.LTE: BinaryOp.LTE,
    Operator.NE: BinaryOp.DIFFERENT,
}
_TEXT = {
    Operator.CONTAINS: TextTest.CONTAINS,
    Operator.STARTS_WITH: TextTest.STARTS_WITH,
    Operator.ENDS_WITH: TextTest.ENDS_WITH,
}


def condition(scope: Scope, asked: Condition) -> Expr:
    """A condition over the dimensions of a scope's dataset."""
    match asked:
        case And(parts):
            return All(tuple(condition(scope, part) for part in parts))
        case Or(parts):
            return AnyOf(tuple(condition(scope, part) for part in parts))
        case Not(part):
            return IsNotTrue(condition(scope, part))
        case Compare():
            reached = reachable(scope.model, scope.dataset.name)[asked.dimension]
            kind = dimension_kind(scope.model, scope.facts, reached, scope.dataset.name)
            return compare(scope.dimension(asked.dimension, kind), kind, asked.operator, asked.value, asked.dimension)
        case _:
            assert_never(asked)


def passes_unset(asked: Condition) -> bool:
    """Whether a condition holds where no dimension has a value."""
    match asked:
        case And(parts):
            return all(passes_unset(part) for part in parts)
        case Or(parts):
            return any(passes_unset(part) for part in parts)
        case Not(part):
            return not passes_unset(part)
        case Compare(operator=Operator.IS_NULL):
            return bool(asked.value)
        case Compare():
            return asked.operator in (Operator.NE, Operator.NOT_IN)
        case _:
            assert_never(asked)


def compare(part: Expr, kind: Kind, operator: Operator, value: Scalar | tuple[Scalar, ...], name: str) -> Expr:
    """`part operator value`, where `name` is what errors call the part. QueryError BAD_ARGUMENT."""
    if operator is Operator.IS_NULL:
        return IsNull(part) if value else IsNotTrue(IsNull(part))
    check_value(kind, operator, value, name)
    values = value if isinstance(value, tuple) else (value,)
    params = tuple(Param(item, _param_kind(kind, item)) for item in values)
    if operator in (Operator.IN, Operator.NOT_IN):
        inside = _inside(part, params)
        return inside if operator is Operator.IN else IsNotTrue(inside)
    (only,) = params
    if operator in _TEXT:
        return TextMatch(_TEXT[operator], part, only)
    return Binary(_ORDER[operator], part, only)


def _inside(part: Expr, params: tuple[Param, ...]) -> Expr:
    """Whole numbers and others apart: in one list, engines would round large whole numbers to floats."""
    whole = tuple(param for param in params if param.kind is Kind.INTEGER)
    others = tuple(param for param in params if param.kind is not Kind.INTEGER)
    if whole and others:
        return AnyOf((InList(part, whole), InList(part, others)))
    return InList(part, params)


def _param_kind(kind: Kind, value: Scalar) -> Kind:
    """A whole number stays whole beside a float, so that it compares exactly with integers and decimals."""
    if kind.is_number:
        return Kind.INTEGER if isinstance(value, int) else Kind.FLOAT
    return kind
