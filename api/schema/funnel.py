"""The root field `funnel`: its arguments, and the shape of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.schema.enums import Followed, FunnelEntry, FunnelOrder, Grain, funnel_enum
from api.schema.inputs import Duration, TimeRange
from api.schema.make import Resolver, argument, field, input_field, input_type, object_type
from api.schema.names import Vocabulary
from api.schema.results import DimensionKey, Meta
from api.schema.scalars import Instant, Long, Period


@dataclass(frozen=True, slots=True)
class FunnelResolvers:
    """How the root field and the fields of `Funnel` are answered."""

    funnel: Resolver
    steps: Resolver
    groups: Resolver
    periods: Resolver
    time_to_convert: Resolver
    drop_offs: Resolver
    meta: Resolver


@strawberry.type(description="A step of a funnel: how many reached it, and how long they took.")
class FunnelStep:
    """A bar of a funnel."""

    name: str = strawberry.field(description="Its name in the model, or as the query gave it.")
    label: str = strawberry.field(description="For people, in the request's language.")
    index: int = strawberry.field(description="Its place, from 1.")
    count: Long = strawberry.field(description="Entities that reached it.")
    conversion: float | None = strawberry.field(description="The share of step 1; null when nobody was there.")
    step_conversion: float | None = strawberry.field(
        description="The share of the step before; null at step 1, and when nobody was there."
    )
    drop_off: Long | None = strawberry.field(
        description="Entities that reached the step before and not this one; null at step 1."
    )
    average_seconds: float | None = strawberry.field(
        description="The mean time from the step before; null at step 1, and when nobody made it."
    )
    median_seconds: float | None = strawberry.field(
        description="The exact median of the time from the step before; null at step 1, and when nobody made it."
    )


@strawberry.type(description="The funnel of those who entered it with these values.")
class FunnelGroup:
    """A value of a breakdown."""

    key: list[DimensionKey] = strawberry.field(description="The values at step 1, in the order of `breakdown`.")
    steps: list[FunnelStep] = strawberry.field(description="The steps. Groups sum to the funnel's own.")


@strawberry.type(description="The funnel of those who entered it in a period.")
class FunnelPeriod:
    """A point of a trend."""

    time: Period = strawberry.field(description="The period's first day; for HOUR the instant it begins.")
    mature: bool = strawberry.field(
        description="Whether everybody who entered in the period has had the whole window by `dataThrough`."
    )
    steps: list[FunnelStep] = strawberry.field(
        description="The steps. Who enters in several periods is counted once in each."
    )


@strawberry.type(description="A bar of a histogram of the time it took to convert.")
class TimeBucket:
    """A bar of the time to convert."""

    from_seconds: float = strawberry.field(description="The shortest time in it.")
    to_seconds: float = strawberry.field(description="The time that is in the next one; in the last it is included.")
    count: Long = strawberry.field(description="Entities that took that long.")


@strawberry.type(description="Somebody who left at a step.")
class DropOff:
    """An entity that went no further."""

    entity: str = strawberry.field(description="Who, as text.")
    last_seen: Instant = strawberry.field(description="When the step was reached.")


def funnel_field(
    names: Vocabulary,
    followed: Followed,
    where: Any,
    segment: Any,
    dimension: Any,
    resolvers: FunnelResolvers,
    locale: str | None,
) -> StrawberryField:
    """The root field."""
    step = _step_input(where, followed.dataset)
    arguments = [
        *_which(funnel_enum(names, locale), step, followed.entity),
        *_when_and_whom(where, segment, dimension),
    ]
    return field("funnel", _type(resolvers) | None, _SAID, resolvers.funnel, arguments)


_SAID = (
    "How many get from step to step: of a funnel of the model (`name`), or of `steps` that the query gives. What is "
    "selected is computed, and nothing else."
)


def _step_input(where: Any, datasets: Any) -> Any:
    fields = [input_field("name", str, "What to call it.")]
    if where is not None:
        fields.append(input_field("where", where | None, "The events that are this step; all when left out."))
    fields.append(
        input_field(
            "dataset", datasets | None, "Where they happen; the first that has all that is named when left out."
        )
    )
    return input_type("FunnelStepInput", fields, "A step of a funnel that the query gives.")


def _which(funnel: Any, step: Any, entities: Any) -> Iterator[StrawberryArgument]:
    several: Any = list[step]
    if funnel is not None:
        yield argument("name", funnel | None, "The funnel; or else give `steps`.")
        several = several | None
    yield argument("steps", several, "The steps, in order, of a funnel of the query's own.")
    yield argument("entity", entities | None, "Of own steps: who is followed; the first that all steps have.")
    yield argument("order", FunnelOrder | None, "Of own steps: how they follow each other; ORDERED when left out.")
    yield argument("entry", FunnelEntry | None, "Of own steps: which events open an attempt; ANY when left out.")
    yield argument("window", Duration | None, "The most time from step 1, included; the funnel's own when left out.")
    yield argument("sameDay", bool | None, "Instead of `window`: until the business day of step 1 ends.")


def _when_and_whom(where: Any, segment: Any, dimension: Any) -> Iterator[StrawberryArgument]:
    yield argument("timeRange", TimeRange | None, "When step 1 happens; later steps may lie after it.")
    yield argument("timezone", str | None, "The IANA time zone of days and periods; the model's when left out.")
    if where is not None:
        yield argument("where", where | None, "Only attempts whose first event passes this filter.")
    if segment is not None:
        yield argument("segments", list[segment] | None, "Only attempts whose first event passes these named filters.")
    if dimension is not None:
        yield argument("breakdown", list[dimension] | None, "What `groups` are split by: the values at step 1.")
    yield argument("grain", Grain | None, "The length of `periods`, by when step 1 happens; HOUR or coarser.")


def _type(resolvers: FunnelResolvers) -> Any:
    step = argument("step", int | None, "The step that is reached; the last when left out.")
    fields = [
        field("steps", list[FunnelStep], "The steps of everybody.", resolvers.steps),
        field("groups", list[FunnelGroup], "A funnel for each value of `breakdown`.", resolvers.groups),
        field("periods", list[FunnelPeriod], "A funnel for each period of `grain`.", resolvers.periods),
        field(
            "timeToConvert",
            list[TimeBucket],
            "How long it took from step 1 to a step: a histogram over the window.",
            resolvers.time_to_convert,
            [argument("buckets", int | None, "How many bars, 1 to 1000.", default=24), step],
        ),
        field(
            "dropOffs",
            list[DropOff] | None,
            "Who reached a step and went no further, latest first; for viewers who may see entities.",
            resolvers.drop_offs,
            [
                argument("step", int, "The step, from 1. At the last one: who came all the way."),
                argument("limit", int | None, "The most entities to return, 1 to 10000.", default=100),
                argument("offset", int | None, "How many to skip.", default=0),
            ],
        ),
        field("meta", Meta, "How the answer came about.", resolvers.meta),
    ]
    return object_type("Funnel", fields, "How many get from step to step.")
