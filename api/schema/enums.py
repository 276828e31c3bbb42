"""Enums that are the same in every model, and those made from its names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from api.schema.make import Member, enum_type
from api.schema.names import Vocabulary, enum_name
from semantic.model.sequence import AttributionModel as Model
from semantic.model.sequence import FunnelEntry as Entry
from semantic.model.sequence import FunnelOrder as Order
from semantic.model.text import Text
from semantic.query.query import Comparison as Compared
from semantic.time import Grain as TimeGrain
from semantic.time import Unit as TimeUnit

Grain: Any = enum_type(
    "Grain",
    {
        grain.name: Member(grain.value, f"One {grain.value}{', as an instant' if grain.is_clock else ''}.")
        for grain in TimeGrain
    },
    "The size of a time bucket.",
)
Unit: Any = enum_type(
    "Unit",
    {unit.name: Member(unit.value, f"{unit.value.capitalize()}s.") for unit in TimeUnit},
    "The unit of a duration.",
)
Comparison: Any = enum_type(
    "Comparison",
    {
        "VALUE": Member(Compared.VALUE, "The value of the earlier period itself."),
        "CHANGE": Member(Compared.CHANGE, "This period's value minus the earlier one's."),
        "CHANGE_RATIO": Member(
            Compared.CHANGE_RATIO, "The change as a share of the earlier value: 0.25 is a quarter more; null over zero."
        ),
    },
    "What a field with `offset` shows.",
)
Direction: Any = enum_type(
    "Direction",
    {
        "ASC": Member("asc", "Smallest first; null last."),
        "DESC": Member("desc", "Largest first; null last."),
    },
    "The direction of an order.",
)

FunnelOrder: Any = enum_type(
    "FunnelOrder",
    {
        "ORDERED": Member(Order.ORDERED, "One step after the other; other events may lie between."),
        "STRICT": Member(Order.STRICT, "The very next event is the next step."),
        "ANY": Member(Order.ANY, "In any order: a bar counts those with at least so many different steps."),
    },
    "How the steps of a funnel follow each other.",
)
FunnelEntry: Any = enum_type(
    "FunnelEntry",
    {
        "ANY": Member(Entry.ANY, "Every event of step 1 opens an attempt; the best one counts."),
        "FIRST": Member(Entry.FIRST, "Only the first event of step 1 in the time range opens one."),
    },
    "Which events open an attempt at a funnel.",
)


AttributionModel: Any = enum_type(
    "AttributionModel",
    {
        "LAST_NON_DIRECT": Member(Model.LAST_NON_DIRECT, "The last touch that is not direct; else the last one."),
        "FIRST": Member(Model.FIRST, "The first touch."),
        "LAST": Member(Model.LAST, "The last touch."),
        "LINEAR": Member(Model.LINEAR, "All touches alike."),
        "POSITION": Member(Model.POSITION, "40 % the first, 40 % the last, the others what is left."),
        "TIME_DECAY": Member(Model.TIME_DECAY, "All touches, each half as much as one seven days later."),
    },
    "How the credit of a conversion is shared among the touches before it.",
)


def metric_enum(names: Vocabulary, locale: str | None) -> Any:
    """Every metric, or None when the model has none."""
    members = {
        enum_name(entry.metric.name): Member(entry.metric.name, _said(entry.metric.label, entry.metric.name, locale))
        for entry in names.metrics.values()
    }
    return enum_type("Metric", members, "Every metric of the model.") if members else None


def dimension_enum(names: Vocabulary, locale: str | None) -> Any:
    """Every dimension, or None when the model has none."""
    members = {
        enum_name(entry.name): Member(entry.name, _said(entry.label, entry.name, locale))
        for entry in names.dimensions.values()
    }
    return enum_type("Dimension", members, "Every dimension of the model.") if members else None


def segment_enum(names: Vocabulary, locale: str | None) -> Any:
    """Every segment, or None when the model has none."""
    members = {
        enum_name(name): Member(name, _said(segment.description or segment.label, name, locale))
        for name, segment in names.segments.items()
    }
    return enum_type("Segment", members, "Every named filter of the model.") if members else None


def funnel_enum(names: Vocabulary, locale: str | None) -> Any:
    """Every funnel, or None when the model has none."""
    members = {
        enum_name(name): Member(name, _said(funnel.label, name, locale)) for name, funnel in names.funnels.items()
    }
    return enum_type("FunnelName", members, "Every funnel of the model.") if members else None


def attribution_enum(names: Vocabulary, locale: str | None) -> Any:
    """Every attribution, or None when the model has none."""
    members = {
        enum_name(name): Member(name, _said(attribution.label, name, locale))
        for name, attribution in names.attributions.items()
    }
    return enum_type("AttributionName", members, "Every attribution of the model.") if members else None


def retention_enum(names: Vocabulary, locale: str | None) -> Any:
    """Every retention, or None when the model has none."""
    members = {
        enum_name(name): Member(name, _said(retention.label, name, locale))
        for name, retention in names.retentions.items()
    }
    return enum_type("RetentionName", members, "Every retention of the model.") if members else None


def score_enum(names: Vocabulary, locale: str | None) -> Any:
    """Every score, or None when the model has none."""
    members = {enum_name(name): Member(name, _said(score.label, name, locale)) for name, score in names.scores.items()}
    return enum_type("ScoreName", members, "Every score of the model.") if members else None


@dataclass(frozen=True, slots=True)
class Followed:
    """Who can be followed, and through which rows: the same two enums wherever they are named."""

    dataset: Any
    entity: Any


def followed(names: Vocabulary, locale: str | None) -> Followed | None:
    """The two enums; None when the model has no events of anybody."""
    datasets = {
        enum_name(name): Member(name, _said(dataset.label, name, locale))
        for name, dataset in names.event_datasets.items()
    }
    if not datasets:
        return None
    found = dict.fromkeys(entity for dataset in names.event_datasets.values() for entity, _ in dataset.entities)
    entities = {enum_name(entity): Member(entity, f"Follow each {entity}.") for entity in found}
    return Followed(
        enum_type("Dataset", datasets, "Every dataset that steps can happen in."),
        enum_type("Entity", entities, "Who can be followed."),
    )


def _said(text: Text, name: str, locale: str | None) -> str:
    return text.get(locale) or name
