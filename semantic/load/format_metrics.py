"""The format, part two: the seven types of metric."""

from __future__ import annotations

from typing import Final

from semantic.load.expression import Scope
from semantic.load.keys import DESCRIPTION, GRAIN, LABEL, METRIC, METRIC_NAME, ROWS, ROWS_OF, STEP
from semantic.load.read_expression import ColumnPath, Expr
from semantic.load.read_names import Ref
from semantic.load.read_shape import ByType, Key, Shape
from semantic.load.read_times import Span
from semantic.load.read_values import Checked, Choice, Constant, Integer, Nothing, Number
from semantic.load.shape_rules import ExactlyOne, NeededWith, OnlyWith, Rule
from semantic.model.metric import Aggregation, Format
from semantic.model.sequence import CreditTime
from semantic.time import Duration


def _window(duration: Duration) -> str | None:
    if duration.months is not None or (duration.seconds or 0) % 3600 == 0:
        return None
    return f"A window is whole hours or longer, not {duration}"


def _metric(kind: str, doc: str, keys: dict[str, Key], rules: tuple[Rule, ...] = ()) -> Shape:
    common = {
        "name": Key(METRIC_NAME, "Its name in queries.", required=True),
        "type": Key(Constant(kind), doc, required=True),
    }
    shown = {
        "format": Key(Choice(Format), "How a client should show it; number when left out."),
        "fill": Key(Number(), "Its value where there are no rows; counts are 0, others null when left out."),
        "unallocated": Key(Nothing(), "null: where it can't be split by a dimension it is null, not an error."),
        "label": LABEL,
        "description": DESCRIPTION,
    }
    return Shape(f"{kind} metric", doc, {**common, **keys, **shown}, rules)


_NEED_EXPR = tuple(agg.value for agg in Aggregation if agg is not Aggregation.COUNT)

SIMPLE: Final = _metric(
    "simple",
    "An aggregate of one dataset.",
    {
        "dataset": Key(ROWS_OF, "The dataset whose rows are folded, or a score: its entities.", required=True),
        "agg": Key(Choice(Aggregation), "How rows become one number.", required=True),
        "expr": Key(ROWS, "What is folded, for each row; count counts rows when it is left out."),
        "where": Key(ROWS, "The rows that take part."),
        "p": Key(Number(0, 1), "Of percentile: the share of values below it, such as 0.95."),
        "time_dimension": Key(
            ColumnPath(), "What places a row in time instead of the dataset's: a column, or relationship.column."
        ),
    },
    (
        NeededWith("expr", "agg", _NEED_EXPR),
        NeededWith("p", "agg", ("percentile",)),
        OnlyWith("p", "agg", ("percentile",)),
    ),
)

RATIO: Final = _metric(
    "ratio",
    "One metric divided by another, of any datasets; x / 0 is null.",
    {
        "numerator": Key(METRIC, "The metric above.", required=True),
        "denominator": Key(METRIC, "The metric below.", required=True),
    },
)

DERIVED: Final = _metric(
    "derived",
    "An expression over metrics, of any datasets.",
    {"expr": Key(Expr(Scope.METRICS), "An expression whose names are metrics.", required=True)},
)

CUMULATIVE: Final = _metric(
    "cumulative",
    "A metric over a trailing window, or since a longer period began.",
    {
        "metric": Key(METRIC, "The metric that is computed over more time.", required=True),
        "window": Key(Checked(Span(), _window), "How far back it looks from the end of a row's period."),
        "grain_to_date": Key(GRAIN, "The period at whose beginning it starts again."),
    },
    (ExactlyOne(("window", "grain_to_date")),),
)

CONVERSION: Final = _metric(
    "conversion",
    "The share of a funnel's entities that get from one step to another.",
    {
        "funnel": Key(Ref("funnels", "funnel"), "The funnel.", required=True),
        "from": Key(STEP, "The step that is 100 %.", required=True),
        "to": Key(STEP, "A later step.", required=True),
    },
)

RETENTION: Final = _metric(
    "retention",
    "The rate of one period of a retention, or the value of its entities up to then.",
    {
        "retention": Key(Ref("retentions", "retention"), "The retention.", required=True),
        "period": Key(Integer(0, 1000), "Periods after the cohort's.", required=True),
        "value": Key(ROWS, "What to sum over the returns of periods 0 to `period`, for each entity (lifetime value)."),
        "cost": Key(METRIC, "A cost per entity: the metric is the first period by which the value reaches it."),
        "mature": Key(
            Integer(0, 1000),
            "Only cohorts old enough for this later period too: so metrics of several periods are of the same people.",
        ),
    },
)

ATTRIBUTION: Final = _metric(
    "attribution",
    "What an attribution credits to the touches.",
    {
        "attribution": Key(Ref("attributions", "attribution"), "The attribution.", required=True),
        "value": Key(ROWS, "What is credited, over the conversion dataset; conversions are counted when left out."),
        "time": Key(Choice(CreditTime), "When credit is, instead of what the attribution says: conversion or touch."),
    },
)

METRIC_SHAPES: Final = {
    "simple": SIMPLE,
    "ratio": RATIO,
    "derived": DERIVED,
    "cumulative": CUMULATIVE,
    "conversion": CONVERSION,
    "retention": RETENTION,
    "attribution": ATTRIBUTION,
}
METRICS: Final = ByType("metric", "type", METRIC_SHAPES)
