"""The columns of an answer: which come back for a bound question, and of what kinds."""

from __future__ import annotations

from typing import assert_never

from semantic.model.facts import Kind
from semantic.model.score import COLUMNS
from semantic.query.bound import (
    Bound,
    BoundFunnel,
    BoundJourney,
    BoundLifecycle,
    BoundQuery,
    BoundRetention,
    BoundScore,
    BoundTouchPaths,
    BoundValues,
)
from semantic.query.funnel import FunnelReport
from semantic.query.journey import JourneyReport
from semantic.query.lifecycle import LIFECYCLE_COUNTS
from semantic.query.query import ROW_COUNT
from semantic.query.score import ScoreReport
from semantic.query.scored import amount_kind
from semantic.sql.statement import Column


def answer_columns(bound: Bound) -> tuple[Column, ...]:
    """The columns, in order."""
    match bound:
        case BoundQuery():
            return _metrics(bound)
        case BoundValues():
            return (Column("value", bound.kind), Column("count", Kind.INTEGER))
        case BoundFunnel():
            return _funnel(bound)
        case BoundRetention():
            keys = tuple(Column(key.name, key.kind) for key in bound.dimensions)
            counts = tuple(Column(f"cell{cell.number}", Kind.INTEGER) for cell in bound.cells)
            return (Column("cohort", Kind.DATE), *keys, Column("size", Kind.INTEGER), *counts)
        case BoundLifecycle():
            return (Column("period", Kind.DATE), *(Column(name, Kind.INTEGER) for name in LIFECYCLE_COUNTS))
        case BoundTouchPaths():
            return _touch_paths(bound)
        case BoundJourney():
            return _journey(bound)
        case BoundScore():
            return _score(bound)
        case _:
            assert_never(bound)


def _metrics(bound: BoundQuery) -> tuple[Column, ...]:
    kinds = {key.name: key.kind for key in bound.keys} | {metric.key: metric.kind for metric in bound.metrics}
    found = [Column(name, kinds[name]) for name in bound.output]
    if bound.count_rows:
        found.append(Column(ROW_COUNT, Kind.INTEGER))
    return tuple(found)


def _funnel(bound: BoundFunnel) -> tuple[Column, ...]:
    match bound.report:
        case FunnelReport.HISTOGRAM:
            return (Column("bucket", Kind.INTEGER), Column("count", Kind.INTEGER))
        case FunnelReport.DROP_OFFS:
            return (Column("entity", Kind.STRING), Column("last_seen", Kind.TIMESTAMPTZ))
        case FunnelReport.STEPS:
            return (*_funnel_keys(bound), *_funnel_numbers(bound))
        case _:
            assert_never(bound.report)


def _funnel_keys(bound: BoundFunnel) -> tuple[Column, ...]:
    keys = tuple(Column(key.name, key.kind) for key in bound.dimensions)
    if bound.grain is None:
        return keys
    return (Column("period", Kind.TIMESTAMPTZ if bound.grain.is_clock else Kind.DATE), *keys)


def _funnel_numbers(bound: BoundFunnel) -> tuple[Column, ...]:
    steps = range(1, len(bound.funnel.steps) + 1)
    found = [Column(f"count{step}", Kind.INTEGER) for step in steps]
    if bound.times:
        for step in steps[1:]:
            found += [Column(f"average{step}", Kind.FLOAT), Column(f"median{step}", Kind.FLOAT)]
    return tuple(found)


def _touch_paths(bound: BoundTouchPaths) -> tuple[Column, ...]:
    names = (Column(f"name{step}", Kind.STRING) for step in range(1, bound.steps + 1))
    value, total = (
        () if bound.value_kind is None else (Column(name, bound.value_kind),) for name in ("value", "total_value")
    )
    counts = (Column("conversions", Kind.INTEGER), *value, Column("total", Kind.INTEGER), *total)
    return (Column("length", Kind.INTEGER), *names, *counts)


def _journey(bound: BoundJourney) -> tuple[Column, ...]:
    match bound.report:
        case JourneyReport.LINKS:
            return (
                Column("step", Kind.INTEGER),
                Column("name", Kind.STRING),
                Column("other", Kind.INTEGER),
                Column("next", Kind.STRING),
                Column("next_other", Kind.INTEGER),
                Column("ends", Kind.INTEGER),
                Column("count", Kind.INTEGER),
            )
        case JourneyReport.SEQUENCES:
            names = (Column(f"name{step}", Kind.STRING) for step in range(bound.steps + 1))
            return (
                Column("length", Kind.INTEGER),
                *names,
                Column("count", Kind.INTEGER),
                Column("total", Kind.INTEGER),
            )
        case _:
            assert_never(bound.report)


def _score(bound: BoundScore) -> tuple[Column, ...]:
    match bound.report:
        case ScoreReport.ENTITIES:
            kinds = dict(COLUMNS) | {"monetary": amount_kind(bound.model, bound.facts, bound.definition)}
            return tuple(Column(name, kind) for name, kind in kinds.items())
        case ScoreReport.HISTORY:
            return tuple(Column(name, Kind.INTEGER) for name in ("repeats", "last", "age", "count"))
        case _:
            assert_never(bound.report)
