"""The root field `touchPaths`: its arguments, and the shape of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.schema.enums import attribution_enum
from api.schema.inputs import TimeRange
from api.schema.make import Resolver, argument, field, object_type
from api.schema.names import Vocabulary
from api.schema.results import Meta
from api.schema.scalars import Long, Number


@dataclass(frozen=True, slots=True)
class TouchPathResolvers:
    """How the root field and the fields of `TouchPaths` are answered."""

    touch_paths: Resolver
    conversions: Resolver
    value: Resolver
    paths: Resolver
    meta: Resolver


@strawberry.type(description="Touches one after another, and how many conversions came after them.")
class TouchPath:
    """One of the most common paths."""

    touches: list[str | None] = strawberry.field(
        description="The values of `by` in order of time; null: not set. Empty: conversions without a touch."
    )
    conversions: Long = strawberry.field(description="Conversions with exactly this path, up to `steps` touches back.")
    value: Number | None = strawberry.field(description="What they are worth, by `metric`; null without one.")
    share: float | None = strawberry.field(description="The share of all conversions.")


def touch_path_field(
    names: Vocabulary,
    metric: Any,
    where: Any,
    segment: Any,
    dimension: Any,
    resolvers: TouchPathResolvers,
    locale: str | None,
) -> StrawberryField | None:
    """The root field; None when the model has no attribution."""
    attribution = attribution_enum(names, locale)
    if attribution is None or dimension is None:
        return None
    said = (
        "Which touches led to conversions: the most common paths through an attribution's lookback, with how many "
        "conversions each has. Every conversion of the range is counted once."
    )
    arguments = _arguments(attribution, metric, where, segment, dimension)
    return field("touchPaths", _type(resolvers) | None, said, resolvers.touch_paths, arguments)


def _arguments(attribution: Any, metric: Any, where: Any, segment: Any, dimension: Any) -> Iterator[StrawberryArgument]:
    yield argument("attribution", attribution, "Whose conversions and touches.")
    yield argument("by", dimension | None, "What touches are called by; the first that its credit can be split by.")
    if metric is not None:
        yield argument("metric", metric | None, "An attribution metric of it, whose value is summed.")
    yield argument("steps", int | None, "How many touches before the conversion, 1 to 50: the last ones.", default=10)
    yield argument("repeats", bool | None, "Whether equal touches one after another are several.", default=False)
    yield argument("timeRange", TimeRange | None, "When the conversions happen; touches may lie before it.")
    yield argument("timezone", str | None, "The IANA time zone of days; the model's when left out.")
    yield argument("where", where | None, "Only touches that pass this filter are part of paths.")
    if segment is not None:
        yield argument("segments", list[segment] | None, "Only touches that pass these named filters.")
    yield argument("limit", int | None, "The most paths to return, 1 to 1000.", default=20)


def _type(resolvers: TouchPathResolvers) -> Any:
    fields = [
        field("conversions", Long, "All conversions of the range.", resolvers.conversions),
        field("value", Number | None, "What they are worth, by `metric`; null without one.", resolvers.value),
        field(
            "paths",
            list[TouchPath],
            "The most common paths, most common first; of equally common ones the shorter.",
            resolvers.paths,
        ),
        field("meta", Meta, "How the answer came about.", resolvers.meta),
    ]
    return object_type("TouchPaths", fields, "Which touches led to conversions.")
