"""Refusals: questions that can't be answered rightly, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable

from semantic.errors import Code, QueryError, did_you_mean
from semantic.model.facts import Kind
from semantic.model.metric import Cumulative, Derived, Metric, Ratio
from semantic.model.model import Model
from semantic.model.reach import is_credited, sources
from semantic.query.bound import BoundMetric, BoundQuery
from semantic.query.period import finest, nested
from semantic.query.query import Comparison, MetricField, MetricQuery, TimeField
from semantic.time import Duration, Grain, Unit

MAX_DURATION = 100_000
"""Units an offset or a window may span."""


def check_arguments(query: MetricQuery) -> None:
    """What is wrong whatever the model says: numbers out of range, arguments that exclude each other, unknown keys."""
    if not query.metrics:
        raise QueryError(Code.NO_METRIC, "No metric is selected.", "Select at least one metric in `rows`.")
    if query.limit is not None and query.limit < 0:
        raise _bad("`limit` can't be negative.")
    if query.offset < 0:
        raise _bad("`offset` can't be negative.")
    for field in query.metrics:
        _check_field(field)
    keys = [field.key for field in query.fields]
    if len(set(keys)) != len(keys):
        raise _bad("Two fields have the same response key.", "Give one of them an alias.")
    if query.fill and not any(isinstance(field, TimeField) for field in query.fields):
        raise _bad("`fill` needs a time field: it adds the periods without rows.", "Select `time(grain: …)`.")
    _check_keys("orderBy", (order.key for order in query.order_by), keys)
    _check_keys("having", (having.key for having in query.having), keys)


def _bad(message: str, suggestion: str | None = None) -> QueryError:
    return QueryError(Code.BAD_ARGUMENT, message, suggestion)


def _check_field(field: MetricField) -> None:
    if field.rolling is not None and field.to_date is not None:
        raise _bad(f"`{field.key}` has both `rolling` and `toDate`.", "Choose one of them.")
    if field.offset is None and field.comparison is not Comparison.VALUE:
        raise _bad(f"`{field.key}` compares with nothing.", "Give `offset` beside `as`.")
    for name, duration in (("offset", field.offset), ("rolling", field.rolling)):
        if duration is not None and not 1 <= duration.count <= MAX_DURATION:
            raise _bad(f"`{name}` of `{field.key}` must count 1 to {MAX_DURATION:,} units.")


def _check_keys(argument: str, names: Iterable[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            near = did_you_mean(name, known) or f"Selected are: {', '.join(known)}."
            raise _bad(f'`{argument}` names "{name}", which is not selected in `rows`.', near)


def check_models(model: Model, query: MetricQuery) -> None:
    """A model of attribution, asked of what has no credit."""
    for field in query.metrics:
        if field.model is not None and not is_credited(model, model.metric(field.metric)):
            raise _bad(f'`model` says how credit is shared, but "{field.metric}" has none.', "Leave it out.")


def check_segments(model: Model, query: MetricQuery, datasets: Iterable[str]) -> None:
    """A segment filters every dataset of a query, or it is refused: nothing is left unfiltered silently."""
    known = {segment.name for dataset in model.datasets.values() for segment in dataset.segments}
    for name in query.segments:
        if name not in known:
            raise QueryError(Code.UNKNOWN_NAME, f'There is no segment "{name}".', did_you_mean(name, known))
        for dataset in datasets:
            if name not in {segment.name for segment in model.datasets[dataset].segments}:
                raise QueryError(
                    Code.SEGMENT_NOT_SHARED,
                    f'Segment "{name}" is not defined for dataset "{dataset}", which the query reads.',
                    f'Ask for the metrics of "{dataset}" in a query of their own.',
                )


def check_timed(model: Model, query: MetricQuery, metrics: Iterable[Metric]) -> None:
    """Time asked of rows that have none."""
    frames = any(field.offset or field.rolling or field.to_date for field in query.metrics)
    if not frames and query.time_range is None and not any(isinstance(field, TimeField) for field in query.fields):
        return
    split = frames or any(isinstance(field, TimeField) for field in query.fields)
    for metric in metrics:
        for source in sources(model, metric):
            is_state = model.datasets[source.dataset].score is not None
            if is_state and split:
                raise QueryError(
                    Code.NO_TIME_DIMENSION,
                    f'"{metric.name}" says how things stand at the end of the time range: it has no time of its own.',
                    "Ask for it without time fields, offsets and windows; for a trend, once for each range.",
                )
            if source.time is None and not is_state:
                raise QueryError(
                    Code.NO_TIME_DIMENSION,
                    f'"{metric.name}" has no time: dataset "{source.dataset}" declares no time_dimension.',
                    "Ask for it without a time range, time fields, offsets and windows.",
                )


def check_time(bound: BoundQuery) -> None:
    """Time finer than rows have it."""
    clock = [key.grain for key in bound.time_keys if key.grain.is_clock]
    for metric in bound.metrics:
        if metric.absent:
            continue
        for source in sources(bound.model, metric.metric):
            time = source.time
            kind = bound.facts.datasets[time.dataset].columns.get(time.name) if time else None
            if clock and kind is Kind.DATE:
                raise QueryError(
                    Code.GRAIN_NOT_POSSIBLE,
                    f'"{metric.metric.name}" has days only: it can\'t be split by {clock[0].name}.',
                    "Use DAY or a coarser grain.",
                )


def check_frames(bound: BoundQuery) -> None:
    """Offsets and windows that have no single meaning for the periods asked for."""
    grains = [key.grain for key in bound.time_keys]
    for metric in bound.metrics:
        windows = [metric.frame.window, *_inner_windows(bound.model, metric.metric)]
        framed = not metric.frame.is_plain or isinstance(metric.metric, Cumulative) or len(windows) > 1
        if framed and not nested(grains):
            raise _refused(metric, "weeks don't lie within months", "Select one grain, or add DAY.")
        if any(grain.is_clock for grain in grains):
            _check_clock_frame(metric, windows)
        else:
            _check_day_frame(metric, windows)
        _check_to_date(bound.model, metric, finest([*grains, Grain.DAY]))


def _check_clock_frame(metric: BoundMetric, windows: list[Duration | None]) -> None:
    for duration in (metric.frame.offset, *windows):
        if duration is not None and duration.seconds is None:
            raise _refused(metric, f"{duration} has no fixed length in hours", "Use DAY or a coarser grain.")
        if duration is not None and duration.unit is Unit.SECOND:
            raise _refused(metric, f"{duration} are finer than any of its periods", "Use minutes or longer.")


def _check_day_frame(metric: BoundMetric, windows: list[Duration | None]) -> None:
    for duration in (metric.frame.offset, *windows):
        if duration is not None and duration.days is None and duration.months is None:
            raise _refused(metric, f"{duration} is not a whole number of days", "Select time(grain: HOUR).")


def _check_to_date(model: Model, metric: BoundMetric, grain: Grain) -> None:
    """What has run since an hour began says nothing of a day."""
    inside = (found.grain_to_date for found in _inside(model, metric.metric) if isinstance(found, Cumulative))
    for since in (metric.frame.to_date, *inside):
        if since is not None and since.is_clock and finest([since, grain]) is not grain:
            raise _refused(
                metric, f"each {since} ends before its {grain} does", f"Select time(grain: {since.name}), or finer."
            )


def _inner_windows(model: Model, metric: Metric) -> list[Duration | None]:
    """The windows of the cumulative metrics inside. Refuses one inside another."""
    if isinstance(metric, Cumulative):
        if any(isinstance(found, Cumulative) for found in _inside(model, model.metrics[metric.metric])):
            raise QueryError(
                Code.NOT_ANSWERABLE, f'"{metric.name}" accumulates "{metric.metric}", which accumulates already.'
            )
        return [metric.window]
    return [found.window for found in _inside(model, metric) if isinstance(found, Cumulative)]


def _inside(model: Model, metric: Metric) -> list[Metric]:
    found = [metric]
    match metric:
        case Ratio():
            names: tuple[str, ...] = (metric.numerator, metric.denominator)
        case Derived():
            names = tuple(ref.name for ref in metric.expr.refs)
        case Cumulative():
            names = (metric.metric,)
        case _:
            names = ()
    for name in names:
        found += _inside(model, model.metrics[name])
    return found


def _refused(metric: BoundMetric, reason: str, suggestion: str) -> QueryError:
    return QueryError(Code.NOT_ANSWERABLE, f"`{metric.key}` can't be answered: {reason}.", suggestion)
