"""The root field `paths`: its arguments, and the shape of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.schema.enums import Followed
from api.schema.inputs import Duration, TimeRange
from api.schema.make import Resolver, argument, field, object_type
from api.schema.results import Meta
from api.schema.scalars import Long


@dataclass(frozen=True, slots=True)
class JourneyResolvers:
    """How the root field and the fields of `Paths` are answered."""

    paths: Resolver
    count: Resolver
    nodes: Resolver
    links: Resolver
    sequences: Resolver
    meta: Resolver


@strawberry.type(description="Entities whose event at a step has a name.")
class PathNode:
    """A bar of a flow diagram."""

    step: int = strawberry.field(description="0 is the event asked for; 1 the next one, -1 the one before.")
    name: str | None = strawberry.field(description="The value of `by`, as text; null: not set, or `other`.")
    other: bool = strawberry.field(description="Whether it stands for all names beyond the `limit` of its step.")
    count: Long = strawberry.field(description="Entities.")
    drop_off: Long | None = strawberry.field(
        description="Entities whose path has no further event, away from step 0; null at the last step asked for."
    )


@strawberry.type(description="Entities that go from one node to the next.")
class PathLink:
    """A band of a flow diagram."""

    source: int = strawberry.field(description="The earlier node: its place in `nodes`, from 0.")
    target: int = strawberry.field(description="The later node: its place in `nodes`, from 0.")
    count: Long = strawberry.field(description="Entities.")
    share: float | None = strawberry.field(description="The share of the earlier node's entities.")


@strawberry.type(description="A whole path, and how many have it.")
class PathSequence:
    """One of the most common paths."""

    names: list[str | None] = strawberry.field(description="Its events in order of time; null: not set.")
    count: Long = strawberry.field(description="Entities with exactly this path, up to `steps`.")
    share: float | None = strawberry.field(description="The share of all entities.")


def journey_field(
    followed: Followed, where: Any, segment: Any, dimension: Any, resolvers: JourneyResolvers
) -> StrawberryField:
    """The root field."""
    arguments = [
        *_anchor(where, dimension),
        *_which(followed.dataset, followed.entity),
        *_how_far(where, segment),
    ]
    return field("paths", _type(resolvers) | None, _SAID, resolvers.paths, arguments)


_SAID = (
    "What people do after an event (`from`) or before one (`to`): the flows from step to step, and the most common "
    "paths. Everybody is counted once: by their first event in the range that passes `from`, or their last that passes "
    "`to`."
)


def _anchor(where: Any, dimension: Any) -> Iterator[StrawberryArgument]:
    yield argument("by", dimension, "What events are called by.")
    yield argument("from", where | None, "The event that paths begin with: give this or `to`.")
    yield argument("to", where | None, "The event that paths end with: give this or `from`.")


def _which(datasets: Any, entities: Any) -> Iterator[StrawberryArgument]:
    yield argument("dataset", datasets | None, "Where the events are; the first that has all that is named.")
    yield argument("entity", entities | None, "Who is followed; the first entity of the dataset.")


def _how_far(where: Any, segment: Any) -> Iterator[StrawberryArgument]:
    yield argument("steps", int | None, "How many events after (before) it, 1 to 20.", default=3)
    yield argument("timeRange", TimeRange | None, "When the event asked for happens; the others may lie outside.")
    yield argument("timezone", str | None, "The IANA time zone of days; the model's when left out.")
    yield argument("where", where | None, "Only events that pass this filter are part of paths.")
    if segment is not None:
        yield argument("segments", list[segment] | None, "Only events that pass these named filters.")
    yield argument("within", Duration | None, "The most time from step 0, included; 1 day when left out.")
    yield argument("gap", Duration | None, "A path ends before a longer pause between two events; none when left out.")
    yield argument("repeats", bool | None, "Whether equal events one after another are several.", default=False)
    yield argument("limit", int | None, "The most names at a step, 1 to 100; all others are one node.", default=10)


def _type(resolvers: JourneyResolvers) -> Any:
    fields = [
        field("count", Long, "The entities with the event asked for.", resolvers.count),
        field(
            "nodes", list[PathNode], "Who is where, step by step in order of time; most common first.", resolvers.nodes
        ),
        field("links", list[PathLink], "Who goes from where to where.", resolvers.links),
        field(
            "sequences",
            list[PathSequence],
            "The most common paths, most common first; of equally common ones the shorter.",
            resolvers.sequences,
            [argument("limit", int | None, "The most paths to return, 1 to 100.", default=20)],
        ),
        field("meta", Meta, "How the answer came about.", resolvers.meta),
    ]
    return object_type("Paths", fields, "What people do before or after an event.")
