"""The reader of who a dataset's rows are of: a column, or a column made of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from semantic.load.keys import COLUMN, ROWS
from semantic.load.log import Log
from semantic.load.read_shape import Key, Shape
from semantic.load.reader import BAD, Bad, JsonSchema
from semantic.load.source import Node, Pairs
from semantic.model.expression import Expression
from semantic.model.places import Path


@dataclass(frozen=True, slots=True)
class Entity:
    """The column that says who, and what it is made of when the files don't have it."""

    column: str
    expr: Expression | None = None


SHAPE: Final = Shape(
    "entity",
    "Who rows are of, where the files have no column for it.",
    {
        "column": Key(COLUMN, "What expressions call it: a column that the files do not have.", required=True),
        "expr": Key(ROWS, "What it is made of: an expression over the dataset's own columns.", required=True),
    },
)


@dataclass(frozen=True, slots=True)
class EntityReader:
    """A column, or a mapping of column and expr."""

    def read(self, node: Node, path: Path, log: Log) -> Entity | Bad:
        """The column with its expression."""
        if not isinstance(node, Pairs):
            column = COLUMN.read(node, path, log)
            return BAD if column is BAD else Entity(column)
        fields = SHAPE.read(node, path, log)
        if fields is BAD or not fields.usable:
            return BAD
        return Entity(fields["column"], fields["expr"])

    def schema(self) -> JsonSchema:
        """A text or an object."""
        return {"anyOf": [COLUMN.schema(), SHAPE.schema()]}
