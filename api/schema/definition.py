"""A metric's definition as its author would write it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from semantic.model.expression import Expression
from semantic.model.metric import Attribution, Conversion, Cumulative, Derived, Metric, Ratio, Retention, Simple


def definition(metric: Metric) -> str:
    """The keys of the model file that define the metric, one a line."""
    return "\n".join(f"{key}: {value}" for key, value in _keys(metric) if value is not None)


def _keys(metric: Metric) -> Iterator[tuple[str, object]]:
    yield "type", type(metric).__name__.lower()
    match metric:
        case Simple():
            yield from (
                ("dataset", metric.dataset),
                ("agg", metric.agg),
                ("expr", written(metric.expr)),
                ("p", metric.p),
            )
            yield from (("where", written(metric.where)), ("time_dimension", metric.time_dimension))
        case Ratio():
            yield from (("numerator", metric.numerator), ("denominator", metric.denominator))
        case Derived():
            yield "expr", written(metric.expr)
        case Cumulative():
            yield from (("metric", metric.metric), ("window", metric.window), ("grain_to_date", metric.grain_to_date))
        case Conversion():
            yield from (("funnel", metric.funnel), ("from", metric.from_step), ("to", metric.to_step))
        case Retention():
            yield from (("retention", metric.retention), ("period", metric.period))
            yield from (("value", written(metric.value)), ("cost", metric.cost), ("mature", metric.mature))
        case Attribution():
            yield from (("attribution", metric.attribution), ("value", written(metric.value)))
            yield "time", metric.time
        case _:
            assert_never(metric)
    yield "fill", metric.fill


def written(expression: Expression | None) -> str | None:
    """An expression as its author wrote it."""
    return None if expression is None else expression.source or expression.sql
