"""What a model asks about each dataset's data: the keys it relies on, and the times it places rows by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from semantic.model.dataset import Dataset, Dimension, DimensionType
from semantic.model.metric import Simple
from semantic.model.model import Model
from semantic.model.reach import identities_of, rates_key, time_column


@dataclass(frozen=True, slots=True)
class Needs:
    """`targets`: columns by which other datasets find a row of this one. `times`: columns whose bounds are wanted.
    `splits`: columns that dimensions simply are, those of time aside, and those that are not read as they are stored.
    """

    targets: tuple[tuple[str, ...], ...]
    times: tuple[str, ...]
    splits: tuple[str, ...]


_TIMES = (DimensionType.DATE, DimensionType.TIME)


def needs_of(model: Model, dataset: Dataset) -> Needs:
    """The needs of one dataset."""
    metrics = (metric for metric in model.metrics.values() if isinstance(metric, Simple))
    placed = (time_column(model, metric) for metric in metrics)
    times = (time.name for time in placed if time is not None and time.dataset == dataset.name)
    scored = (score.time_dimension for score in model.scores.values() if score.dataset == dataset.name)
    rated = dataset.currency.time if dataset.currency else None
    days = (_column(dimension) for dimension in dataset.dimensions if dimension.type in _TIMES)
    named = (dataset.time_dimension, *times, *scored, rated, *days)
    splits = (_column(dimension) for dimension in dataset.dimensions if dimension.type not in _TIMES)
    changed = _changed(model, dataset)
    as_stored = (name for name in splits if name not in changed)
    return Needs(tuple(dict.fromkeys(_targets(model, dataset))), _named(named), _named(as_stored))


def _changed(model: Model, dataset: Dataset) -> frozenset[str]:
    """The columns whose values the model reads as others."""
    amounts = dataset.currency.amounts if dataset.currency else ()
    computed = (name for name, _ in dataset.computed)
    ids = (column for column, _ in identities_of(model, dataset.name))
    return frozenset((*amounts, *computed, *ids))


def _named(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _targets(model: Model, dataset: Dataset) -> Iterator[tuple[str, ...]]:
    for relationship in model.relationships.values():
        if relationship.to_dataset == dataset.name:
            yield tuple(target for _, target in relationship.columns)
    for identity in model.identities.values():
        if identity.dataset == dataset.name:
            yield (identity.source,)
    for other in model.datasets.values():
        if other.currency is not None and other.currency.rates.dataset == dataset.name:
            yield rates_key(model, other.currency.rates)


def _column(dimension: Dimension) -> str | None:
    """The column that a dimension simply is: knowing its bounds, a time's zone has few cases."""
    if len(dimension.expr.refs) != 1:
        return None
    (ref,) = dimension.expr.refs
    return ref.name if not ref.path and dimension.expr.sql == f'"{ref.name}"' else None
