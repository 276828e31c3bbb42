"""The root field `retention`: its arguments, and the shape of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.schema.enums import Grain, retention_enum
from api.schema.inputs import TimeRange
from api.schema.make import Resolver, argument, field, object_type
from api.schema.names import Vocabulary
from api.schema.results import DimensionKey, Meta
from api.schema.scalars import Day, Long


@dataclass(frozen=True, slots=True)
class RetentionResolvers:
    """How the root field and the fields of `Retention` are answered."""

    retention: Resolver
    cohorts: Resolver
    overall: Resolver
    groups: Resolver
    lifecycle: Resolver
    meta: Resolver


@strawberry.type(description="How many of a cohort came back.")
class RetentionCell:
    """A cell of a cohort table."""

    period: int = strawberry.field(
        description="Which one, from 1: the period after the cohort's, or the place of the bracket."
    )
    count: Long = strawberry.field(description="Entities that came back; while not mature, those seen so far.")
    rate: float | None = strawberry.field(
        description="`count` of `eligible`; null while not mature, and when there is nobody."
    )
    mature: bool = strawberry.field(
        description="Whether the period lies wholly in complete days. Pooled: whether it does for any cohort."
    )
    eligible: Long = strawberry.field(description="Entities of mature cohorts: those that could have come back.")


@strawberry.type(description="The entities whose cohort event lies in one period.")
class Cohort:
    """A row of a cohort table."""

    time: Day = strawberry.field(description="The first day of the period.")
    size: Long = strawberry.field(description="Its entities.")
    cells: list[RetentionCell] = strawberry.field(description="Cells 1, 2, 3 and so on.")


@strawberry.type(description="The entities whose cohort event has these values: they keep them for life.")
class RetentionGroup:
    """A value of a breakdown."""

    key: list[DimensionKey] = strawberry.field(description="The values at the cohort event, as `breakdown` has them.")
    size: Long = strawberry.field(description="Its entities in all cohorts.")
    cells: list[RetentionCell] = strawberry.field(description="Pooled over its mature cohorts, as `overall`.")
    cohorts: list[Cohort] = strawberry.field(description="Its cohorts, one for each period of the range.")


@strawberry.type(description="Who began, stayed, came back and stayed away in a period.")
class LifecyclePeriod:
    """A point of a lifecycle."""

    time: Day = strawberry.field(description="The first day of the period.")
    mature: bool = strawberry.field(description="Whether all its days are complete.")
    active: Long = strawberry.field(description="Entities with a cohort event in it: new, returning and resurrected.")
    new: Long = strawberry.field(description="Active for the first time ever.")
    returning: Long = strawberry.field(description="Active, and in the period before too.")
    resurrected: Long = strawberry.field(description="Active, and earlier, but not in the period before.")
    dormant: Long = strawberry.field(description="Active in the period before, and not in this one.")


def retention_field(
    names: Vocabulary, where: Any, segment: Any, dimension: Any, resolvers: RetentionResolvers, locale: str | None
) -> StrawberryField | None:
    """The root field; None when the model has no retention."""
    retention = retention_enum(names, locale)
    if retention is None:
        return None
    return field(
        "retention",
        _type(resolvers) | None,
        "How many come back: a cohort for each period, and all mature cohorts pooled.",
        resolvers.retention,
        _arguments(retention, where, segment, dimension),
    )


def _arguments(retention: Any, where: Any, segment: Any, dimension: Any) -> Iterator[StrawberryArgument]:
    yield argument("name", retention, "The retention.")
    yield argument("timeRange", TimeRange | None, "When the cohort events happen; returns may lie after it.")
    yield argument("timezone", str | None, "The IANA time zone of days and periods; the model's when left out.")
    if where is not None:
        yield argument("where", where | None, "Only entities whose cohort event passes this filter.")
    if segment is not None:
        yield argument("segments", list[segment] | None, "Only entities whose cohort event passes these named filters.")
    if dimension is not None:
        yield argument("breakdown", list[dimension] | None, "What `groups` are split by: values at the cohort event.")
    yield argument("periods", int | None, "How many cells, 1 to 400; the retention's own when left out.")


def _type(resolvers: RetentionResolvers) -> Any:
    fields = [
        field("cohorts", list[Cohort], "A cohort for each period of the range, also empty ones.", resolvers.cohorts),
        field(
            "overall",
            list[RetentionCell],
            "Each cell over the cohorts it is mature for: the sum of who came back over the sum of the sizes.",
            resolvers.overall,
        ),
        field("groups", list[RetentionGroup], "The same for each value of `breakdown`.", resolvers.groups),
        field(
            "lifecycle",
            list[LifecyclePeriod],
            "The change of who is active, period by period: it is new + resurrected - dormant.",
            resolvers.lifecycle,
            [argument("grain", Grain | None, "The periods: DAY, WEEK or MONTH; the retention's own when left out.")],
        ),
        field("meta", Meta, "How the answer came about.", resolvers.meta),
    ]
    return object_type("Retention", fields, "How many come back.")
