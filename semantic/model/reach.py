"""What a dataset can be split by: its own dimensions and, through relationships, those of others.

A dimension of another dataset is named by the way to it: `buyer` to `users`, then `member_level` →
`buyer_member_level`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

from semantic.model.dataset import Dimension, Relationship
from semantic.model.metric import Attribution, Conversion, Cumulative, Derived, Metric, Ratio, Retention, Simple
from semantic.model.model import Model
from semantic.model.reads import metrics_read, target_of
from semantic.model.text import Text

MAX_PATH = 4
"""Relationships followed in a row: deeper paths have no use and would flood the schema."""


@dataclass(frozen=True, slots=True)
class ReachedDimension:
    """A dimension as seen from a dataset: its name there, the relationships to it (none: the dataset's own), itself."""

    name: str
    path: tuple[Relationship, ...]
    dimension: Dimension

    @property
    def refs(self) -> tuple[str, ...]:
        """The relationship names of the path."""
        return tuple(relationship.name for relationship in self.path)

    @property
    def label(self) -> Text:
        """Its label; through relationships, theirs in front."""
        return self.dimension.label


def walk(model: Model, dataset: str, path: tuple[Relationship, ...] = ()) -> Iterator[ReachedDimension]:
    """Every dimension reachable from `dataset`, nearest first; never through one relationship or dataset twice."""
    for dimension in model.datasets[dataset].dimensions:
        name = "_".join((*(relationship.name for relationship in path), dimension.name))
        yield ReachedDimension(name, path, dimension)
    seen = {relationship.from_dataset for relationship in path} | {dataset}
    if len(path) < MAX_PATH:
        for relationship in model.relationships_from(dataset):
            if relationship.to_dataset not in seen:
                yield from walk(model, relationship.to_dataset, (*path, relationship))


def reachable(model: Model, dataset: str) -> Mapping[str, ReachedDimension]:
    """Name → dimension for everything rows of `dataset` can be split by (the load has refused ambiguous names)."""
    found: dict[str, ReachedDimension] = {}
    for reached in walk(model, dataset):
        found.setdefault(reached.name, reached)
    return MappingProxyType(found)


def _split_datasets(model: Model, metric: Metric) -> tuple[str, ...]:
    """The datasets whose rows a metric's own numbers are split by; none for metrics that are only made of others."""
    match metric:
        case Simple():
            return (metric.dataset,)
        case Conversion():
            return model.funnels[metric.funnel].entry_datasets
        case Retention():
            return (model.retentions[metric.retention].cohort.dataset,)
        case Attribution():
            return (model.attributions[metric.attribution].touch.dataset,)
        case Ratio() | Derived() | Cumulative():
            return ()
        case _:
            assert_never(metric)


def datasets_of(model: Model, metric: Metric) -> tuple[str, ...]:
    """The datasets whose rows decide what a metric can be split by, in order, each once."""
    return tuple(dict.fromkeys(source.dataset for source in sources(model, metric)))


def splits(model: Model, metric: Metric) -> tuple[str, ...]:
    """The dimensions a metric can be split by: those that every one of its datasets has."""
    datasets = datasets_of(model, metric)
    if not datasets:
        return ()
    names = list(reachable(model, datasets[0]))
    if isinstance(metric, Attribution):
        allowed = model.attributions[metric.attribution].touch_dimensions
        names = [name for name in names if name in allowed]
    for dataset in datasets[1:]:
        others = reachable(model, dataset)
        names = [name for name in names if name in others]
    return tuple(names)


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """What places rows in time: a column of `dataset`, which the relationships of `path` lead to (none: their own)."""

    dataset: str
    name: str
    path: tuple[str, ...] = ()


def time_column(model: Model, metric: Simple) -> TimeColumn | None:
    """What places a simple metric's rows in time: its own choice, else its dataset's."""
    chosen = metric.time_dimension
    if chosen is None:
        return own_time(model, metric.dataset)
    dataset = target_of(model, metric.dataset, chosen)
    assert dataset is not None, "the load refuses ways that lead nowhere"
    return TimeColumn(dataset, chosen.name, chosen.path)


def own_time(model: Model, dataset: str) -> TimeColumn | None:
    """What places a dataset's rows in time when a metric doesn't choose."""
    name = model.datasets[dataset].time_dimension
    return None if name is None else TimeColumn(dataset, name)


@dataclass(frozen=True, slots=True)
class MetricSource:
    """Rows that decide what a metric is split by and when: its name, their dataset, what places them in time."""

    metric: str
    dataset: str
    time: TimeColumn | None


def sources(model: Model, metric: Metric) -> tuple[MetricSource, ...]:
    """The sources of a metric and of all metrics inside it, in order, each once."""
    if isinstance(metric, Simple):
        return (MetricSource(metric.name, metric.dataset, time_column(model, metric)),)
    found = [MetricSource(metric.name, name, own_time(model, name)) for name in _split_datasets(model, metric)]
    for name in metrics_read(metric):
        found += sources(model, model.metrics[name])
    return tuple(dict.fromkeys(found))


def datasets_read(model: Model, metric: Metric) -> tuple[str, ...]:
    """Every dataset whose rows a metric needs or is dated by, other relationships aside, in order, each once."""
    found = list(_own_datasets(model, metric))
    for name in metrics_read(metric):
        found += datasets_read(model, model.metrics[name])
    return tuple(dict.fromkeys(found))


def _own_datasets(model: Model, metric: Metric) -> tuple[str, ...]:
    match metric:
        case Simple():
            time = time_column(model, metric)
            return (metric.dataset,) if time is None or not time.path else (metric.dataset, time.dataset)
        case Conversion():
            return model.funnels[metric.funnel].datasets
        case Retention():
            retention = model.retentions[metric.retention]
            return (retention.cohort.dataset, retention.returns.dataset)
        case Attribution():
            attribution = model.attributions[metric.attribution]
            return (attribution.touch.dataset, attribution.conversion.dataset)
        case Ratio() | Derived() | Cumulative():
            return ()
        case _:
            assert_never(metric)
