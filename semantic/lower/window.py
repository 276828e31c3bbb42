"""Windows: values over days that overlap between rows (rolling, to date, offsets that split periods).

    Rows ─▶ partial Aggregate by (unit, dimensions) ─▶ Join with (target, unit) for every unit of every window
         ─▶ Aggregate by (target, dimensions)

What is partial depends on the aggregate: sums, counts, minima and maxima of a unit add up; distinct counts keep the
unit's distinct values; percentiles keep every value. Leaves of one kind share the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from semantic.lower.frames import Interval, moment_kind
from semantic.lower.rows import Named, Rows, percentile
from semantic.model.metric import Aggregation
from semantic.plan.build import divide
from semantic.plan.expr import Col, Expr
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Expansion, Join, JoinKind, Plan, Project, Spine
from semantic.query.bound import BoundQuery, DimensionKey
from semantic.time import Grain

UNIT = "unit#"
VALUE = "value#"
_BOUNDS = ("from#", "to#")
_SPINE_UNIT = "day#"

_ADDS_UP = {
    Aggregation.SUM: Fold.SUM,
    Aggregation.COUNT: Fold.SUM,
    Aggregation.MIN: Fold.MIN,
    Aggregation.MAX: Fold.MAX,
}


def windowed(rows: Rows, found: tuple[Interval, ...], unit: Grain) -> Iterator[Plan]:
    """A plan for the leaves that add up together, and one for each other leaf."""
    adding = tuple(item for item in rows.items if item[0].metric.agg in (*_ADDS_UP, Aggregation.AVG))
    others = [item for item in rows.items if item not in adding]
    spine = _spine(rows.bound, found, unit)
    if adding:
        yield _adding(replace(rows, items=adding), spine, unit)
    for item in others:
        yield _holistic(replace(rows, items=(item,)), spine, unit)


def summed(bound: BoundQuery, units: Plan, found: tuple[Interval, ...], unit: Grain) -> Plan:
    """Sums of units (`unit#`, the query's dimensions, then sums) over every window that holds the unit."""
    keys = {key.name for key in bound.keys}
    names = tuple(name for name in units.output if name != UNIT and name not in keys)
    return _joined(bound, units, _spine(bound, found, unit), tuple((name, Agg(Fold.SUM, Col(name))) for name in names))


def _spine(bound: BoundQuery, found: tuple[Interval, ...], unit: Grain) -> Spine:
    kind = moment_kind(unit)
    targets = tuple((key.name, key.kind) for key in bound.time_keys)
    columns = (*targets, *((name, kind) for name in _BOUNDS))
    values = tuple((*item.target, item.start, item.end) for item in found)
    return Spine(columns, values, Expansion(*_BOUNDS, unit, _SPINE_UNIT))


def _dimensions(rows: Rows) -> Named:
    return tuple((key.name, rows.key(key)) for key in rows.bound.keys if isinstance(key, DimensionKey))


def _joined(bound: BoundQuery, units: Plan, spine: Spine, aggregates: tuple[tuple[str, Agg], ...]) -> Plan:
    """Unit rows brought to every window that holds their unit, and aggregated by the query's keys."""
    joined = Join(units, spine, JoinKind.INNER, ((UNIT, _SPINE_UNIT),))
    return Aggregate(joined, tuple((key.name, Col(key.name)) for key in bound.keys), aggregates)


def _adding(rows: Rows, spine: Spine, unit: Grain) -> Plan:
    partial: list[tuple[str, Agg]] = []
    merged: list[tuple[str, Agg]] = []
    final: list[tuple[str, Expr]] = [(key.name, Col(key.name)) for key in rows.bound.keys]
    for leaf, name in rows.items:
        agg = rows.agg(leaf)
        if leaf.metric.agg is Aggregation.AVG:
            total, count = f"{name}sum", f"{name}count"
            partial += [(total, replace(agg, fold=Fold.SUM)), (count, replace(agg, fold=Fold.COUNT))]
            merged += [(total, Agg(Fold.SUM, Col(total))), (count, Agg(Fold.SUM, Col(count)))]
            final.append((name, divide(Col(total), Col(count))))
        else:
            partial.append((name, agg))
            merged.append((name, Agg(_ADDS_UP[leaf.metric.agg], Col(name))))
            final.append((name, Col(name)))
    units = rows.fold(((UNIT, rows.bucket(unit)), *_dimensions(rows)), tuple(partial))
    return Project(_joined(rows.bound, units, spine, tuple(merged)), tuple(final))


def _holistic(rows: Rows, spine: Spine, unit: Grain) -> Plan:
    """One leaf whose units don't add up: its values are kept (distinct counts: each once) until the window is known."""
    ((leaf, name),) = rows.items
    argument = rows.argument(leaf.metric)
    assert argument is not None
    values = rows.project(((UNIT, rows.bucket(unit)), *_dimensions(rows), (VALUE, argument)))
    if leaf.metric.agg is Aggregation.COUNT_DISTINCT:
        values = Aggregate(values, tuple((column, Col(column)) for column in values.output), ())
        agg = Agg(Fold.COUNT_DISTINCT, Col(VALUE))
    else:
        agg = Agg(Fold.PERCENTILE, Col(VALUE), p=percentile(leaf.metric))
    return _joined(rows.bound, values, spine, ((name, agg),))
