"""Enums that are the same in every model, and those made from its names."""

from __future__ import annotations

from typing import Any

from api.schema.make import Member, enum_type
from api.schema.names import Vocabulary, enum_name
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


def _said(text: Text, name: str, locale: str | None) -> str:
    return text.get(locale) or name
