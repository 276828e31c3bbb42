"""The format, part four: scores and firsts."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from semantic.load.keys import COLUMN, DATASET, DESCRIPTION, ENTITY, LABEL, NAME, ROWS
from semantic.load.read_list import ListOf
from semantic.load.read_shape import Key, Shape
from semantic.load.read_values import Checked, Choice, Line, Number
from semantic.model.score import Risk
from semantic.time import Unit

MAX_CUTS: Final = 9


def _rising(cuts: tuple[float, ...]) -> str | None:
    if len(cuts) > MAX_CUTS:
        return f"There are at most {MAX_CUTS} cut points, not {len(cuts)}"
    if all(one < other for one, other in pairwise(cuts)):
        return None
    return f"Cut points rise, such as [7, 30, 90], not {list(cuts)}"


_CUTS: Final = Checked(ListOf(Number(), "cut point", least=1, repeats=True), _rising)
_POSITIVE: Final = Number(0, 1e9)

SEGMENT_RULE: Final = Shape(
    "score segment",
    "Entities that belong together.",
    {
        "name": Key(NAME, "Its name: the value of the dimension.", required=True),
        "where": Key(ROWS, "Who is in it, of those that no earlier one has; all others when left out."),
        "label": LABEL,
    },
)

RISK_RULE: Final = Shape(
    "risk",
    "A reason to think that somebody is leaving.",
    {
        "name": Key(NAME, "Its name, which explains a risk.", required=True),
        "where": Key(ROWS, "Whom it is about.", required=True),
        "risk": Key(Choice(Risk, (Risk.HIGH, Risk.MEDIUM)), "high or medium: the highest one counts.", required=True),
        "label": LABEL,
    },
)

ALIVE: Final = Shape(
    "purchase model",
    "Fixed parameters of the probability that somebody still buys (BG/NBD); `headwater fit` finds them.",
    {
        "r": Key(_POSITIVE, "r: how alike the rates are at which people buy.", required=True),
        "alpha": Key(_POSITIVE, "α, in units of time.", required=True),
        "a": Key(_POSITIVE, "a: of the chance to stop after a purchase.", required=True),
        "b": Key(_POSITIVE, "b: of the chance to stop after a purchase.", required=True),
        "unit": Key(Choice(Unit, (Unit.DAY, Unit.WEEK)), "What time was counted in: day (default) or week."),
    },
)

SCORE: Final = Shape(
    "score",
    "What each entity is worth, and whether it is leaving, by its purchases.",
    {
        "name": Key(NAME, "Its name: a dataset of its entities, and what its dimensions begin with.", required=True),
        "version": Key(Line("a version such as 2026-11"), "Another whenever a rule or cut changes.", required=True),
        "entity": Key(ENTITY, "Who is scored.", required=True),
        "dataset": Key(DATASET, "Where the purchases are.", required=True),
        "where": Key(ROWS, "The rows that are purchases; all when left out."),
        "time_dimension": Key(COLUMN, "The column that says when, instead of the dataset's."),
        "purchase": Key(ROWS, "What the rows of one purchase have in common; each row is one when left out."),
        "amount": Key(ROWS, "What a row is worth.", required=True),
        "recency": Key(_CUTS, "Rising days since the last purchase: within the first cut scores best.", required=True),
        "frequency": Key(_CUTS, "Rising numbers of purchases: from the last cut on scores best.", required=True),
        "monetary": Key(_CUTS, "Rising amounts: from the last cut on scores best.", required=True),
        "segments": Key(ListOf(SEGMENT_RULE, "segment"), "Who belongs together; the first that fits counts."),
        "risks": Key(ListOf(RISK_RULE, "risk"), "Reasons to think that somebody is leaving."),
        "alive": Key(ALIVE, "A fitted model of who still buys."),
        "label": LABEL,
        "description": DESCRIPTION,
    },
)

FIRST: Final = Shape(
    "first",
    "The first event ever of each entity: it makes who is new, and who returns.",
    {
        "name": Key(NAME, "Its name: what its dimensions begin with.", required=True),
        "entity": Key(ENTITY, "Whose first event.", required=True),
        "dataset": Key(DATASET, "Where the events are.", required=True),
        "where": Key(ROWS, "The events that count; all when left out."),
        "label": LABEL,
        "description": DESCRIPTION,
    },
)
