"""What a reader is: it turns a node into a value, or notes a problem and answers BAD; and it describes itself in JSON
Schema, so that the parser and the schema can't differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Protocol

from semantic.errors import Code
from semantic.load.log import Log
from semantic.load.source import Items, Kind, Node, Pairs, Scalar
from semantic.model.places import Path

JsonSchema = Mapping[str, Any]


class Bad(Enum):
    """What a reader answers when it has noted a problem."""

    BAD = "bad"


BAD: Final = Bad.BAD


class Reader(Protocol):
    """Reads one kind of value."""

    def read(self, node: Node, path: Path, log: Log) -> Any:
        """The value, or BAD after noting why."""

    def schema(self) -> JsonSchema:
        """The same in JSON Schema."""


def describe(node: Node) -> str:
    """What a node is, in a message."""
    match node:
        case Items():
            return "a list"
        case Pairs():
            return "a mapping"
        case Scalar():
            return "nothing" if node.kind is Kind.NULL else f'"{shown(node.text)}"'


def shown(text: str, longest: int = 60) -> str:
    """A text from a file as a message quotes it: one line, no control characters, not too long."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def a(what: str) -> str:
    """With its article."""
    return f"{'an' if what[:1] in 'aeiou' else 'a'} {what}"


def wrong(node: Node, expected: str, log: Log, suggestion: str | None = None) -> Bad:
    """Notes that `node` is not what was expected."""
    log.problem(Code.BAD_VALUE, f"Expected {expected}, found {describe(node)}.", node.at, suggestion)
    return BAD


def text_of(node: Node) -> str | None:
    """The text of any scalar that is not empty, whatever YAML type it looks like."""
    return node.text if isinstance(node, Scalar) and node.kind is not Kind.NULL and node.text.strip() else None
