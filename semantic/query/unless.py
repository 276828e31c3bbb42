"""`unless`: a condition over a viewer's claims, evaluated here and never sent to an engine."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeGuard

import sqlglot
from sqlglot import exp

from semantic.model.expression import Expression

_COMPARE: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
}

# An alias without a name: what DuckDB's dialect makes of a colon that follows a word or a bracket, as in `not :admin`.
_AROUND = (exp.Paren, exp.Alias)


def holds(expression: Expression, claims: Mapping[str, object]) -> bool:
    """Whether a condition over claims is true. What is unknown (a missing claim, another type) is not true."""
    return _truth(_parsed(expression.sql), claims) is True


@lru_cache(maxsize=1024)
def _parsed(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, dialect="duckdb")


def _truth(node: exp.Expr, claims: Mapping[str, object]) -> bool | None:
    """True, false or (as in SQL) unknown."""
    if isinstance(node, _AROUND):
        return _truth(node.this, claims)
    if isinstance(node, exp.Not):
        inner = _truth(node.this, claims)
        return None if inner is None else not inner
    if isinstance(node, exp.And | exp.Or):
        sides = (_truth(node.left, claims), _truth(node.right, claims))
        decisive = isinstance(node, exp.Or)
        return decisive if decisive in sides else (None if None in sides else not decisive)
    if isinstance(node, exp.In):
        return _any(_compared(operator.eq, node.this, item, claims) for item in node.expressions)
    if isinstance(node, exp.Is):
        return _is(node, claims)
    compare = _COMPARE.get(type(node))
    if compare is not None:
        return _compared(compare, node.this, node.expression, claims)
    value = _value(node, claims)
    return value if isinstance(value, bool) else None


def _is(node: exp.Is, claims: Mapping[str, object]) -> bool | None:
    """Of a claim that is missing, `is null` is true, and `is true` and `is false` are not. What else is unknown stays
    so, lest `is not` frees whose claim is of another type.
    """
    is_claim = isinstance(node.this, exp.Column | exp.Placeholder)
    is_missing = is_claim and _value(node.this, claims) is None
    if not isinstance(node.expression, exp.Boolean):
        return is_missing if is_claim else None
    truth = _truth(node.this, claims)
    if truth is None:
        return False if is_missing else None
    return truth is bool(node.expression.this)


def _any(found: Iterable[bool | None]) -> bool | None:
    every = tuple(found)
    return True if True in every else (None if None in every else False)


def _compared(
    compare: Callable[[Any, Any], bool], left: exp.Expr, right: exp.Expr, claims: Mapping[str, object]
) -> bool | None:
    """A comparison; a claim that is a list equals what it holds, and compares in no other way."""
    one, other = _value(left, claims), _value(right, claims)
    if one is None or other is None:
        return None
    if isinstance(other, tuple):
        one, other = other, one
    if not isinstance(one, tuple):
        return _compared_values(compare, one, other)
    return _any(_compared_values(compare, item, other) for item in one) if compare is operator.eq else None


def _compared_values(compare: Callable[[Any, Any], bool], one: object, other: object) -> bool | None:
    """A comparison of single values; unknown unless they are of one type: true is no number."""
    same = (_is_number(one) and _is_number(other)) or type(one) is type(other)
    return bool(compare(one, other)) if same else None


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(node: exp.Expr, claims: Mapping[str, object]) -> object:
    if isinstance(node, exp.Column | exp.Placeholder):
        return claims.get(node.name)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        value = node.name if node.is_string else node.to_py()
        return float(value) if isinstance(value, Decimal) else value  # as claims are
    if isinstance(node, _AROUND):
        return _value(node.this, claims)
    if isinstance(node, exp.Neg):
        inner = _value(node.this, claims)
        return -inner if _is_number(inner) else None
    return None
