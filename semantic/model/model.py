"""The model: everything loaded from YAML, and look-ups that suggest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from semantic.errors import Code, QueryError, did_you_mean
from semantic.model.dataset import Dataset, Relationship, SharedDimension
from semantic.model.first import FirstDefinition
from semantic.model.identity import Identity
from semantic.model.metric import Metric
from semantic.model.places import Places
from semantic.model.policy import HidePolicy, Policy, Rollup
from semantic.model.score import ScoreDefinition
from semantic.model.sequence import AttributionDefinition, Funnel, RetentionDefinition
from semantic.time import Weekday


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Model:
    """One loaded model folder. Two models are the same when their `digest` (of the files' text) is.

    Mappings are by name, in the order written. A look-up of an unknown name raises QueryError with suggestions.
    `places` says where each part stands in the files. `anonymous`: whether questions are answered without knowing who
    asks (None: not said). `hidden`: metrics and dimensions that don't exist for whom this model is of.
    """

    digest: str
    timezone: str = "UTC"
    week_start: Weekday = Weekday.MONDAY
    currency: str | None = None
    anonymous: bool | None = None
    dimensions: Mapping[str, SharedDimension] = field(default_factory=_empty)
    datasets: Mapping[str, Dataset] = field(default_factory=_empty)
    relationships: Mapping[str, Relationship] = field(default_factory=_empty)
    identities: Mapping[str, Identity] = field(default_factory=_empty)
    metrics: Mapping[str, Metric] = field(default_factory=_empty)
    funnels: Mapping[str, Funnel] = field(default_factory=_empty)
    retentions: Mapping[str, RetentionDefinition] = field(default_factory=_empty)
    attributions: Mapping[str, AttributionDefinition] = field(default_factory=_empty)
    scores: Mapping[str, ScoreDefinition] = field(default_factory=_empty)
    firsts: Mapping[str, FirstDefinition] = field(default_factory=_empty)
    rollups: Mapping[str, Rollup] = field(default_factory=_empty)
    policies: Mapping[str, Policy] = field(default_factory=_empty)
    places: Places = field(default_factory=Places, repr=False)
    hidden: frozenset[str] = frozenset()

    def metric(self, name: str) -> Metric:
        """The metric of that name; QueryError UNKNOWN_METRIC otherwise."""
        found = self.metrics.get(name)
        if found is None or name in self.hidden:
            near = did_you_mean(name, self.shown(self.metrics))
            raise QueryError(Code.UNKNOWN_METRIC, f'There is no metric "{name}".', near)
        return found

    @property
    def stored(self) -> Mapping[str, Dataset]:
        """The datasets that have files; the others are made of them."""
        return {name: dataset for name, dataset in self.datasets.items() if not dataset.is_made}

    def stored_as(self, dataset: str) -> str:
        """The dataset whose rows those of a dataset are made of; its own name when it has files."""
        made = self.datasets[dataset]
        if made.first is not None:
            return self.firsts[made.first].dataset
        return dataset if made.score is None else self.scores[made.score].dataset

    def shown(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of these metrics or dimensions that may be told of."""
        return tuple(name for name in names if name not in self.hidden)

    def relationships_from(self, dataset: str) -> tuple[Relationship, ...]:
        """The relationships that lead away from a dataset."""
        return tuple(r for r in self.relationships.values() if r.from_dataset == dataset)

    def hide_policies(self) -> tuple[HidePolicy, ...]:
        """The policies that hide metrics or dimensions."""
        return tuple(p for p in self.policies.values() if isinstance(p, HidePolicy))
