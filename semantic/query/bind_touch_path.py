"""Bind a question about touch paths: names → definitions, dates absolute, all refused that has no right answer."""

from __future__ import annotations

from semantic.errors import Code, QueryError, did_you_mean
from semantic.model.facts import Facts, Kind
from semantic.model.metric import Attribution
from semantic.model.model import Model
from semantic.model.reach import touch_dimensions
from semantic.model.sequence import AttributionDefinition
from semantic.query.bind import condition_dimensions, days_with_data, dimension_key, least_through, with_related
from semantic.query.bound import BoundTouchPaths
from semantic.query.kind import column_kinds, expression_kind
from semantic.query.notice import incomplete
from semantic.query.period import resolve
from semantic.query.query import DimensionField
from semantic.query.touch_path import TouchPathQuery
from semantic.time import zone

MAX_STEPS = 50
MAX_PATHS = 1000


def touch_path_datasets(model: Model, query: TouchPathQuery) -> tuple[str, ...]:
    """The datasets whose facts the question needs, sorted. UNKNOWN_NAME."""
    needed: dict[str, None] = {}
    for dataset in _datasets(_definition(model, query)):
        with_related(model, dataset, needed)
    return tuple(sorted(needed))


def bind_touch_paths(model: Model, query: TouchPathQuery, facts: Facts) -> BoundTouchPaths:
    """The question with every name resolved and every date absolute."""
    for name, value, most in (("steps", query.steps, MAX_STEPS), ("limit", query.limit, MAX_PATHS)):
        if not 1 <= value <= most:
            raise QueryError(Code.BAD_ARGUMENT, f"`{name}` must be 1 to {most:,}.")
    definition = _definition(model, query)
    by = query.by or next(iter(model.shown(touch_dimensions(model, definition))), None)
    if by is None:
        raise QueryError(Code.BAD_ARGUMENT, f'The touches of "{definition.name}" have no dimension to be called by.')
    for name in (by, *condition_dimensions(query.where)):
        _check_dimension(model, definition, name)
    _check_segments(model, definition, query.segments)
    tz = zone(query.timezone or model.timezone)
    through = least_through(model, _datasets(definition), facts)
    span = resolve(query.time_range, through, tz, model.week_start) if query.time_range else None
    dataset = definition.conversion.dataset
    days = days_with_data([(dataset, model.datasets[dataset].time_dimension)], facts, tz)
    metric = _metric(model, definition, query)
    return BoundTouchPaths(
        model=model,
        facts=facts,
        definition=definition,
        by=dimension_key(model, DimensionField("name", by), [definition.touch.dataset], facts),
        metric=metric,
        value_kind=_value_kind(model, facts, definition, metric),
        steps=query.steps,
        repeats=query.repeats,
        zone=tz,
        week_start=model.week_start,
        span=span,
        data_through=through,
        where=query.where,
        segments=query.segments,
        limit=query.limit,
        warnings=tuple(incomplete(span, days, through)),
    )


def _definition(model: Model, query: TouchPathQuery) -> AttributionDefinition:
    found = model.attributions.get(query.attribution)
    if found is None:
        near = did_you_mean(query.attribution, model.attributions)
        raise QueryError(Code.UNKNOWN_NAME, f'There is no attribution "{query.attribution}".', near)
    return found


def _datasets(definition: AttributionDefinition) -> tuple[str, ...]:
    return tuple(dict.fromkeys((definition.touch.dataset, definition.conversion.dataset)))


def _check_dimension(model: Model, definition: AttributionDefinition, name: str) -> None:
    known = touch_dimensions(model, definition)
    if name not in known:
        shown = model.shown(known)
        raise QueryError(
            Code.DIMENSION_NOT_SHARED,
            f'The touches of "{definition.name}" can\'t be called or filtered by "{name}". '
            f"They can be by: {', '.join(shown) or 'nothing'}.",
            did_you_mean(name, shown),
        )


def _check_segments(model: Model, definition: AttributionDefinition, segments: tuple[str, ...]) -> None:
    known = {segment.name for segment in model.datasets[definition.touch.dataset].segments}
    for name in segments:
        if name not in known:
            raise QueryError(
                Code.SEGMENT_NOT_SHARED,
                f'Segment "{name}" is not defined for dataset "{definition.touch.dataset}", whose rows are touches.',
                did_you_mean(name, known),
            )


def _metric(model: Model, definition: AttributionDefinition, query: TouchPathQuery) -> Attribution | None:
    """The metric whose value is summed. BAD_ARGUMENT when it has none, or is none of this attribution."""
    if query.metric is None:
        return None
    metric = model.metric(query.metric)
    if not isinstance(metric, Attribution) or metric.attribution != definition.name or metric.value is None:
        raise QueryError(
            Code.BAD_ARGUMENT,
            f'"{metric.name}" credits no value of the attribution "{definition.name}".',
            "Name an attribution metric of it that has a `value`.",
        )
    return metric


def _value_kind(
    model: Model, facts: Facts, definition: AttributionDefinition, metric: Attribution | None
) -> Kind | None:
    if metric is None or metric.value is None:
        return None
    kind = expression_kind(metric.value, column_kinds(model, facts, definition.conversion.dataset))
    return kind if kind.is_number else Kind.FLOAT
