"""Bind a question about a retention.

names → definitions, dates absolute, everything refused that has no right answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from semantic.errors import Code, QueryError, did_you_mean
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.model.reach import reachable
from semantic.model.sequence import Clock, RetentionDefinition
from semantic.query.bind import condition_dimensions, days_with_data, dimension_key, least_through, with_related
from semantic.query.bound import BoundLifecycle, BoundRetention
from semantic.query.cells import cells
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.notice import incomplete
from semantic.query.period import resolve
from semantic.query.query import DimensionField
from semantic.query.retention import RetentionQuery
from semantic.time import Grain, zone

MAX_CELLS = 400


def retention_datasets(model: Model, query: RetentionQuery | LifecycleQuery) -> tuple[str, ...]:
    """The datasets whose facts the question needs, sorted. UNKNOWN_NAME."""
    definition = _definition(model, query)
    needed: dict[str, None] = {}
    for dataset in (definition.cohort.dataset, definition.returns.dataset):
        with_related(model, dataset, needed)
    return tuple(sorted(needed))


def bind_retention(model: Model, query: RetentionQuery, facts: Facts) -> BoundRetention:
    """The question with every name resolved and every date absolute."""
    definition = _definition(model, query)
    _check(model, query, definition)
    tz = zone(query.timezone or model.timezone)
    cohort = definition.cohort.dataset
    datasets = (cohort, definition.returns.dataset)
    through = least_through(model, datasets, facts)
    span = resolve(query.time_range, through, tz, model.week_start) if query.time_range else None
    days = days_with_data([(cohort, model.datasets[cohort].time_dimension)], facts, tz)
    fields = [DimensionField(f"by{place}", name) for place, name in enumerate(query.breakdown)]
    return BoundRetention(
        model=model,
        facts=facts,
        definition=definition,
        cells=cells(definition, query.periods),
        zone=tz,
        week_start=model.week_start,
        span=span,
        days=days,
        data_through=through,
        where=query.where,
        segments=query.segments,
        dimensions=tuple(dimension_key(model, field, [cohort], facts) for field in fields),
        warnings=tuple(incomplete(span, days, through)),
    )


def bind_lifecycle(model: Model, query: LifecycleQuery, facts: Facts) -> BoundLifecycle:
    """The question about a lifecycle with every name resolved and every date absolute."""
    definition = _definition(model, query)
    grain = query.grain or definition.grain
    if grain not in (Grain.DAY, Grain.WEEK, Grain.MONTH):
        raise QueryError(Code.GRAIN_NOT_POSSIBLE, f"A lifecycle can't be by {grain.name}.", "Use DAY, WEEK or MONTH.")
    _check_splits(model, definition, condition_dimensions(query.where), query.segments)
    tz = zone(query.timezone or model.timezone)
    dataset = definition.cohort.dataset
    through = least_through(model, [dataset], facts)
    span = resolve(query.time_range, through, tz, model.week_start) if query.time_range else None
    days = days_with_data([(dataset, model.datasets[dataset].time_dimension)], facts, tz)
    return BoundLifecycle(
        model=model,
        facts=facts,
        definition=definition,
        grain=grain,
        zone=tz,
        week_start=model.week_start,
        span=span,
        days=days,
        data_through=through,
        where=query.where,
        segments=query.segments,
        warnings=tuple(incomplete(span, days, through)),
    )


def _definition(model: Model, query: RetentionQuery | LifecycleQuery) -> RetentionDefinition:
    found = model.retentions.get(query.retention)
    if found is None:
        near = did_you_mean(query.retention, model.retentions)
        raise QueryError(Code.UNKNOWN_NAME, f'There is no retention "{query.retention}".', near)
    return found


def _check(model: Model, query: RetentionQuery, definition: RetentionDefinition) -> None:
    if query.periods is not None and not 1 <= query.periods <= MAX_CELLS:
        raise QueryError(Code.BAD_ARGUMENT, f"`periods` must be 1 to {MAX_CELLS}.")
    if definition.clock is Clock.ELAPSED and definition.grain is Grain.MONTH:
        raise QueryError(
            Code.NOT_ANSWERABLE,
            f'"{definition.name}" counts elapsed months, which have no fixed length.',
            "Use the calendar clock, or the grain day or week.",
        )
    if len(set(query.breakdown)) != len(query.breakdown):
        raise QueryError(Code.BAD_ARGUMENT, "`breakdown` names a dimension twice.")
    names = (*query.breakdown, *condition_dimensions(query.where))
    _check_splits(model, definition, names, query.segments)


def _check_splits(model: Model, definition: RetentionDefinition, names: Iterable[str], segments: Iterable[str]) -> None:
    """Refuse dimensions and segments that the cohort events don't have."""
    dataset = model.datasets[definition.cohort.dataset]
    known = reachable(model, dataset.name)
    for name in names:
        if name not in known:
            shown = model.shown(known)
            raise QueryError(
                Code.DIMENSION_NOT_SHARED,
                f'Retention "{definition.name}" can\'t be split or filtered by "{name}": its cohort events are rows of '
                f'"{dataset.name}". It can be by: {", ".join(shown) or "nothing"}.',
                did_you_mean(name, shown),
            )
    declared = {segment.name for segment in dataset.segments}
    for name in segments:
        if name not in declared:
            raise QueryError(
                Code.SEGMENT_NOT_SHARED,
                f'Segment "{name}" is not defined for dataset "{dataset.name}", whose rows make the cohorts.',
                did_you_mean(name, declared),
            )
