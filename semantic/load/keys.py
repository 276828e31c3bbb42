"""Keys and readers that several shapes of the format share."""

from __future__ import annotations

from typing import Final

from semantic.load.expression import Scope
from semantic.load.read_expression import Expr
from semantic.load.read_names import Name, Ref
from semantic.load.read_shape import Key
from semantic.load.read_values import Choice, Line
from semantic.load.read_words import Words
from semantic.time import Grain

_ROW_TIME = {"time": "it is the field that holds a row's period"}
_FILTERS = dict.fromkeys(("and", "or", "not"), "it combines filters")

NAME: Final = Name()
METRIC_NAME: Final = Name(_ROW_TIME)
DIMENSION_NAME: Final = Name({**_ROW_TIME, **_FILTERS})
ROWS: Final = Expr(Scope.ROWS)
COLUMN: Final = Line("the name of a column")
DIMENSION: Final = Line("the name of a dimension")
ENTITY: Final = Line("the name of an entity")
STEP: Final = Line("the name of a step")
DATASET: Final = Ref("datasets", "dataset")
ROWS_OF: Final = Ref("datasets", "dataset", or_section="scores")
METRIC: Final = Ref("metrics", "metric")
GRAIN: Final = Choice(Grain)

LABEL: Final = Key(Words(), "What people call it: a text, or texts by language such as {en: Channel, zh: 渠道}.")
DESCRIPTION: Final = Key(Words(), "What it means: a text, or texts by language.")
