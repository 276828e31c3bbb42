"""The kinds of metrics and dimensions.

Inferred from the columns' kinds, so that a schema is typed before a query runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import assert_never

import sqlglot
from sqlglot import exp

from semantic.model.dataset import DimensionType
from semantic.model.expression import Expression, Ref
from semantic.model.facts import Facts, Kind
from semantic.model.metric import (
    Aggregation,
    Attribution,
    Conversion,
    Cumulative,
    Derived,
    Metric,
    Ratio,
    Retention,
    Simple,
)
from semantic.model.model import Model
from semantic.model.reach import ReachedDimension

KindOf = Callable[[Ref], Kind]

_TYPES = {
    Kind.INTEGER: exp.DataType.INTEGER_TYPES,
    Kind.FLOAT: exp.DataType.FLOAT_TYPES,
    Kind.STRING: exp.DataType.TEXT_TYPES,
    Kind.BOOLEAN: {exp.DataType.Type.BOOLEAN},
    Kind.DATE: {exp.DataType.Type.DATE},
    Kind.TIMESTAMP: {exp.DataType.Type.TIMESTAMP, exp.DataType.Type.DATETIME},
    Kind.TIMESTAMPTZ: {exp.DataType.Type.TIMESTAMPTZ},
    Kind.DECIMAL: {exp.DataType.Type.DECIMAL},
}
_WIDEST = (Kind.FLOAT, Kind.DECIMAL, Kind.INTEGER)
_TRANSPARENT = (exp.Paren, exp.Neg, exp.Abs, exp.Nullif)
_BOOLEAN = (exp.Boolean, exp.Predicate, exp.Connector, exp.Not)
_TEXT = (exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Replace, exp.Concat, exp.DPipe)


def widest(kinds: list[Kind]) -> Kind:
    """The kind that holds values of all of them: the widest number, the common kind, else OTHER."""
    if kinds and all(kind.is_number for kind in kinds):
        return next(kind for kind in _WIDEST if kind in kinds)
    return kinds[0] if kinds and len(set(kinds)) == 1 else Kind.OTHER


def expression_kind(expression: Expression, kind_of: KindOf) -> Kind:
    """The kind of a scalar expression's values; FLOAT for arithmetic that can't be told."""
    return _kind(_parsed(expression.sql), kind_of)


@lru_cache(maxsize=8192)
def _parsed(sql: str) -> exp.Expr:
    """The tree of a canonical expression, read and never changed."""
    return sqlglot.parse_one(sql, dialect="duckdb")


def _kind(node: exp.Expr, kind_of: KindOf) -> Kind:
    if isinstance(node, exp.Column):
        *path, name = (part.name for part in node.parts)
        return kind_of(Ref(tuple(path), name))
    if isinstance(node, exp.Literal):
        if node.is_string:
            return Kind.STRING
        return Kind.INTEGER if node.is_int else Kind.DECIMAL
    if isinstance(node, exp.Cast | exp.TryCast):
        return next((kind for kind, types in _TYPES.items() if node.to.this in types), Kind.OTHER)
    if isinstance(node, _BOOLEAN):
        return Kind.BOOLEAN
    if isinstance(node, _TEXT):
        return Kind.STRING
    if isinstance(node, _TRANSPARENT):
        return _kind(node.this, kind_of)
    return _widened(node, kind_of)


def _widened(node: exp.Expr, kind_of: KindOf) -> Kind:
    branches: list[exp.Expr]
    if isinstance(node, exp.Add | exp.Sub):
        kind = widest([_kind(node.left, kind_of), _kind(node.right, kind_of)])
        return kind if kind.is_number else Kind.OTHER
    if isinstance(node, exp.Mul):
        kind = widest([_kind(node.left, kind_of), _kind(node.right, kind_of)])
        return kind if kind.is_number else Kind.FLOAT
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        branches = [node.this, *node.expressions]
    elif isinstance(node, exp.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        branches += [node.args["default"]] if node.args.get("default") else []
    elif isinstance(node, exp.If):
        branches = [node.args["true"], *([node.args["false"]] if node.args.get("false") else [])]
    else:
        return Kind.FLOAT
    return widest([_kind(branch, kind_of) for branch in branches if not isinstance(branch, exp.Null)])


def column_kinds(model: Model, facts: Facts, dataset: str) -> KindOf:
    """The kinds of a dataset's columns, and of those that relationships lead to.

    OTHER when the files don't have one.
    """

    def kind_of(ref: Ref) -> Kind:
        at = dataset
        for step in ref.path:
            at = model.relationships[step].to_dataset
        found = facts.datasets.get(at)
        return found.columns.get(ref.name, Kind.OTHER) if found else Kind.OTHER

    return kind_of


_DIMENSION_KINDS = {
    DimensionType.STRING: Kind.STRING,
    DimensionType.BOOLEAN: Kind.BOOLEAN,
    DimensionType.DATE: Kind.DATE,
    DimensionType.TIME: Kind.TIMESTAMPTZ,
}


def dimension_kind(model: Model, facts: Facts, reached: ReachedDimension, dataset: str) -> Kind:
    """What a dimension's values are served as.

    Its declared type; a number is INTEGER when its column is, else FLOAT.
    """
    declared = reached.dimension.type
    if declared is not DimensionType.NUMBER:
        return _DIMENSION_KINDS[declared]
    at = reached.path[-1].to_dataset if reached.path else dataset
    kind = expression_kind(reached.dimension.expr, column_kinds(model, facts, at))
    return Kind.INTEGER if kind is Kind.INTEGER else Kind.FLOAT


def metric_kind(model: Model, facts: Facts, metric: Metric) -> Kind:
    """What a metric's values are served as: counts INTEGER; sums, minima and maxima as their column; rates FLOAT."""
    match metric:
        case Simple():
            return _simple_kind(model, facts, metric)
        case Derived():
            return _derived_kind(model, facts, metric)
        case Cumulative():
            return metric_kind(model, facts, model.metrics[metric.metric])
        case Attribution():
            attribution = model.attributions[metric.attribution]
            if metric.value is None or not attribution.model.is_whole:
                return Kind.FLOAT
            dataset = attribution.conversion.dataset
            kind = expression_kind(metric.value, column_kinds(model, facts, dataset))
            return kind if kind is Kind.DECIMAL else Kind.FLOAT
        case Retention():
            return Kind.FLOAT if metric.cost is None else Kind.INTEGER
        case Ratio() | Conversion():
            return Kind.FLOAT
        case _:
            assert_never(metric)


