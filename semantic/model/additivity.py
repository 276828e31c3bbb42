"""What a metric's values may be summed over (semantics.md §0), as the catalog shows it."""

from __future__ import annotations

from typing import assert_never

import sqlglot
from sqlglot import exp

from semantic.model.metric import (
    Additivity,
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


def additivity(model: Model, metric: Metric) -> Additivity:
    """FULL: over everything. TIME: over everything but time. NONE: over nothing, such as distinct counts and rates."""
    match metric:
        case Simple():
            sums = metric.agg in (Aggregation.SUM, Aggregation.COUNT)
            return Additivity.FULL if sums else Additivity.NONE
        case Derived():
            inner = {additivity(model, model.metrics[ref.name]) for ref in metric.expr.refs}
            return inner.pop() if len(inner) == 1 and _is_sum(metric) else Additivity.NONE
        case Cumulative():
            inner_metric = additivity(model, model.metrics[metric.metric])
            return Additivity.NONE if inner_metric is Additivity.NONE else Additivity.TIME
        case Attribution():
            return Additivity.FULL
        case Ratio() | Conversion() | Retention():
            return Additivity.NONE
        case _:
            assert_never(metric)


def _is_sum(metric: Derived) -> bool:
    """Only metrics added and subtracted: then sums of the parts are the sum of the whole."""
    tree = sqlglot.parse_one(metric.expr.sql, dialect="duckdb")
    allowed = (exp.Add, exp.Sub, exp.Paren, exp.Neg, exp.Column, exp.Identifier)
    return all(isinstance(node, allowed) for node in tree.walk())
