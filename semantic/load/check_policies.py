"""Rules on policies and rollups."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.errors import Code, Problem
from semantic.load.check_dimensions import is_whole, reached
from semantic.load.check_sequences import check_dimension
from semantic.load.suggest import near
from semantic.model.metric import Simple
from semantic.model.model import Model
from semantic.model.policy import DatasetPolicy, MetricPolicy
from semantic.model.reach import datasets_read


def check_hidden(model: Model) -> Iterator[Problem]:
    """What a policy hides is there: a typing error must not show it."""
    dimensions = {dimension.name for dataset in model.datasets for dimension in reached(model, dataset)}
    known = {*dimensions, *model.metrics}
    for policy in model.hide_policies():
        for name in policy.hide:
            if name not in known and not _is_written(model, name) and is_whole(model):
                message = f'There is no metric or dimension "{name}" to hide.'
                at = model.places.at("policies", policy.name, "hide", name)
                yield Problem(Code.UNKNOWN_REFERENCE, message, at, near(name, known))


def check_protected(model: Model) -> Iterator[Problem]:
    """A policy is on a dataset that has files; a least group needs somebody to count."""
    for policy in model.policies.values():
        if isinstance(policy, DatasetPolicy):
            at, datasets, k = ("policies", policy.name, "dataset"), [policy.dataset], policy.k
        elif isinstance(policy, MetricPolicy):
            read = (name for metric in policy.metrics for name in datasets_read(model, model.metrics[metric]))
            at, datasets, k = ("policies", policy.name, "k"), list(dict.fromkeys(read)), policy.k
        else:
            continue
        for name in datasets:
            dataset = model.datasets[name]
            if isinstance(policy, DatasetPolicy) and dataset.score is not None:
                message = f'"{name}" is a score: its entities are those of "{model.stored_as(name)}".'
                yield Problem(Code.BAD_VALUE, message, model.places.at(*at), f'Protect "{model.stored_as(name)}".')
            elif k is not None and not dataset.entities:
                message = f'"{name}" has no entity, so that nobody can be counted in a group of it.'
                yield Problem(Code.BAD_VALUE, message, model.places.at(*at))


def _is_written(model: Model, name: str) -> bool:
    """Whether something of that name was given, if only something that has problems of its own."""
    return ("metrics", name) in model.places or any(
        ("datasets", dataset, "dimensions", name) in model.places for dataset in model.places.names("datasets")
    )


def check_rollups(model: Model) -> Iterator[Problem]:
    """A rollup keeps dimensions its dataset can be split by, and simple metrics of it."""
    for rollup in model.rollups.values():
        for name in rollup.dimensions:
            yield from check_dimension(model, ("rollups", rollup.name, "dimensions", name), name, rollup.dataset)
        for name in rollup.metrics:
            metric = model.metrics[name]
            if not isinstance(metric, Simple) or metric.dataset != rollup.dataset:
                message = f'"{name}" is not a simple metric of "{rollup.dataset}", so a rollup of it can\'t hold it.'
                at = model.places.at("rollups", rollup.name, "metrics", name)
                simple = [one for one in model.metrics.values() if isinstance(one, Simple)]
                own = [one.name for one in simple if one.dataset == rollup.dataset]
                yield Problem(Code.BAD_VALUE, message, at, near(name, own))
