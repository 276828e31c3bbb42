"""The readers of a dataset's `currency`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from semantic.load.keys import COLUMN, DATASET
from semantic.load.log import Log
from semantic.load.read_list import ListOf
from semantic.load.read_shape import Key, Shape
from semantic.load.reader import BAD, Bad, JsonSchema
from semantic.load.source import Node, Pairs
from semantic.model.money import Rates
from semantic.model.places import Path

RATES: Final = Shape(
    "rates",
    "Exchange rates, one row a day and currency, with the names of their columns spelled out.",
    {
        "dataset": Key(DATASET, "The dataset of the rates; its time_dimension is their day.", required=True),
        "currency": Key(COLUMN, "Its column of currencies; currency when left out."),
        "rate": Key(COLUMN, "Its column of rates: what one unit is worth in the model's; rate when left out."),
    },
)


@dataclass(frozen=True, slots=True)
class RatesReader:
    """A dataset, or a mapping of it and its columns."""

    def read(self, node: Node, path: Path, log: Log) -> Rates | Bad:
        """The rates."""
        if not isinstance(node, Pairs):
            name = DATASET.read(node, path, log)
            return BAD if name is BAD else Rates(name)
        fields = RATES.read(node, path, log)
        if fields is BAD or not fields.usable:
            return BAD
        return Rates(**fields.values)

    def schema(self) -> JsonSchema:
        """A text or an object."""
        return {"anyOf": [DATASET.schema(), RATES.schema()]}


CURRENCY: Final = Shape(
    "currency",
    "In which currency each row's amounts are, and what they are worth in the model's.",
    {
        "column": Key(COLUMN, "The column that names a row's currency, such as USD.", required=True),
        "amounts": Key(
            ListOf(COLUMN, "column", lone=True, least=1),
            "The columns that are in it; all others are not.",
            required=True,
        ),
        "rates": Key(RatesReader(), "The dataset of rates, with columns currency and rate.", required=True),
        "time": Key(COLUMN, "The column whose local day chooses the rate; the time_dimension when left out."),
    },
)
