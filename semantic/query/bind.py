"""Bind: names → definitions, relative dates → absolute. Every mistake in a question is found here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from semantic.errors import Code, QueryError, did_you_mean
from semantic.model.facts import Facts, Kind
from semantic.model.metric import Metric
from semantic.model.model import Model
from semantic.model.reach import MetricSource, datasets_behind, datasets_read, reachable, sources, splits
from semantic.query.bound import BoundMetric, BoundQuery, DimensionKey, Frame, Key, TimeKey
from semantic.query.check import check_arguments, check_frames, check_models, check_segments, check_time, check_timed
from semantic.query.kind import dimension_kind, metric_kind, widest
from semantic.query.notice import notices
from semantic.query.period import Span, bounds_of, data_through, days_span, local_day, resolve
from semantic.query.query import (
    And,
    Compare,
    Comparison,
    Condition,
    DimensionField,
    MetricField,
    MetricQuery,
    Not,
    Or,
    TimeField,
)
from semantic.time import zone


def datasets_needed(model: Model, query: MetricQuery) -> tuple[str, ...]:
    """The datasets whose facts a query needs: its metrics', and those that relationships lead to. UNKNOWN_METRIC."""
    names = {field.dimension for field in query.fields if isinstance(field, DimensionField)}
    for condition in (query.where, *(field.where for field in query.metrics)):
        names.update(condition_dimensions(condition))
    entities = [dataset for dataset in model.datasets.values() if dataset.is_made]
    made = {dataset.name for dataset in entities if any(one.name in names for one in dataset.dimensions)}
    found: dict[str, None] = {}
    for field in query.metrics:
        for dataset in datasets_read(model, model.metric(field.metric)):
            with_related(model, dataset, found, made)
    return tuple(sorted(found))


def with_related(model: Model, dataset: str, found: dict[str, None], made: Collection[str] | None = None) -> None:
    """Adds a dataset, what says what its columns mean, and all that relationships lead to from it, to `found`: those
    that have files. `made`: what only these (None: all) of those without files are made of.
    """
    stored = model.stored_as(dataset)
    if stored not in found:
        found[stored] = None
        for behind in datasets_behind(model, stored):
            with_related(model, behind, found, made)
        for relationship in model.relationships_from(stored):
            if made is None or not relationship.implied or relationship.to_dataset in made:
                with_related(model, relationship.to_dataset, found, made)


def bind(model: Model, query: MetricQuery, facts: Facts) -> BoundQuery:
    """The query with every name resolved and every date absolute. QueryError, the first that is found."""
    check_arguments(query)
    tz = zone(query.timezone or model.timezone)
    check_models(model, query)
    metrics = [model.metric(field.metric) for field in query.metrics]
    absent = [_is_absent(model, query, field, metric) for field, metric in zip(query.metrics, metrics, strict=True)]
    present = [metric for metric, is_absent in zip(metrics, absent, strict=True) if not is_absent]
    read = list(dict.fromkeys(source for metric in present for source in sources(model, metric)))
    check_segments(model, query, dict.fromkeys(source.dataset for source in read))
    check_timed(model, query, present)
    through = least_through(model, (name for metric in present for name in datasets_read(model, metric)), facts)
    span = None
    if query.time_range is not None:
        span = resolve(query.time_range, through, tz, model.week_start)
    bound = BoundQuery(
        model=model,
        facts=facts,
        output=tuple(field.key for field in query.fields),
        keys=tuple(_keys(model, query, read, facts)),
        metrics=tuple(
            _metric(model, field, facts, is_absent) for field, is_absent in zip(query.metrics, absent, strict=True)
        ),
        zone=tz,
        week_start=model.week_start,
        span=span,
        days=_days(read, facts, tz),
        data_through=through,
        where=query.where,
        segments=query.segments,
        having=query.having,
        order_by=query.order_by,
        limit=query.limit,
        offset=query.offset,
        fill=query.fill,
        count_rows=query.count_rows,
        warnings=(),
    )
    check_time(bound)
    check_frames(bound)
    return notices(bound)


def _metric(model: Model, field: MetricField, facts: Facts, absent: bool) -> BoundMetric:
    metric = model.metric(field.metric)
    frame = Frame(field.offset, field.rolling, field.to_date)
    kind = metric_kind(model, facts, metric)
    if field.comparison is not Comparison.VALUE and not kind.is_number:
        raise QueryError(
            Code.BAD_ARGUMENT, f'"{metric.name}" is no number: it has no change.', "Ask for its value at the offset."
        )
    splits_credit = field.model is not None and not field.model.is_whole
    if field.comparison is Comparison.CHANGE_RATIO or (splits_credit and kind is Kind.DECIMAL):
        kind = Kind.FLOAT
    return BoundMetric(field.key, metric, kind, frame, field.where, field.comparison, absent, field.model)


