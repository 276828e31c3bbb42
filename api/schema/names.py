"""The model's names as GraphQL has them, and the way back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from semantic.model.dataset import Dataset, DimensionType, Segment
from semantic.model.facts import Facts, Kind
from semantic.model.metric import Metric
from semantic.model.model import Model
from semantic.model.names import camel_case
from semantic.model.reach import ReachedDimension, is_credited, reachable
from semantic.model.score import ScoreDefinition
from semantic.model.sequence import AttributionDefinition, Funnel, RetentionDefinition
from semantic.model.text import Text
from semantic.query.kind import dimension_kind, metric_kind, widest
from semantic.query.scored import with_scores

_WORDS = re.compile(r"\w+")

TIME = "time"
"""The field of `Row` that is the period of each row."""


def enum_name(name: str) -> str:
    """`buyer_member_level` → `BUYER_MEMBER_LEVEL`."""
    return name.upper()


@dataclass(frozen=True, slots=True)
class MetricName:
    """A metric as a client sees it. `is_credited`: its attributions can be asked by another model."""

    field: str
    metric: Metric
    kind: Kind
    is_credited: bool = False


@dataclass(frozen=True, slots=True)
class DimensionName:
    """A dimension as a client sees it: its name in the model, and what its values are in every dataset that has it."""

    field: str
    name: str
    type: DimensionType
    kind: Kind
    label: Text
    description: Text

    @property
    def has_grain(self) -> bool:
        """Whether it can be bucketed by a grain."""
        return self.type in (DimensionType.DATE, DimensionType.TIME)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything a client can name: metrics and dimensions by GraphQL field name, the rest by its own.

    `event_datasets`: those whose rows are events of somebody, so that a funnel can be made of them. `hidden`: what is
    left out, by its name in the model.
    """

    metrics: Mapping[str, MetricName]
    dimensions: Mapping[str, DimensionName]
    segments: Mapping[str, Segment]
    funnels: Mapping[str, Funnel]
    retentions: Mapping[str, RetentionDefinition]
    scores: Mapping[str, ScoreDefinition]
    attributions: Mapping[str, AttributionDefinition]
    event_datasets: Mapping[str, Dataset]
    has_time: bool
    hidden: frozenset[str] = frozenset()

    def spoken(self, text: str) -> str:
        """A message of the compiler, which speaks the model's language, with the names that clients write."""
        known = {metric.metric.name: field for field, metric in self.metrics.items()}
        known |= {dimension.name: field for field, dimension in self.dimensions.items()}
        return re.sub(r"\w+", lambda word: known.get(word[0], word[0]), text)

    def told(self, text: str | None) -> str | None:
        """A text of the model, such as a definition; none where it names what is hidden."""
        return None if text is None or not self.hidden.isdisjoint(_WORDS.findall(text)) else text

    def without(self, hidden: frozenset[str]) -> Vocabulary:
        """The same without these metrics and dimensions of the model."""
        metrics = {key: one for key, one in self.metrics.items() if one.metric.name not in hidden}
        dimensions = {key: one for key, one in self.dimensions.items() if one.name not in hidden}
        return replace(self, metrics=MappingProxyType(metrics), dimensions=MappingProxyType(dimensions), hidden=hidden)

    def version(self, model: Model) -> str:
        """Changes with the model's text and with what its names stand for in the data."""
        kinds = [(metric.field, metric.kind.value) for metric in self.metrics.values()]
        kinds += [(dimension.field, dimension.kind.value) for dimension in self.dimensions.values()]
        return hashlib.sha256(f"{model.digest} {kinds}".encode()).hexdigest()[:16]


def vocabulary(model: Model, facts: Facts) -> Vocabulary:
    """Name everything a client can ask of a model."""
    facts = with_scores(model, facts)
    metrics = [
        MetricName(camel_case(name), metric, metric_kind(model, facts, metric), is_credited(model, metric))
        for name, metric in model.metrics.items()
    ]
    segments = {segment.name: segment for dataset in model.datasets.values() for segment in dataset.segments}
    return Vocabulary(
        MappingProxyType({metric.field: metric for metric in metrics}),
        MappingProxyType(_dimensions(model, facts)),
        MappingProxyType(segments),
        model.funnels,
        model.retentions,
        model.scores,
        model.attributions,
        MappingProxyType(_event_datasets(model)),
        any(dataset.time_dimension for dataset in model.datasets.values()),
    )


def _event_datasets(model: Model) -> dict[str, Dataset]:
    return {name: found for name, found in model.datasets.items() if found.time_dimension and found.entities}


def _dimensions(model: Model, facts: Facts) -> dict[str, DimensionName]:
    places: dict[str, list[tuple[ReachedDimension, Kind]]] = {}
    for dataset in model.datasets:
        for reached in reachable(model, dataset).values():
            kind = dimension_kind(model, facts, reached, dataset)
            places.setdefault(reached.name, []).append((reached, kind))
    found = {}
    for name, everywhere in places.items():
        first = everywhere[0][0]
        shared = model.dimensions.get(name)
        found[camel_case(name)] = DimensionName(
            field=camel_case(name),
            name=name,
            type=first.dimension.type,
            kind=widest([kind for _, kind in everywhere]),
            label=(shared.label if shared else None) or _path_label(first),
            description=(shared.description if shared else None) or first.dimension.description,
        )
    return found


def _path_label(reached: ReachedDimension) -> Text:
    """A dimension's label; reached through relationships, with theirs in front where they have one."""
    texts = [relationship.label for relationship in reached.path if relationship.label]
    own = reached.dimension.label
    if not own or not texts:
        return own
    locales = [locale for locale, _ in own.by_locale]
    joined = [(locale, " · ".join(text.get(locale) or "" for text in (*texts, own))) for locale in locales]
    return Text(tuple(joined))
