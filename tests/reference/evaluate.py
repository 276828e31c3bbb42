"""The reference: which groups there are, and the value of every field in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from semantic.model.metric import Aggregation, Cumulative, Derived, Metric, Ratio, Simple
from semantic.model.model import Model
from semantic.query.query import (
    Comparison,
    DimensionField,
    MetricField,
    MetricQuery,
    Operator,
    OrderBy,
    TimeField,
)
from tests.reference.asked import Asked, Group
from tests.reference.expressions import divide, minus, twin_of
from tests.reference.fold import fold
from tests.reference.frame import Frame, frames_of
from tests.reference.refusals import refuse
from tests.reference.refused import Unspecified
from tests.reference.regions import region_of
from tests.reference.rows import Row, Tables, compare


def answer(model: Model, tables: Tables, query: MetricQuery) -> list[Row]:
    """Every row of a query's answer, in order; Refused when the documents make it an error, Unspecified when silent."""
    return page(query, all_rows(model, tables, query))


def all_rows(model: Model, tables: Tables, query: MetricQuery) -> list[Row]:
    """The rows before limit and offset."""
    asked = Asked(model, tables, query)
    refuse(asked)
    groups = dict.fromkeys(_groups(asked))
    if not asked.grains and not asked.dimensions:
        groups = {((), ()): None}
    if query.fill:
        groups |= dict.fromkeys(_filled(asked, list(groups)))
    rows = [_row(asked, group) for group in groups]
    kept = [row for row in rows if all(_having(row[h.key], h.operator, h.value) for h in query.having)]
    return _ordered(query, kept)


def page(query: MetricQuery, rows: list[Row]) -> list[Row]:
    """What limit and offset leave."""
    return rows[query.offset :] if query.limit is None else rows[query.offset : query.offset + query.limit]


# --- groups --------------------------------------------------------------------------------------------------------


def _groups(asked: Asked) -> Iterator[Group]:
    """Every group in which some field has a source row."""
    for field in asked.query.metrics:
        for simple, frame in asked.leaves_of(field):
            for dims, rows in asked.kept(field, simple).items():
                moments = [when for when, _ in rows]
                if frame.is_plain:
                    yield from ((asked.times(when), dims) for when in moments if asked.plain(when))
                    continue
                for times in asked.targets:
                    region = region_of(asked, frame, times)
                    if any(region.holds(when) for when in moments):
                        yield times, dims


def _filled(asked: Asked, groups: list[Group]) -> Iterator[Group]:
    """Every period of the span, for all dimension values found; without dimensions, even if nothing was."""
    found = dict.fromkeys(dims for _, dims in groups) if asked.dimensions else {(): None}
    for dims in found:
        for times in asked.targets:
            yield times, dims


# --- values --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """A value; whether any simple metric inside has one of its own; whether all of them lie beyond the data."""

    value: Any
    found: bool
    beyond: bool = False


def _row(asked: Asked, group: Group) -> Row:
    times, dims = list(group[0]), list(group[1])
    row: Row = {}
    for field in asked.query.fields:
        match field:
            case TimeField():
                row[field.key] = times.pop(0)
            case DimensionField():
                row[field.key] = dims.pop(0)
            case MetricField():
                row[field.key] = _value(asked, field, group)
    return row


def _value(asked: Asked, field: MetricField, group: Group) -> Any:
    if asked.is_absent(field):
        return None
    metric = asked.model.metric(field.metric)
    values = [_outcome(asked, field, metric, frame, group).value for frame in frames_of(field)]
    match field.comparison:
        case Comparison.VALUE:
            return values[0]
        case Comparison.CHANGE:
            return minus(*values)
        case Comparison.CHANGE_RATIO:
            return divide(minus(*values), values[1])


def _outcome(asked: Asked, field: MetricField, metric: Metric, frame: Frame, group: Group) -> Outcome:
    match metric:
        case Simple():
            return _simple(asked, field, metric, frame, group)
        case Cumulative():
            if metric.fill is not None:
                raise Unspecified("the fill of a cumulative metric")
            return _outcome(asked, field, asked.model.metrics[metric.metric], frame.of(metric), group)
        case Ratio():
            names = [metric.numerator, metric.denominator]
        case Derived():
            names = [ref.name for ref in metric.expr.refs]
        case _:
            raise Unspecified(f"a metric of type {type(metric).__name__}")
    parts = {name: _outcome(asked, field, asked.model.metrics[name], frame, group) for name in names}
    found = any(part.found for part in parts.values())
    beyond = all(part.beyond for part in parts.values())
    if not found and not beyond and metric.fill is not None:
        return Outcome(metric.fill, found)
    if isinstance(metric, Ratio):
        return Outcome(divide(*(parts[name].value for name in names)), found, beyond)
    return Outcome(twin_of(metric.expr.source)(lambda name: parts[name].value), found, beyond)


def _simple(asked: Asked, field: MetricField, simple: Simple, frame: Frame, group: Group) -> Outcome:
    times, dims = group
    rows = asked.kept(field, simple).get(dims, [])
    if frame.is_plain:
        chosen = [row for when, row in rows if asked.plain(when) and asked.times(when) == times]
    else:
        region = region_of(asked, frame, times)
        data = asked.extent(*asked.time_column(simple), asked.zone)
        if frame.offset is not None and (data is None or region.misses(data, asked.zone)):
            return Outcome(None, found=False, beyond=True)
        chosen = [row for when, row in rows if region.holds(when)]
    getters = [asked.source.getter(simple.dataset, row) for row in chosen]
    values = [True if simple.expr is None else twin_of(simple.expr.source)(get) for get in getters]
    if simple.agg in (Aggregation.MIN, Aggregation.MAX):
        values = [asked.source.comparable(simple.dataset, value) for value in values]
    value = fold(simple, values)
    if simple.agg in (Aggregation.COUNT, Aggregation.COUNT_DISTINCT):
        return Outcome(value, found=value > 0)  # a count of no rows is no value
    return Outcome(simple.fill if value is None else value, found=value is not None)


# --- after the values ----------------------------------------------------------------------------------------------


def _having(value: Any, operator: Operator, other: Any) -> bool:
    """A condition on a value of the result: false where it is null, but for is_null."""
    if operator is Operator.IS_NULL:
        return (value is None) == bool(other)
    return value is not None and compare(value, operator, other)


def _ordered(query: MetricQuery, rows: list[Row]) -> list[Row]:
    """By the asked-for keys, then by the key fields; nulls last in either direction."""
    keys = [field.key for field in query.fields if not isinstance(field, MetricField)]
    for order in reversed((*query.order_by, *(OrderBy(key) for key in keys))):
        known = [row for row in rows if row[order.key] is not None]
        unknown = [row for row in rows if row[order.key] is None]
        rows = sorted(known, key=itemgetter(order.key), reverse=order.descending) + unknown
    return rows