def _simple_kind(model: Model, facts: Facts, metric: Simple) -> Kind:
    match metric.agg:
        case Aggregation.COUNT | Aggregation.COUNT_DISTINCT:
            return Kind.INTEGER
        case Aggregation.AVG | Aggregation.MEDIAN | Aggregation.PERCENTILE:
            return Kind.FLOAT
        case Aggregation.SUM | Aggregation.MIN | Aggregation.MAX:
            assert metric.expr is not None
            kind = expression_kind(metric.expr, column_kinds(model, facts, metric.dataset))
            if metric.agg is Aggregation.SUM:
                return kind if kind.is_number else Kind.FLOAT
            if kind is Kind.TIMESTAMP:  # an instant, whatever zone its column is kept in
                return Kind.TIMESTAMPTZ
            return Kind.FLOAT if kind is Kind.OTHER else kind
        case _:
            assert_never(metric.agg)


def _derived_kind(model: Model, facts: Facts, metric: Derived) -> Kind:
    """Sums and differences keep whole numbers and decimals exact; whatever multiplies or divides is FLOAT."""
    parsed = _parsed(metric.expr.sql)
    if any(isinstance(node, exp.Binary) and not isinstance(node, exp.Add | exp.Sub) for node in parsed.walk()):
        return Kind.FLOAT
    kind = _kind(parsed, lambda ref: metric_kind(model, facts, model.metrics[ref.name]))
    return kind if kind.is_number else Kind.FLOAT
