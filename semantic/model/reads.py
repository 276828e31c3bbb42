"""What a model's parts read: which expressions it holds, over which dataset, what the names in them mean, and which
metrics a metric is computed from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from semantic.model.dataset import Dataset, Dimension, Relationship
from semantic.model.expression import Expression, Ref
from semantic.model.metric import Attribution, Conversion, Cumulative, Derived, Metric, Ratio, Retention, Simple
from semantic.model.model import Model
from semantic.model.policy import DatasetPolicy

DimensionKey = tuple[str, str]
"""A dimension: its dataset and its name there."""


def expressions(model: Model) -> Iterator[tuple[str, Expression]]:
    """Every expression over rows, with the dataset whose columns it reads. Derived metrics have none, nor `unless`."""
    for dataset, expression in _optional(model):
        if expression is not None:
            yield dataset, expression


def _optional(model: Model) -> Iterator[tuple[str, Expression | None]]:
    for dataset in model.datasets.values():
        yield from _of_dataset(dataset)
    for metric in model.metrics.values():
        if isinstance(metric, Simple):
            yield metric.dataset, metric.expr
            yield metric.dataset, metric.where
        elif isinstance(metric, Attribution):
            yield model.attributions[metric.attribution].conversion.dataset, metric.value
        elif isinstance(metric, Retention):
            yield model.retentions[metric.retention].returns.dataset, metric.value
    yield from _of_sequences(model)
    for policy in model.policies.values():
        if isinstance(policy, DatasetPolicy):
            yield policy.dataset, policy.where


def _of_dataset(dataset: Dataset) -> Iterator[tuple[str, Expression | None]]:
    for _, computed in dataset.computed:
        yield dataset.name, computed
    for dimension in dataset.dimensions:
        yield dataset.name, dimension.expr
    for segment in dataset.segments:
        yield dataset.name, segment.where
    yield dataset.name, dataset.passive


def _of_sequences(model: Model) -> Iterator[tuple[str, Expression | None]]:
    for funnel in model.funnels.values():
        for step in funnel.steps:
            yield step.dataset, step.where
        for exclude in funnel.exclude:
            yield funnel.dataset, exclude.where
    for retention in model.retentions.values():
        for events in (retention.cohort, retention.returns):
            yield events.dataset, events.where
    for attribution in model.attributions.values():
        for events in (attribution.conversion, attribution.touch):
            yield events.dataset, events.where
        yield attribution.touch.dataset, attribution.direct
    for first in model.firsts.values():
        yield first.dataset, first.where
    for score in model.scores.values():
        for expression in (score.where, score.purchase, score.amount):
            yield score.dataset, expression


def metrics_read(metric: Metric) -> tuple[str, ...]:
    """The metrics a metric is directly computed from, each once; those of other types have none."""
    match metric:
        case Ratio():
            return tuple(dict.fromkeys((metric.numerator, metric.denominator)))
        case Derived():
            return tuple(ref.name for ref in metric.expr.refs)
        case Cumulative():
            return (metric.metric,)
        case Retention():
            return () if metric.cost is None else (metric.cost,)
        case Simple() | Conversion() | Attribution():
            return ()
        case _:
            assert_never(metric)


def metrics_inside(model: Model, metric: Metric) -> tuple[str, ...]:
    """A metric and all that it is computed from."""
    found = [metric.name]
    for name in metrics_read(metric):
        found += metrics_inside(model, model.metrics[name])
    return tuple(dict.fromkeys(found))


def target_of(model: Model, dataset: str, ref: Ref) -> str | None:
    """The dataset in which a name of an expression ends; None when a relationship of its path does not lead on."""
    here = dataset
    for step in ref.path:
        relationship = model.relationships.get(step)
        if relationship is None or relationship.from_dataset != here:
            return None
        here = relationship.to_dataset
    return here


def dimension_read(model: Model, target: str, ref: Ref) -> Dimension | None:
    """The dimension that `buyer.level` means, when the dataset it leads to declares one of that name that is more than
    the column of that name. Without a path a name is always a column.
    """
    if not ref.path:
        return None
    found = next((one for one in model.datasets[target].dimensions if one.name == ref.name), None)
    if found is None or (found.expr.refs == (Ref((), ref.name),) and found.expr.sql == f'"{ref.name}"'):
        return None
    return found


def columns_read(
    model: Model, dataset: str, expression: Expression, path: tuple[Relationship, ...] = ()
) -> Iterator[tuple[tuple[Relationship, ...], str]]:
    """Every column that an expression is made of, by whatever dimensions, with the relationships that lead to it.
    `path`: those that lead to the dataset.
    """
    for ref in expression.refs:
        target = target_of(model, dataset, ref)
        if target is None:
            continue
        way = (*path, *(model.relationships[step] for step in ref.path))
        through = dimension_read(model, target, ref)
        if through is not None:
            yield from columns_read(model, target, through.expr, way)
        else:
            yield way, ref.name
