"""Bind a question about journeys: names → definitions, dates absolute, everything refused that has no right answer."""

from __future__ import annotations

from semantic.errors import Code, QueryError, did_you_mean
from semantic.model.dataset import Dataset
from semantic.model.facts import Facts, Kind
from semantic.model.model import Model
from semantic.model.reach import reachable
from semantic.query.bind import condition_dimensions, days_with_data, dimension_key, least_through, with_related
from semantic.query.bound import BoundJourney
from semantic.query.journey import JourneyQuery
from semantic.query.notice import incomplete
from semantic.query.period import resolve
from semantic.query.query import DimensionField
from semantic.time import Duration, zone

MAX_STEPS = 20
MAX_NAMES = 100
MAX_DAYS = 36_525


def journey_datasets(model: Model, query: JourneyQuery) -> tuple[str, ...]:
    """The datasets whose facts the question needs, sorted. QueryError for unknown names."""
    needed: dict[str, None] = {}
    with_related(model, _dataset(model, query).name, needed)
    return tuple(sorted(needed))


def bind_journey(model: Model, query: JourneyQuery, facts: Facts) -> BoundJourney:
    """The question with every name resolved and every date absolute."""
    _check_numbers(query)
    dataset = _dataset(model, query)
    by = dimension_key(model, DimensionField("name", query.by), [dataset.name], facts)
    if by.kind is Kind.TIMESTAMPTZ:
        raise QueryError(
            Code.BAD_ARGUMENT, f'"{query.by}" is a time: events can\'t be called by it.', "Use another `by`."
        )
    tz = zone(query.timezone or model.timezone)
    through = least_through(model, [dataset.name], facts)
    span = resolve(query.time_range, through, tz, model.week_start) if query.time_range else None
    days = days_with_data([(dataset.name, dataset.time_dimension)], facts, tz)
    return BoundJourney(
        model=model,
        facts=facts,
        dataset=dataset,
        entity=_entity(dataset, query),
        by=by,
        anchor=query.anchor,
        backward=query.backward,
        report=query.report,
        steps=query.steps,
        zone=tz,
        week_start=model.week_start,
        span=span,
        data_through=through,
        where=query.where,
        segments=query.segments,
        within=_seconds("within", query.within),
        gap=None if query.gap is None else _seconds("gap", query.gap),
        repeats=query.repeats,
        limit=query.limit,
        warnings=tuple(incomplete(span, days, through)),
    )


def _dataset(model: Model, query: JourneyQuery) -> Dataset:
    """The dataset asked for, or the first that can hold such events."""
    if query.dataset is not None and query.dataset not in model.datasets:
        near = did_you_mean(query.dataset, model.datasets)
        raise QueryError(Code.UNKNOWN_NAME, f'There is no dataset "{query.dataset}".', near)
    every = {name for found in model.datasets for name in reachable(model, found)}
    needed = dict.fromkeys((query.by, *condition_dimensions(query.anchor), *condition_dimensions(query.where)))
    for name in needed:
        if name not in every:
            near = did_you_mean(name, model.shown(every))
            raise QueryError(Code.UNKNOWN_DIMENSION, f'There is no dimension "{name}".', near)
    asked = [query.dataset] if query.dataset is not None else list(model.datasets)
    lacks = {name: list(_lacks(model, model.datasets[name], query, tuple(needed))) for name in asked}
    able = [name for name, missing in lacks.items() if not missing]
    if able:
        return model.datasets[able[0]]
    if query.dataset is None:
        raise QueryError(
            Code.DIMENSION_NOT_SHARED,
            f"No dataset has what these paths need: a time dimension, the entity, and {_listed(needed)}.",
            "Name fewer dimensions.",
        )
    raise QueryError(
        Code.DIMENSION_NOT_SHARED,
        f'Dataset "{query.dataset}" has no {" and no ".join(lacks[query.dataset])}: paths need it.',
        "Name another dataset, or none: the first that has everything is taken.",
    )


def _lacks(model: Model, dataset: Dataset, query: JourneyQuery, needed: tuple[str, ...]) -> list[str]:
    """What a dataset is without."""
    known, segments = reachable(model, dataset.name), {segment.name for segment in dataset.segments}
    missing = [] if dataset.time_dimension else ["time dimension"]
    if not (dataset.entity_column(query.entity) if query.entity else dataset.entities):
        missing.append(f'entity "{query.entity}"' if query.entity else "entity")
    missing += [f'dimension "{name}"' for name in needed if name not in known]
    return missing + [f'segment "{name}"' for name in query.segments if name not in segments]


def _entity(dataset: Dataset, query: JourneyQuery) -> str:
    return query.entity or dataset.entities[0][0]


def _listed(names: dict[str, None]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _check_numbers(query: JourneyQuery) -> None:
    if not 1 <= query.steps <= MAX_STEPS:
        raise QueryError(Code.BAD_ARGUMENT, f"`steps` must be 1 to {MAX_STEPS}.")
    if not 1 <= query.limit <= MAX_NAMES:
        raise QueryError(Code.BAD_ARGUMENT, f"`limit` must be 1 to {MAX_NAMES}.")


def _seconds(name: str, duration: Duration) -> int:
    if duration.seconds is None:
        raise QueryError(Code.BAD_ARGUMENT, f"`{name}`: {duration} has no fixed length.", "Use weeks or shorter units.")
    if not 1 <= duration.seconds <= MAX_DAYS * 86_400:
        raise QueryError(Code.BAD_ARGUMENT, f"`{name}` must be 1 second to {MAX_DAYS} days.")
    return duration.seconds
