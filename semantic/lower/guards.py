"""Guards: for each leaf of protected data, how many entities it is of, counted over the very rows the leaf is of.

What can't be counted so is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from semantic.errors import Code, QueryError
from semantic.lower.leaf import CohortLeaf, CreditLeaf, Leaf, Leaves, MetricLeaf, StepLeaf, ValueLeaf
from semantic.model.expression import Expression, Ref
from semantic.model.metric import Aggregation, Simple
from semantic.model.model import Model
from semantic.model.sequence import AttributionDefinition, Funnel, RetentionDefinition
from semantic.query.access import LeastGroups
from semantic.query.bind import with_related


@dataclass(frozen=True, slots=True)
class Guard:
    """The column that counts a leaf's entities, and how many are needed. `of`: the leaf's own column. `rows`: the
    column that counts what it is made of: rows may be of nobody who is known.
    """

    of: str
    column: str
    least: int
    rows: str


@dataclass(frozen=True, slots=True)
class Needed:
    """An entity that must be counted in a dataset: how it is called there, and how many are needed."""

    entity: str
    least: int


@dataclass(frozen=True, slots=True)
class Own:
    """What a metric's definition says of its rows: its dataset, its filter, and what places them in time."""

    dataset: str
    where: Expression | None
    time: Ref | None


Source = Own | Funnel | RetentionDefinition | AttributionDefinition
Told = tuple[str, Source]
"""A dataset with files, and which of its rows a number is of."""


def guards(model: Model, leaves: Leaves, least: LeastGroups, by_leaf: Mapping[str, int]) -> tuple[Guard, ...]:
    """The guards of all leaves so far, whose columns are added as leaves. `by_leaf`: what metrics need of a leaf.

    FORBIDDEN for a leaf whose entities can't be counted.
    """
    found = []
    for leaf, name in leaves.items():
        for needed in _needed(model, _datasets(leaf), least, by_leaf.get(name)):
            column, rows = leaves.name(_counting(model, leaf, needed.entity)), leaves.name(_counting_rows(leaf))
            found.append(Guard(name, column, needed.least, rows))
    return tuple(found)


def dataset_guards(model: Model, dataset: str, least: LeastGroups) -> dict[str, int]:
    """The columns of a dataset that have to have so many different values in each group. FORBIDDEN."""
    found: dict[str, int] = {}
    for needed in _needed(model, (dataset,), least, None):
        column = _column(model, dataset, needed.entity)
        found[column] = max(needed.least, found.get(column, 0))
    return found


def told(model: Model, leaf: Leaf) -> Iterator[Told]:
    """Which rows of which datasets a leaf's definition makes it of, whatever a question adds."""
    source = _source(model, leaf)
    for dataset in _datasets(leaf):
        yield model.stored_as(dataset), source


def overlap(numbers: Iterable[Told]) -> bool:
    """Whether any are of the same dataset but of other rows, so that their difference is of a few, maybe."""
    different = set(numbers)
    return len(different) > len({dataset for dataset, _ in different})


def _source(model: Model, leaf: Leaf) -> Source:
    match leaf:
        case MetricLeaf():
            column = model.datasets[leaf.metric.dataset].time_dimension
            usual = None if column is None else Ref((), column)
            return Own(leaf.metric.dataset, leaf.metric.where, leaf.metric.time_dimension or usual)
        case StepLeaf():
            return leaf.funnel
        case CohortLeaf() | ValueLeaf():
            return leaf.retention
        case CreditLeaf():
            return leaf.definition
        case _:
            assert_never(leaf)


def _datasets(leaf: Leaf) -> tuple[str, ...]:
    match leaf:
        case MetricLeaf():
            return (leaf.metric.dataset,)
        case StepLeaf():
            return leaf.funnel.datasets
        case CohortLeaf() | ValueLeaf():
            return tuple(dict.fromkeys((leaf.retention.cohort.dataset, leaf.retention.returns.dataset)))
        case CreditLeaf():
            return tuple(dict.fromkeys((leaf.definition.touch.dataset, leaf.definition.conversion.dataset)))
        case _:
            assert_never(leaf)


def _needed(model: Model, datasets: Iterable[str], least: LeastGroups, own: int | None) -> Iterator[Needed]:
    """What policies need of rows of datasets: their own, and those of all that relationships lead to."""
    read: dict[str, None] = {}
    for dataset in datasets:
        with_related(model, dataset, read)
        if own is not None:
            yield Needed(model.datasets[dataset].entities[0][0], own)
    for dataset in read:
        stored = model.stored_as(dataset)
        if stored in least.datasets:
            yield Needed(model.datasets[stored].entities[0][0], least.datasets[stored])


def _counting(model: Model, leaf: Leaf, entity: str) -> Leaf:
    """The leaf that counts the entities of another."""
    match leaf:
        case MetricLeaf():
            return replace(leaf, metric=_entities(model, leaf.metric, entity))
        case StepLeaf() if leaf.funnel.entity == entity:
            return leaf
        case CohortLeaf() if leaf.retention.entity == entity:
            return leaf
        case StepLeaf() | CohortLeaf() | ValueLeaf() | CreditLeaf():
            raise uncountable(entity)
        case _:
            assert_never(leaf)


def _counting_rows(leaf: Leaf) -> Leaf:
    """The leaf that counts what another is made of. What is made of entities alone counts itself."""
    if not isinstance(leaf, MetricLeaf):
        return leaf
    metric, where = leaf.metric, _made_of(leaf.metric)
    name = f"{metric.name}_rows"
    return replace(
        leaf, metric=replace(metric, name=name, agg=Aggregation.COUNT, expr=None, where=where, p=None, fill=None)
    )


def _made_of(metric: Simple) -> Expression | None:
    """Of which rows a metric is made: those of its filter that have a value."""
    conditions = [metric.where] if metric.where else []
    if metric.expr is not None:
        conditions.append(Expression(f"NOT ({metric.expr.sql}) IS NULL", metric.expr.refs))
    if not conditions:
        return None
    refs = tuple(sorted({ref for condition in conditions for ref in condition.refs}))
    return Expression(" AND ".join(f"({condition.sql})" for condition in conditions), refs)


def _entities(model: Model, metric: Simple, entity: str) -> Simple:
    """How many entities have a row that the metric is made of: one without a value adds nobody."""
    column = _column(model, metric.dataset, entity)
    return replace(
        metric,
        name=f"{metric.name}_entities",
        agg=Aggregation.COUNT_DISTINCT,
        expr=Expression(f'"{column}"', (Ref((), column),)),
        where=_made_of(metric),
        p=None,
        fill=None,
    )


def _column(model: Model, dataset: str, entity: str) -> str:
    found = model.datasets[dataset].entity_column(entity)
    if found is None:
        raise uncountable(entity)
    return found


def uncountable(entity: str) -> QueryError:
    """The refusal of what can't be shown to be of enough entities."""
    message = f'How many of "{entity}" this is of can\'t be told, so that groups may be too small for you to see.'
    return QueryError(Code.FORBIDDEN, message, "Ask for a count or a rate.")
