"""Which policies hold for a viewer, and what they leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from semantic.model.model import Model
from semantic.model.policy import DatasetPolicy, HidePolicy, MetricPolicy, Policy, SqlPolicy
from semantic.query.query import Viewer
from semantic.query.unless import holds

Scope = tuple[tuple[str, str], ...]
"""The claims that a model's policies look at, as text that tells 1 from true and from "1"."""


def policies_for(model: Model, viewer: Viewer) -> Iterator[Policy]:
    """The policies that no claim frees the viewer of."""
    claims = dict(viewer.claims)
    for policy in model.policies.values():
        if policy.unless is None or not holds(policy.unless, claims):
            yield policy


def scope_of(model: Model, viewer: Viewer) -> Scope:
    """What of a viewer can change an answer: two viewers of one scope are answered alike."""
    needed = {claim for policy in model.policies.values() for claim in _claims(policy)}
    return tuple((name, repr(value)) for name, value in viewer.claims if name in needed)


def _claims(policy: Policy) -> Iterator[str]:
    if policy.unless is not None:
        yield from policy.unless.claims
    if isinstance(policy, DatasetPolicy) and policy.where is not None:
        yield from policy.where.claims


def row_policies(model: Model, viewer: Viewer, dataset: str) -> tuple[DatasetPolicy, ...]:
    """The policies on rows of a dataset that hold for the viewer."""
    found = policies_for(model, viewer)
    return tuple(p for p in found if isinstance(p, DatasetPolicy) and p.dataset == dataset and p.where is not None)


def hidden_names(model: Model, viewer: Viewer) -> frozenset[str]:
    """The metrics and dimensions that don't exist for this viewer."""
    found = (policy.hide for policy in policies_for(model, viewer) if isinstance(policy, HidePolicy))
    return frozenset(name for names in found for name in names)


def closed_datasets(model: Model, viewer: Viewer) -> frozenset[str]:
    """The datasets of which the viewer may not see who is counted: a list of them is a group of one each."""
    found = (policy for policy in policies_for(model, viewer) if isinstance(policy, DatasetPolicy))
    return frozenset(policy.dataset for policy in found if not policy.entities)


def may_see_sql(model: Model, viewer: Viewer) -> bool:
    """Whether SQL may be shown: it would name what is hidden."""
    found = policies_for(model, viewer)
    return not any(isinstance(policy, SqlPolicy | HidePolicy) for policy in found)


@dataclass(frozen=True, slots=True)
class LeastGroups:
    """How many entities a group needs to be shown: by dataset and by metric; absent: any number."""

    datasets: Mapping[str, int]
    metrics: Mapping[str, int]

    def __bool__(self) -> bool:
        return bool(self.datasets or self.metrics)


def least_groups(model: Model, viewer: Viewer) -> LeastGroups:
    """The sizes that hold for a viewer: of several for one thing, the largest."""
    datasets: dict[str, int] = {}
    metrics: dict[str, int] = {}
    for policy in policies_for(model, viewer):
        if isinstance(policy, DatasetPolicy) and policy.k is not None:
            datasets[policy.dataset] = max(policy.k, datasets.get(policy.dataset, 0))
        elif isinstance(policy, MetricPolicy):
            metrics.update({name: max(policy.k, metrics.get(name, 0)) for name in policy.metrics})
    return LeastGroups(datasets, metrics)
