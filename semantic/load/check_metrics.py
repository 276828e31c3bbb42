"""Rules on metrics."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Final

from semantic.errors import Code, Problem
from semantic.load.check_steps import check_step_order
from semantic.model.metric import Conversion, Cumulative, Derived, Metric, Retention, Simple
from semantic.model.model import Model
from semantic.model.places import Path
from semantic.model.reads import metrics_read
from semantic.model.sequence import RetentionMode

MAX_DEPTH: Final = 50
"""Levels of metrics computed from metrics."""
MAX_PARTS: Final = 10_000
"""Simple metrics in one metric, each counted as often as it is named on the way down."""


def check_derived(model: Model) -> Iterator[Problem]:
    """A derived metric names a metric."""
    for metric in model.metrics.values():
        if isinstance(metric, Derived) and not metric.expr.refs:
            at = model.places.at("metrics", metric.name, "expr")
            yield Problem(Code.BAD_EXPRESSION, f'The derived metric "{metric.name}" names no metric.', at)


def check_towers(model: Model) -> Iterator[Problem]:
    """Metrics computed from metrics computed from metrics … have an end, so that a query over them has one."""
    parts = {name: metrics_read(metric) for name, metric in model.metrics.items()}
    depth: dict[str, int] = {}
    size: dict[str, int] = {}
    for name in TopologicalSorter(parts).static_order():
        depth[name] = 1 + max((depth[part] for part in parts[name]), default=0)
        size[name] = sum(size[part] for part in parts[name]) or 1
        is_new = all(depth[part] <= MAX_DEPTH and size[part] <= MAX_PARTS for part in parts[name])
        if is_new and (depth[name] > MAX_DEPTH or size[name] > MAX_PARTS):
            message = (
                f"The metric is computed through more than {MAX_DEPTH} levels or {MAX_PARTS:,} parts of other metrics."
            )
            yield Problem(Code.BAD_VALUE, message, model.places.at("metrics", name))


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
    """The simple metrics a metric is computed from, by however many steps, each once."""
    pending, seen = [metric], {metric.name}
    for part in pending:
        fresh = [name for name in metrics_read(part) if name not in seen]
        seen.update(fresh)
        pending += [model.metrics[name] for name in fresh]
        if isinstance(part, Simple):
            yield part


def _sequences(model: Model) -> Iterator[tuple[Path, str]]:
    """Where a dataset is named whose events are followed in time or kept apart by it, and the dataset."""
    for funnel in model.funnels.values():
        for step in funnel.steps:
            own = ("funnels", funnel.name, "steps", step.name, "dataset")
            yield own if own in model.places else ("funnels", funnel.name, "dataset"), step.dataset
        if funnel.dataset in funnel.datasets and all(step.dataset != funnel.dataset for step in funnel.steps):
            yield ("funnels", funnel.name, "dataset"), funnel.dataset
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
        if isinstance(metric, Retention) and metric.period == 0 and metric.value is None:
            retention = model.retentions[metric.retention]
            if retention.cohort == retention.returns:
                message = "Period 0 is always 100 % when coming back is the cohort's own event."
                yield Problem(Code.BAD_VALUE, message, model.places.at("metrics", metric.name, "period"))


def check_mature(model: Model) -> Iterator[Problem]:
    """Cohorts count when they are old enough for the metric's own period, or for a later one."""
    for metric in model.metrics.values():
        if not isinstance(metric, Retention) or metric.mature is None:
            continue
        at = model.places.at("metrics", metric.name, "mature")
        if metric.mature < metric.period:
            message = f"Cohorts that count are old enough for period {metric.period}, and {metric.mature} is less."
            yield Problem(Code.BAD_VALUE, message, at)
        if model.retentions[metric.retention].mode is RetentionMode.BRACKET:
            message = 'The cells of this retention are brackets: "mature" is for single periods.'
            yield Problem(Code.BAD_VALUE, message, at)


MAX_PAYBACK = 180
"""Periods a payback may look ahead: each is a sum of its own."""


def check_paybacks(model: Model) -> Iterator[Problem]:
    """A cost is reached by a value, and by no bracket's."""
    for metric in model.metrics.values():
        if not isinstance(metric, Retention):
            continue
        at = ("metrics", metric.name)
        if metric.cost is not None and metric.value is None:
            yield Problem(Code.MISSING_KEY, 'A "cost" needs a "value" that reaches it.', model.places.at(*at, "cost"))
        if metric.cost is not None and metric.period > MAX_PAYBACK:
            message = f"A payback looks at most {MAX_PAYBACK} periods ahead."
            yield Problem(Code.BAD_VALUE, message, model.places.at(*at, "period"))
        if metric.value is not None and model.retentions[metric.retention].mode is RetentionMode.BRACKET:
            message = "A lifetime value counts single periods, and this retention has brackets."
            yield Problem(Code.BAD_VALUE, message, model.places.at(*at, "retention"))