def _keys(model: Model, query: MetricQuery, read: list[MetricSource], facts: Facts) -> Iterator[Key]:
    for field in query.fields:
        match field:
            case TimeField(key, grain):
                yield TimeKey(key, grain)
            case DimensionField():
                datasets = dict.fromkeys(source.dataset for source in read)
                yield dimension_key(model, field, datasets, facts)


def dimension_key(model: Model, field: DimensionField, datasets: Iterable[str], facts: Facts) -> DimensionKey:
    """A dimension field over the datasets it splits, of a kind that holds the values of all. GRAIN_NOT_POSSIBLE."""
    key, dimension, grain = field.key, field.dimension, field.grain
    kinds = []
    for dataset in datasets:
        reached = reachable(model, dataset).get(dimension)
        if reached is not None:
            kinds.append(dimension_kind(model, facts, reached, dataset))
    kind = widest(kinds) if kinds else Kind.STRING
    if grain is None:
        return DimensionKey(key, dimension, kind)
    if kind not in (Kind.DATE, Kind.TIMESTAMPTZ) or (grain.is_clock and kind is Kind.DATE):
        raise QueryError(
            Code.GRAIN_NOT_POSSIBLE,
            f'"{dimension}" can\'t be bucketed by {grain.name}.',
            "Only date and time dimensions have a grain, and a date none finer than a day.",
        )
    return DimensionKey(key, dimension, Kind.TIMESTAMPTZ if grain.is_clock else Kind.DATE, grain)


def condition_dimensions(condition: Condition | None) -> Iterator[str]:
    """The dimensions a condition names, with repeats."""
    match condition:
        case None:
            return
        case Compare():
            yield condition.dimension
        case And(parts) | Or(parts):
            for part in parts:
                yield from condition_dimensions(part)
        case Not(part):
            yield from condition_dimensions(part)


def _is_absent(model: Model, query: MetricQuery, field: MetricField, metric: Metric) -> bool:
    """Whether the metric is null here by its author's choice. DIMENSION_NOT_SHARED when it can't be split as asked."""
    names = [item.dimension for item in query.fields if isinstance(item, DimensionField)]
    names += [*condition_dimensions(query.where), *condition_dimensions(field.where)]
    known = splits(model, metric)
    for name in names:
        if name in known:
            continue
        _check_known(model, name)
        if metric.unallocated_null:
            return True
        shown = model.shown(known)
        options = ", ".join(shown) if shown else "nothing"
        raise QueryError(
            Code.DIMENSION_NOT_SHARED,
            f'"{metric.name}" can\'t be split or filtered by "{name}". It can be by: {options}.',
            did_you_mean(name, shown),
        )
    return False


def _check_known(model: Model, name: str) -> None:
    everything = {found for dataset in model.datasets for found in reachable(model, dataset)}
    if name not in everything:
        near = did_you_mean(name, model.shown(everything))
        raise QueryError(Code.UNKNOWN_DIMENSION, f'There is no dimension "{name}".', near)


def least_through(model: Model, datasets: Iterable[str], facts: Facts) -> date | None:
    """The last local day that is complete in every one of the datasets."""
    tz = zone(model.timezone)
    days = (data_through(model.datasets[name], facts.datasets[name], tz) for name in dict.fromkeys(datasets))
    return min((day for day in days if day is not None), default=None)


def _days(read: list[MetricSource], facts: Facts, tz: ZoneInfo) -> tuple[date, date] | None:
    return days_with_data(((time.dataset, time.name) for source in read if (time := source.time)), facts, tz)


def days_with_data(read: Iterable[tuple[str, str | None]], facts: Facts, tz: ZoneInfo) -> tuple[date, date] | None:
    """The first and the last local day over (dataset, time column) pairs; None when there are no rows."""
    found = [bounds_of(facts.datasets[dataset], time) for dataset, time in read]
    known = [(local_day(bounds.first, tz), local_day(bounds.last, tz)) for bounds in found if bounds is not None]
    if not known:
        return None
    return min(first for first, _ in known), max(last for _, last in known)


def range_or_days(span: Span | None, days: tuple[date, date] | None, tz: ZoneInfo) -> Span | None:
    """The range asked for; without one, all days with data. None when there is no data either."""
    return days_span(*days, tz) if span is None and days is not None else span


def effective_span(bound: BoundQuery) -> Span | None:
    """The range of a query; without one, all days with data. None when there is no data either."""
    return range_or_days(bound.span, bound.days, bound.zone)
