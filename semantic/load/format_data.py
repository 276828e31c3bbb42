"""The format, part one: where rows are and what they can be split by."""

from __future__ import annotations

from typing import Final

from semantic.load.keys import COLUMN, DATASET, DESCRIPTION, DIMENSION_NAME, LABEL, NAME, ROWS
from semantic.load.read_entity import EntityReader
from semantic.load.read_list import ListOf, MapOf
from semantic.load.read_money import CURRENCY
from semantic.load.read_shape import Key, Shape
from semantic.load.read_source import SourceReader
from semantic.load.read_times import Day, Span, Zone
from semantic.load.read_values import Checked, Choice, Flag, Line
from semantic.model.dataset import DimensionType
from semantic.time import Duration


def elapsed(duration: Duration | None) -> str | None:
    """Refuses durations without a fixed length."""
    if duration is None or duration.seconds is not None:
        return None
    return f"{duration} has no fixed length: write days or weeks"


SHARED_DIMENSION: Final = Shape(
    "shared dimension",
    "A name of the shared vocabulary: one meaning in every dataset that has it.",
    {
        "name": Key(DIMENSION_NAME, "Its name in every dataset and query.", required=True),
        "type": Key(Choice(DimensionType), "What its values are.", required=True),
        "label": LABEL,
        "description": DESCRIPTION,
    },
)

DIMENSION: Final = Shape(
    "dimension",
    "What rows can be split by: an own dimension, or how this dataset spells a shared one.",
    {
        "name": Key(DIMENSION_NAME, "Its name in queries.", required=True),
        "expr": Key(ROWS, "An expression over the columns; the column of that name when left out."),
        "type": Key(Choice(DimensionType), "What its values are; the shared dimension's type, else string."),
        "default": Key(Line("a text"), "The value of rows for which it is not set, such as (unmapped); of texts only."),
        "label": LABEL,
        "description": DESCRIPTION,
    },
)

SEGMENT: Final = Shape(
    "segment",
    "A named filter.",
    {
        "name": Key(NAME, "Its name in queries.", required=True),
        "where": Key(ROWS, "The rows it keeps.", required=True),
        "label": LABEL,
        "description": DESCRIPTION,
    },
)

FRESHNESS: Final = Shape(
    "freshness",
    "How old the newest row may be.",
    {"warn_after": Key(Checked(Span(), elapsed), "Answers over older data carry a warning.", required=True)},
)

DATASET_SHAPE: Final = Shape(
    "dataset",
    "One logical table.",
    {
        "name": Key(NAME, "Its name in the model.", required=True),
        "source": Key(SourceReader(), "Its files: a path or glob, or a mapping of format and path.", required=True),
        "primary_key": Key(
            ListOf(COLUMN, "column", lone=True), "The columns that tell rows apart; rows that repeat a key are one row."
        ),
        "unique": Key(Flag(), "Promises that no key repeats, so that nothing has to be checked."),
        "time_dimension": Key(COLUMN, "The column that places a row in time, for every metric of the dataset."),
        "timezone": Key(Zone(), "The zone of timestamps that carry none; UTC when left out."),
        "columns": Key(
            MapOf("column: expression", ROWS),
            "Columns that the files do not have, each made of those they have: {name: expression}.",
        ),
        "entities": Key(
            MapOf("entity: column", EntityReader(), key_is_name=True),
            "Who can be counted, and the column that says who, or {column, expr} of one made of others.",
        ),
        "currency": Key(CURRENCY, "In which currency each row's amounts are, when not in the model's."),
        "dimensions": Key(ListOf(DIMENSION, "dimension"), "What its rows can be split by."),
        "segments": Key(ListOf(SEGMENT, "segment"), "Named filters."),
        "passive": Key(ROWS, "Events that do not break the run of a strict funnel."),
        "data_through": Key(Day(), "The last complete local day; the day before the newest row's when left out."),
        "freshness": Key(FRESHNESS, "When to warn that data is old."),
        "label": LABEL,
        "description": DESCRIPTION,
    },
)

RELATIONSHIP: Final = Shape(
    "relationship",
    "Many rows of one dataset to one row of another.",
    {
        "name": Key(NAME, "How expressions and dimension names say it: buyer.member_level.", required=True),
        "from": Key(DATASET, "The dataset of the many rows.", required=True),
        "to": Key(DATASET, "The dataset of the one row.", required=True),
        "columns": Key(
            MapOf("from-column: to-column", COLUMN, least=1), "The columns that must be equal.", required=True
        ),
        "label": LABEL,
    },
)

IDENTITY: Final = Shape(
    "identity",
    "Ids that stand for others: in every dataset that has the entity, they are read as those.",
    {
        "name": Key(NAME, "The entity whose ids they are.", required=True),
        "dataset": Key(DATASET, "The dataset that says which id stands for which, one row an id.", required=True),
        "from": Key(COLUMN, "Its column of ids that stand for others, such as anonymous_id.", required=True),
        "to": Key(COLUMN, "Its column of the ids they are read as, such as user_id.", required=True),
    },
)
