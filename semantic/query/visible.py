"""What a viewer may name: hidden metrics and dimensions don't exist for whoever may not see them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlglot
from sqlglot import exp

from semantic.errors import Code, QueryError
from semantic.model.expression import Expression
from semantic.model.model import Model
from semantic.query.bind import condition_dimensions
from semantic.query.funnel import FunnelQuery
from semantic.query.journey import JourneyQuery
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.query import DimensionField, MetricQuery, Viewer
from semantic.query.retention import RetentionQuery
from semantic.query.score import ScoreQuery
from semantic.query.values import ValuesQuery

_COMPARE: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
}


Question = MetricQuery | ValuesQuery | FunnelQuery | RetentionQuery | LifecycleQuery | JourneyQuery | ScoreQuery
"""Everything that can be asked."""


def hidden_names(model: Model, viewer: Viewer) -> frozenset[str]:
    """The metrics and dimensions that don't exist for this viewer."""
    claims = dict(viewer.claims)
    return frozenset(
        name
        for policy in model.hide_policies()
        if policy.unless is None or not holds(policy.unless, claims)
        for name in policy.hide
    )


def holds(expression: Expression, claims: Mapping[str, object]) -> bool:
    """Whether a condition over claims is true. What is unknown (a missing claim, another type) is not true."""
    return _truth(sqlglot.parse_one(expression.sql, dialect="duckdb"), claims) is True


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


def check_visible(model: Model, query: Question, viewer: Viewer) -> None:
    """Refuse a hidden name exactly as an unknown one, without a suggestion that would betray it."""
    hidden = hidden_names(model, viewer)
    if not hidden:
        return
    if isinstance(query, MetricQuery):
        for field in query.metrics:
            if field.metric in hidden:
                raise QueryError(Code.UNKNOWN_METRIC, f'There is no metric "{field.metric}".')
    for name in _dimensions(model, query):
        if name in hidden:
            raise QueryError(Code.UNKNOWN_DIMENSION, f'There is no dimension "{name}".')


def _dimensions(model: Model, query: Question) -> Iterator[str]:
    yield from condition_dimensions(query.where)
    if isinstance(query, ValuesQuery):
        yield query.dimension
        return
    if isinstance(query, LifecycleQuery):
        return
    if isinstance(query, ScoreQuery):  # an answer tells them all
        yield from model.scores[query.score].dimension_names if query.score in model.scores else ()
        return
    if isinstance(query, JourneyQuery):
        yield query.by
        yield from condition_dimensions(query.anchor)
        return
    if isinstance(query, RetentionQuery):
        yield from query.breakdown
        return
    if isinstance(query, FunnelQuery):
        yield from query.breakdown
        steps = () if isinstance(query.funnel, str) else query.funnel.steps
        for step in steps:
            yield from condition_dimensions(step.where)
        return
    for field in query.fields:
        if isinstance(field, DimensionField):
            yield field.dimension
    for metric in query.metrics:
        yield from condition_dimensions(metric.where)
