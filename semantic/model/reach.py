"""What a dataset can be split by: its own dimensions and, through relationships, those of others.

A dimension of another dataset is named by the way to it: `buyer` to `users`, then `member_level` →
`buyer_member_level`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

from semantic.model.dataset import Dimension, Relationship
from semantic.model.expression import Expression
from semantic.model.identity import Identity
from semantic.model.metric import Attribution, Conversion, Cumulative, Derived, Metric, Ratio, Retention, Simple
from semantic.model.model import Model
from semantic.model.money import Rates
from semantic.model.reads import dimension_read, metrics_read, target_of
from semantic.model.sequence import AttributionDefinition, CreditTime
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
        if dimension.newness and (not path or model.datasets[path[0].from_dataset].time_dimension is None):
            continue  # new is a row that has a time
        name = "_".join((*(step.name for step in path if not step.implied), dimension.name))
        yield ReachedDimension(name, path, dimension)
    seen = {relationship.from_dataset for relationship in path} | {dataset}
    if len(path) < MAX_PATH:
        for relationship in model.relationships_from(dataset):
            if relationship.to_dataset not in seen and not (path and relationship.implied):
                yield from walk(model, relationship.to_dataset, (*path, relationship))


def reachable(model: Model, dataset: str) -> Mapping[str, ReachedDimension]:
    """Name → dimension for everything rows of `dataset` can be split by (the load has refused ambiguous names)."""
    found: dict[str, ReachedDimension] = {}
    for reached in walk(model, dataset):
        found.setdefault(reached.name, reached)
    return MappingProxyType(found)


def splits(model: Model, metric: Metric) -> tuple[str, ...]:
    """The dimensions a metric can be split by: those that every one of its sources has."""
    offered = [_offered(model, model.metrics[name], dataset) for name, dataset in _splitting(model, metric)]
    if not offered:
        return ()
    return tuple(name for name in offered[0] if all(name in other for other in offered[1:]))


def _splitting(model: Model, metric: Metric) -> tuple[tuple[str, str], ...]:
    """The metrics whose own rows decide what a metric can be split by, with those rows' datasets, each once."""
    return tuple(dict.fromkeys((source.metric, source.dataset) for source in sources(model, metric)))


def _offered(model: Model, metric: Metric, dataset: str) -> tuple[str, ...]:
    """The dimensions of a dataset that a metric's numbers can be split by."""
    if isinstance(metric, Attribution):
        return touch_dimensions(model, model.attributions[metric.attribution])
    return tuple(reachable(model, dataset))


def touch_dimensions(model: Model, attribution: AttributionDefinition) -> tuple[str, ...]:
    """What the touches of an attribution can be split by: what it names, else all that their dataset has."""
    return attribution.touch_dimensions or tuple(reachable(model, attribution.touch.dataset))


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
    found = list(_own_sources(model, metric))
    for name in metrics_read(metric):
        found += sources(model, model.metrics[name])
    return tuple(dict.fromkeys(found))


def _own_sources(model: Model, metric: Metric) -> Iterator[MetricSource]:
    """The sources of a metric's own numbers; none for metrics that are only made of others."""
    match metric:
        case Simple():
            yield MetricSource(metric.name, metric.dataset, time_column(model, metric))
        case Conversion():
            for name in model.funnels[metric.funnel].entry_datasets:
                yield MetricSource(metric.name, name, own_time(model, name))
        case Retention():
            name = model.retentions[metric.retention].cohort.dataset
            yield MetricSource(metric.name, name, own_time(model, name))
        case Attribution():
            yield from _credit_sources(model, metric)
        case Ratio() | Derived() | Cumulative():
            return
        case _:
            assert_never(metric)


def _credit_sources(model: Model, metric: Attribution) -> Iterator[MetricSource]:
    """Credit is split by the touch. It is of the conversion's time, or of the touch's where there was one."""
    attribution = model.attributions[metric.attribution]
    touch, conversion = attribution.touch.dataset, attribution.conversion.dataset
    if credit_time(model, metric) is CreditTime.TOUCH:
        yield MetricSource(metric.name, touch, own_time(model, touch))
    yield MetricSource(metric.name, touch, own_time(model, conversion))


def credit_time(model: Model, metric: Attribution) -> CreditTime:
    """When a metric's credit is: as it says, else as its attribution does."""
    return metric.time or model.attributions[metric.attribution].time


def is_credited(model: Model, metric: Metric) -> bool:
    """Whether a metric is credit, or computed from metrics that are."""
    return isinstance(metric, Attribution) or any(
        is_credited(model, model.metrics[name]) for name in metrics_read(metric)
    )


def datasets_read(model: Model, metric: Metric) -> tuple[str, ...]:
    """Every dataset whose rows a metric needs or is dated by, other relationships aside, in order, each once."""
    found = list(_own_datasets(model, metric))
    for name in metrics_read(metric):
        found += datasets_read(model, model.metrics[name])
    return tuple(dict.fromkeys(found))


def _own_datasets(model: Model, metric: Metric) -> tuple[str, ...]:
    match metric:
        case Simple():
            time, stored = time_column(model, metric), model.stored_as(metric.dataset)
            return (stored,) if time is None or not time.path else (stored, time.dataset)
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


def identities_of(model: Model, dataset: str) -> tuple[tuple[str, Identity], ...]:
    """The columns of a dataset whose ids stand for others, and what says so. A map of identities is read as it is."""
    named = ((column, model.identities.get(entity)) for entity, column in model.datasets[dataset].entities)
    return tuple((column, found) for column, found in named if found is not None and found.dataset != dataset)


def is_one_to_one(model: Model, identity: Identity, proven: Collection[tuple[str, ...]]) -> bool:
    """Whether no id stands for two, as declared or proven of the data."""
    keys = (model.datasets[identity.dataset].primary_key, *proven)
    return any(key and set(key) <= {identity.source} for key in keys)


def datasets_behind(model: Model, dataset: str) -> tuple[str, ...]:
    """The datasets that say what the columns of a dataset mean."""
    found = [identity.dataset for _, identity in identities_of(model, dataset)]
    currency = model.datasets[dataset].currency
    return tuple(dict.fromkeys((*found, *([currency.rates.dataset] if currency else []))))


def rates_key(model: Model, rates: Rates) -> tuple[str, str]:
    """The columns by which a rate is found: its day and its currency."""
    day = model.datasets[rates.dataset].time_dimension
    assert day is not None, "the load refuses rates without a day"
    return day, rates.currency


def reads_amounts(model: Model, dataset: str, expression: Expression) -> bool:
    """Whether an expression reads an amount that is converted, of the dataset or of one that relationships lead to."""
    for ref in expression.refs:
        target = target_of(model, dataset, ref)
        if target is None:
            continue
        through = dimension_read(model, target, ref)
        currency = model.datasets[target].currency
        if through is not None and reads_amounts(model, target, through.expr):
            return True
        if through is None and currency is not None and ref.name in currency.amounts:
            return True
    return False
