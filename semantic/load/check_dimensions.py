"""Rules on dimensions: one name, one meaning, one way to it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from semantic.errors import Code, Position, Problem
from semantic.model.dataset import DimensionType
from semantic.model.model import Model
from semantic.model.reach import ReachedDimension, walk

MAX_REACHED: Final = 2_000
"""Dimensions that one dataset reaches, its own and through relationships."""


def check_relationships(model: Model) -> Iterator[Problem]:
    """A relationship leads elsewhere, and no dataset reaches too many dimensions."""
    for relationship in model.relationships.values():
        if relationship.from_dataset == relationship.to_dataset:
            message = f'The relationship "{relationship.name}" leads from a dataset to itself.'
            at = model.places.at("relationships", relationship.name, "to")
            yield Problem(Code.BAD_VALUE, message, at, "Declare the other side as a dataset of its own.")
    for name in model.datasets:
        if len(list(islice(walk(model, name), MAX_REACHED + 1))) > MAX_REACHED:
            message = f'The dataset "{name}" reaches more than {MAX_REACHED:,} dimensions through relationships.'
            yield Problem(Code.AMBIGUOUS_PATH, message, model.places.at("datasets", name))


def reached(model: Model, dataset: str) -> Iterator[ReachedDimension]:
    """The dimensions of a dataset, as far as the limit."""
    return islice(walk(model, dataset), MAX_REACHED)


def is_whole(model: Model) -> bool:
    """Whether every dataset and relationship written is sound: else a dimension may only seem to be missing."""
    sections = {"datasets": model.datasets, "relationships": model.relationships}
    return all(set(model.places.names(section)) <= set(items) for section, items in sections.items())


def spelled(dimension: ReachedDimension) -> str:
    """The way to a dimension as an expression says it."""
    return ".".join((*dimension.refs, dimension.dimension.name))


def check_paths(model: Model) -> Iterator[Problem]:
    """From one dataset, one name is one dimension: `buyer_level` can't be both its own and `buyer.level`."""
    for dataset in model.datasets:
        first: dict[str, ReachedDimension] = {}
        for dimension in reached(model, dataset):
            other = first.setdefault(dimension.name, dimension)
            if other is not dimension:
                ways = f"{spelled(other)} or {spelled(dimension)}"
                message = f'From "{dataset}", the dimension "{dimension.name}" could be {ways}.'
                at = dimension.path[-1].position if dimension.path else dimension.dimension.position
                yield Problem(Code.AMBIGUOUS_PATH, message, at, "Rename a relationship or a dimension.")


def check_defaults(model: Model) -> Iterator[Problem]:
    """Only texts have a default: of a number, a word is none."""
    for dataset in model.datasets.values():
        for dimension in dataset.dimensions:
            at = ("datasets", dataset.name, "dimensions", dimension.name, "default")
            if at in model.places and dimension.type is not DimensionType.STRING:
                message = f'The dimension "{dimension.name}" is {dimension.type}, and only texts have a default.'
                yield Problem(Code.BAD_VALUE, message, model.places.at(*at), "Write it into `expr`, with coalesce.")


def check_vocabulary(model: Model) -> Iterator[Problem]:
    """A name has one type, in the shared vocabulary and in every dataset."""
    first = {name: (shared.type, shared.position) for name, shared in model.dimensions.items()}
    seen: set[tuple[Position | None, str]] = set()
    for dataset in model.datasets:
        for dimension in reached(model, dataset):
            kind = dimension.dimension.type
            at = model.places.at("datasets", dataset, "dimensions", dimension.name, "type")
            at = dimension.dimension.position if dimension.path else at
            known, where = first.setdefault(dimension.name, (kind, dimension.dimension.position))
            if known is not kind and (at, dimension.name) not in seen:
                seen.add((at, dimension.name))
                message = f'The dimension "{dimension.name}" is {kind} here, and {known} at {where}.'
                yield Problem(Code.NAME_COLLISION, message, at, "One name has one meaning: give one of them another.")
