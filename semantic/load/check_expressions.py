"""Rules on what expressions read: relationships that lead there, and dimensions that don't go round."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.errors import Code, Problem
from semantic.load.suggest import at_part, near
from semantic.model.expression import Ref
from semantic.model.metric import Simple
from semantic.model.model import Model
from semantic.model.reads import DimensionKey, dimension_read, expressions, target_of


def check_relationship_paths(model: Model) -> Iterator[Problem]:
    """Every step of `buyer.region.name` is a relationship from the dataset before it."""
    for dataset, expression in expressions(model):
        for ref in expression.refs:
            yield from _check_path(model, dataset, ref)
    for metric in model.metrics.values():
        if isinstance(metric, Simple) and metric.time_dimension is not None:
            yield from _check_path(model, metric.dataset, metric.time_dimension)


def _check_path(model: Model, dataset: str, ref: Ref) -> Iterator[Problem]:
    here = dataset
    for index, step in enumerate(ref.path):
        relationship = model.relationships.get(step)
        if relationship is None and ("relationships", step) in model.places:
            return
        if relationship is None or relationship.from_dataset != here:
            message, suggestion = _unknown_step(model, here, step), _hint(model, here, ref, step)
            yield Problem(Code.UNKNOWN_REFERENCE, message, at_part(ref, index), suggestion)
            return
        here = relationship.to_dataset


def _unknown_step(model: Model, here: str, step: str) -> str:
    relationship = model.relationships.get(step)
    if relationship is not None:
        return f'The relationship "{step}" leads from "{relationship.from_dataset}", not from "{here}".'
    return f'There is no relationship "{step}" from "{here}".'


def _hint(model: Model, here: str, ref: Ref, step: str) -> str | None:
    if step == here:
        return f"Names are columns of {here} already: write {ref.name}."
    return near(step, (one.name for one in model.relationships_from(here) if not one.implied))


def check_dimension_cycles(model: Model) -> Iterator[Problem]:
    """A dimension that reads a dimension of another dataset must not read itself in the end."""
    graph = {key: tuple(_reads(model, key)) for key in _dimension_keys(model)}
    reported: set[DimensionKey] = set()
    for start in graph:
        way = _way_back(start, graph)
        if way and reported.isdisjoint(way):
            reported.update(way)
            names = " → ".join(f"{dataset}.{name}" for dataset, name in (*way, start))
            at = model.places.at("datasets", start[0], "dimensions", start[1], "expr")
            yield Problem(Code.BAD_EXPRESSION, f"These dimensions are computed from each other: {names}.", at)


def _dimension_keys(model: Model) -> Iterator[DimensionKey]:
    for dataset in model.datasets.values():
        for dimension in dataset.dimensions:
            yield dataset.name, dimension.name


def _reads(model: Model, key: DimensionKey) -> Iterator[DimensionKey]:
    dataset, name = key
    dimension = next(one for one in model.datasets[dataset].dimensions if one.name == name)
    for ref in dimension.expr.refs:
        target = target_of(model, dataset, ref)
        read = dimension_read(model, target, ref) if target else None
        if target and read:
            yield target, read.name


def _way_back(start: DimensionKey, graph: dict[DimensionKey, tuple[DimensionKey, ...]]) -> tuple[DimensionKey, ...]:
    """The shortest way from a dimension back to itself; empty when there is none."""
    ways: list[tuple[DimensionKey, ...]] = [(start,)]
    seen: set[DimensionKey] = set()
    for way in ways:
        for target in graph.get(way[-1], ()):
            if target == start:
                return way
            if target not in seen:
                seen.add(target)
                ways.append((*way, target))
    return ()
