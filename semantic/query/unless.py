"""`unless`: a condition over a viewer's claims, evaluated here and never sent to an engine."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

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


def holds(expression: Expression, claims: Mapping[str, object]) -> bool:
    """Whether a condition over claims is true. What is unknown (a missing claim, another type) is not true."""
    return _truth(_parsed(expression.sql), claims) is True


@lru_cache(maxsize=1024)
def _parsed(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, dialect="duckdb")


def _truth(node: exp.Expr, claims: Mapping[str, object]) -> bool | None:
    """True, false or (as in SQL) unknown."""
    if isinstance(node, exp.Paren):
        return _truth(node.this, claims)
    if isinstance(node, exp.Not):
        inner = _truth(node.this, claims)
        return None if inner is None else not inner
    if isinstance(node, exp.And | exp.Or):
        sides = (_truth(node.left, claims), _truth(node.right, claims))
        decisive = isinstance(node, exp.Or)
        return decisive if decisive in sides else (None if None in sides else not decisive)
    if isinstance(node, exp.In):
        found = [_compared(operator.eq, node.this, item, claims) for item in node.expressions]
        return True if True in found else (None if None in found else False)
    if isinstance(node, exp.Is):
        return _value(node.this, claims) is None
    compare = _COMPARE.get(type(node))
    if compare is not None:
        return _compared(compare, node.this, node.expression, claims)
    value = _value(node, claims)
    return value if isinstance(value, bool) else None


def _compared(
    compare: Callable[[Any, Any], bool], left: exp.Expr, right: exp.Expr, claims: Mapping[str, object]
) -> bool | None:
    """A comparison; a claim that is a list equals what it holds."""
    one, other = _value(left, claims), _value(right, claims)
    if one is None or other is None:
        return None
    if isinstance(one, tuple) or isinstance(other, tuple):
        items, item = (one, other) if isinstance(one, tuple) else (other, one)
        return compare is operator.eq and isinstance(items, tuple) and item in items
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return bool(compare(one, other)) if numbers or type(one) is type(other) else None


def _value(node: exp.Expr, claims: Mapping[str, object]) -> object:
    if isinstance(node, exp.Column | exp.Placeholder):
        return claims.get(node.name)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else node.to_py()
    if isinstance(node, exp.Neg | exp.Paren):
        inner = _value(node.this, claims)
        return -inner if isinstance(node, exp.Neg) and isinstance(inner, int | float) else inner
    return None
