"""The root field `scores`: its arguments, and the shape of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.schema.enums import score_enum
from api.schema.inputs import TimeRange
from api.schema.make import Resolver, argument, field, object_type
from api.schema.names import Vocabulary
from api.schema.results import Meta
from api.schema.scalars import Day, Long, Plain


@dataclass(frozen=True, slots=True)
class ScoreResolvers:
    """How the root field and the fields of `Scores` are answered."""

    scores: Resolver
    version: Resolver
    as_of: Resolver
    entities: Resolver
    meta: Resolver


@strawberry.type(description="A reason to think that somebody is leaving: a rule of the model that holds.")
class ScoreReason:
    """Why somebody is at risk."""

    name: str = strawberry.field(description="The rule's name in the model.")
    label: str = strawberry.field(description="For people, in the request's language.")
    risk: str = strawberry.field(description="How strong it is: high or medium.")
    rule: str = strawberry.field(description="The condition, as its author wrote it.")


@strawberry.type(description="How somebody stands, and why.")
class ScoredEntity:
    """A row of `entities`."""

    entity: str = strawberry.field(description="Who, as text.")
    first_day: Day = strawberry.field(description="The day of the first purchase.")
    last_day: Day = strawberry.field(description="The day of the last purchase.")
    recency_days: Long = strawberry.field(description="Days since the last purchase; 0 on its day.")
    frequency: Long = strawberry.field(description="Purchases.")
    purchase_days: Long = strawberry.field(description="Different days with a purchase.")
    monetary: Plain | None = strawberry.field(description="What they paid for them.")
    median_gap_days: float | None = strawberry.field(
        description="The median of the days between one day with a purchase and the next; null with one only."
    )
    overdue: float | None = strawberry.field(
        description="Days since the last purchase in own median gaps: 2 is twice as long as usual. Null without a gap."
    )
    p_alive: float | None = strawberry.field(
        description="The probability that they still buy (BG/NBD); 1 after a single day with a purchase, of which the "
        "model says nothing. Null where the model file has no parameters."
    )
    r_score: int = strawberry.field(description="The recency score: 1 is longest ago.")
    f_score: int = strawberry.field(description="The frequency score: 1 is least often.")
    m_score: int = strawberry.field(description="The amount score: 1 is least.")
    segment: str | None = strawberry.field(description="The first segment whose rule holds; null: none.")
    segment_label: str | None = strawberry.field(description="For people, in the request's language.")
    risk: str = strawberry.field(description="high, medium or low: the strongest of the reasons.")
    reasons: list[ScoreReason] = strawberry.field(description="Every risk rule that holds, in the model's order.")


def score_field(names: Vocabulary, where: Any, resolvers: ScoreResolvers, locale: str | None) -> StrawberryField | None:
    """The root field; None when the model has no score."""
    score = score_enum(names, locale)
    if score is None:
        return None
    said = "What each entity is worth and whether it is leaving, at the end of a time range, and why."
    return field("scores", _type(resolvers) | None, said, resolvers.scores, _arguments(score, where))


def _arguments(score: Any, where: Any) -> Iterator[StrawberryArgument]:
    yield argument("name", score, "The score.")
    yield argument("entities", list[str] | None, "Only these, by their ids as text.")
    yield argument("where", where | None, "Only entities that pass this filter on the score's own dimensions.")
    yield argument("timeRange", TimeRange | None, "Its last day is the day scores are of; `dataThrough` when left out.")
    yield argument("timezone", str | None, "The IANA time zone of days; the model's when left out.")
    yield argument("limit", int | None, "The most entities to return, 1 to 10000.", default=100)
    yield argument("offset", int | None, "How many to skip.", default=0)


def _type(resolvers: ScoreResolvers) -> Any:
    fields = [
        field("version", str, "The version of the score's rules.", resolvers.version),
        field("asOf", Day | None, "The last day taken into account; null: there is no data.", resolvers.as_of),
        field(
            "entities",
            list[ScoredEntity] | None,
            "Entities, who paid most first; for viewers who may see entities.",
            resolvers.entities,
        ),
        field("meta", Meta, "How the answer came about.", resolvers.meta),
    ]
    return object_type("Scores", fields, "What entities are worth, and who is leaving.")
