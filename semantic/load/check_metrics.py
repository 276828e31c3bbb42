"""Rules on metrics."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.errors import Code, Problem
from semantic.load.check_steps import check_step_order
from semantic.model.metric import Conversion, Cumulative, Derived, Metric, Ratio, Retention, Simple
from semantic.model.model import Model
from semantic.model.places import Path


def check_derived(model: Model) -> Iterator[Problem]:
    """A derived metric names a metric."""
    for metric in model.metrics.values():
        if isinstance(metric, Derived) and not metric.expr.refs:
            at = model.places.at("metrics", metric.name, "expr")
            yield Problem(Code.BAD_EXPRESSION, f'The derived metric "{metric.name}" names no metric.', at)


def check_time(model: Model) -> Iterator[Problem]:
    """What looks along time needs a time dimension in every dataset it looks at."""
    for metric in model.metrics.values():
        if isinstance(metric, Cumulative):
            for simple in _simple_parts(model, metric):
                if simple.time_dimension is None:
                    yield from _check_time(model, ("metrics", metric.name, "metric"), simple.dataset)
    for at, dataset in _sequences(model):
        yield from _check_time(model, at, dataset)


def _check_time(model: Model, at: Path, dataset: str) -> Iterator[Problem]:
    is_written = ("datasets", dataset, "time_dimension") in model.places
    if model.datasets[dataset].time_dimension is None and not is_written:
        message = f'"{at[1]}" is computed along time, and the dataset "{dataset}" has no time_dimension.'
        yield Problem(Code.MISSING_KEY, message, model.places.at(*at))


def _simple_parts(model: Model, metric: Metric) -> Iterator[Simple]:
    """The simple metrics a metric is computed from."""
    names: tuple[str, ...] = ()
    match metric:
        case Simple():
            yield metric
        case Ratio():
            names = (metric.numerator, metric.denominator)
        case Derived():
            names = tuple(ref.name for ref in metric.expr.refs)
        case Cumulative():
            names = (metric.metric,)
        case _:
            pass
    for name in names:
        yield from _simple_parts(model, model.metrics[name])


def _sequences(model: Model) -> Iterator[tuple[Path, str]]:
    """Where a dataset is named whose events are followed in time or kept apart by it, and the dataset."""
    for funnel in model.funnels.values():
        for step in funnel.steps:
            own = ("funnels", funnel.name, "steps", step.name, "dataset")
            yield own if own in model.places else ("funnels", funnel.name, "dataset"), step.dataset
    for retention in model.retentions.values():
        yield ("retentions", retention.name, "cohort", "dataset"), retention.cohort.dataset
        yield ("retentions", retention.name, "return", "dataset"), retention.returns.dataset
    for attribution in model.attributions.values():
        yield ("attributions", attribution.name, "conversion", "dataset"), attribution.conversion.dataset
        yield ("attributions", attribution.name, "touch", "dataset"), attribution.touch.dataset
    for rollup in model.rollups.values():
        yield ("rollups", rollup.name, "dataset"), rollup.dataset


def check_conversions(model: Model) -> Iterator[Problem]:
    """A conversion leads from a step of its funnel to a later one."""
    for metric in model.metrics.values():
        if isinstance(metric, Conversion):
            yield from _check_conversion(model, metric)


def _check_conversion(model: Model, metric: Conversion) -> Iterator[Problem]:
    at = ("metrics", metric.name)
    yield from check_step_order(model, at, model.funnels[metric.funnel], metric.from_step, metric.to_step)


def check_periods(model: Model) -> Iterator[Problem]:
    """Period 0 says something only of another event than the cohort's."""
    for metric in model.metrics.values():
        if isinstance(metric, Retention) and metric.period == 0:
            retention = model.retentions[metric.retention]
            if retention.cohort == retention.returns:
                message = "Period 0 is always 100 % when coming back is the cohort's own event."
                yield Problem(Code.BAD_VALUE, message, model.places.at("metrics", metric.name, "period"))
