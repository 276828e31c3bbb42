"""The format, part three: funnels, retentions and attributions."""

from __future__ import annotations

from typing import Final

from semantic.load.format_data import elapsed
from semantic.load.keys import DATASET, DESCRIPTION, DIMENSION, ENTITY, LABEL, NAME, ROWS, STEP
from semantic.load.read_list import ListOf
from semantic.load.read_shape import Key, Shape
from semantic.load.read_times import Span
from semantic.load.read_values import Checked, Choice, Integer
from semantic.load.shape_rules import NeededWith, OnlyWith
from semantic.model.sequence import (
    AttributionModel,
    Clock,
    CohortType,
    CreditTime,
    ExcludeEffect,
    FunnelEntry,
    FunnelOrder,
    RetentionMode,
)
from semantic.time import Grain


def _bracket(pair: tuple[int, ...]) -> str | None:
    if len(pair) == 2 and pair[0] <= pair[1]:
        return None
    return f"A bracket is its first and last period, such as [1, 3], not {list(pair)}"


_PERIOD = Integer(1, 1000)

STEP_SHAPE: Final = Shape(
    "step",
    "One step of a funnel.",
    {
        "name": Key(NAME, "Its name.", required=True),
        "dataset": Key(DATASET, "The dataset it happens in, when that is not the funnel's."),
        "where": Key(ROWS, "The events that are this step; all when left out."),
        "label": LABEL,
    },
)

EXCLUDE: Final = Shape(
    "exclusion",
    "Events of the funnel's dataset that must not happen between two steps.",
    {
        "where": Key(ROWS, "The events.", required=True),
        "from": Key(STEP, "The step after which they count.", required=True),
        "to": Key(STEP, "The step before which they count.", required=True),
        "effect": Key(Choice(ExcludeEffect), "drop_off (default) ends the attempt; remove takes the entity out."),
    },
)

FUNNEL: Final = Shape(
    "funnel",
    "Steps an entity takes one after another.",
    {
        "name": Key(NAME, "Its name in queries.", required=True),
        "entity": Key(ENTITY, "Who takes the steps.", required=True),
        "dataset": Key(DATASET, "Where the steps happen that name no other.", required=True),
        "steps": Key(ListOf(STEP_SHAPE, "step", least=2), "The steps, in order.", required=True),
        "window": Key(
            Checked(Span("same_day"), elapsed),
            "How long it may take from step 1, inclusive; or same_day.",
            required=True,
        ),
        "order": Key(Choice(FunnelOrder), "ordered (default), strict (the very next event) or any."),
        "entry": Key(Choice(FunnelEntry), "any (default): every first step opens an attempt; first: only the first."),
        "hold": Key(ListOf(DIMENSION, "dimension"), "Dimensions whose value must stay the same."),
        "exclude": Key(ListOf(EXCLUDE, "exclusion"), "Events that end an attempt."),
        "label": LABEL,
        "description": DESCRIPTION,
    },
)

COHORT: Final = Shape(
    "cohort",
    "Who is followed, and from when.",
    {
        "dataset": Key(DATASET, "Where the first event happens.", required=True),
        "type": Key(Choice(CohortType), "first_time (default), or recurring: every period with an event."),
        "where": Key(ROWS, "The events that count; all when left out."),
    },
)

RETURN: Final = Shape(
    "return",
    "What coming back is.",
    {
        "dataset": Key(DATASET, "Where it happens.", required=True),
        "where": Key(ROWS, "The events that count; all when left out."),
    },
)

RETENTION_SHAPE: Final = Shape(
    "retention",
    "How many of a cohort come back.",
    {
        "name": Key(NAME, "Its name in queries.", required=True),
        "entity": Key(ENTITY, "Who comes back.", required=True),
        "cohort": Key(COHORT, "Who is followed.", required=True),
        "return": Key(RETURN, "What coming back is.", required=True),
        "grain": Key(Choice(Grain, (Grain.DAY, Grain.WEEK, Grain.MONTH)), "The period: day (default), week or month."),
        "mode": Key(Choice(RetentionMode), "Which period counts: exact (default), on_or_after, within or bracket."),
        "brackets": Key(
            ListOf(Checked(ListOf(_PERIOD, "period", repeats=True), _bracket), "bracket", least=1),
            "Of mode bracket: first and last period of each.",
        ),
        "clock": Key(Choice(Clock), "calendar (default) periods, or time elapsed since the first event."),
        "periods": Key(_PERIOD, "How far a report goes when it does not say; 30 when left out."),
        "label": LABEL,
        "description": DESCRIPTION,
    },
    (NeededWith("brackets", "mode", ("bracket",)), OnlyWith("brackets", "mode", ("bracket",))),
)

CONVERSION_SHAPE: Final = Shape(
    "conversion",
    "What is credited.",
    {
        "dataset": Key(DATASET, "Where it happens.", required=True),
        "where": Key(ROWS, "The events that count; all when left out."),
    },
)

TOUCH: Final = Shape(
    "touch",
    "What gets the credit.",
    {
        "dataset": Key(DATASET, "Where it happens.", required=True),
        "where": Key(ROWS, "The events that count; all when left out."),
        "dimensions": Key(
            ListOf(DIMENSION, "dimension"), "What the credit can be split by; all that its dataset has when left out."
        ),
    },
)

ATTRIBUTION_SHAPE: Final = Shape(
    "attribution",
    "How conversions are credited to what came before them.",
    {
        "name": Key(NAME, "Its name.", required=True),
        "entity": Key(ENTITY, "Who converts.", required=True),
        "conversion": Key(CONVERSION_SHAPE, "What is credited.", required=True),
        "touch": Key(TOUCH, "What gets the credit.", required=True),
        "lookback": Key(Checked(Span(), elapsed), "How long before the conversion a touch counts.", required=True),
        "model": Key(Choice(AttributionModel), "How credit is shared; last_non_direct when left out."),
        "time": Key(Choice(CreditTime), "When credit is: at the conversion (default), or at the touch that gets it."),
        "direct": Key(ROWS, "Touches that get credit only when there are no others."),
        "label": LABEL,
        "description": DESCRIPTION,
    },
)
