"""Readers of names: one that an author gives, and one that refers to something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from semantic.errors import Code
from semantic.load.log import Log, Reference
from semantic.load.reader import BAD, Bad, JsonSchema, a, text_of, wrong
from semantic.load.source import Node, Scalar
from semantic.model.places import Path

NAME_PATTERN: Final = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
_NAME = re.compile(NAME_PATTERN)
_ENUM_WORDS = frozenset(("true", "false", "null"))


@dataclass(frozen=True, slots=True)
class Name:
    """The name an author gives to something; it becomes a GraphQL field or enum value. `reserved`: word → why."""

    reserved: Mapping[str, str] = field(default_factory=dict)

    def read(self, node: Node, path: Path, log: Log) -> str | Bad:
        """A snake_case name."""
        name = node.text if isinstance(node, Scalar) else ""
        if not name:
            return wrong(node, "a name", log)
        why = "GraphQL takes it for a value" if name in _ENUM_WORDS else self.reserved.get(name)
        if why:
            log.problem(Code.BAD_NAME, f'"{name}" can\'t be a name: {why}.', node.at, "Choose another name.")
            return BAD
        if _NAME.fullmatch(name):
            return name
        message = (
            f'"{name}" can\'t be a name: names are lower-case letters, digits and single underscores, '
            "and begin with a letter."
        )
        log.problem(Code.BAD_NAME, message, node.at, _name_suggestion(name))
        return BAD

    def schema(self) -> JsonSchema:
        """A pattern, and the words that are taken."""
        return {"type": "string", "pattern": NAME_PATTERN, "not": {"enum": sorted({*_ENUM_WORDS, *self.reserved})}}


def _name_suggestion(name: str) -> str | None:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    proposal = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return f'Use "{proposal}"; say the rest in its label.' if _NAME.fullmatch(proposal) else None


@dataclass(frozen=True, slots=True)
class Ref:
    """The name of something else in the model; that it exists is checked when all files are read. `or_section`: where
    else it may be.
    """

    section: str
    what: str
    or_section: str | None = None

    def read(self, node: Node, path: Path, log: Log) -> str | Bad:
        """A name, noted as a reference from the item that `path` lies in."""
        name = text_of(node)
        if name is None:
            return wrong(node, f"the name of {a(self.what)}", log)
        log.references.append(Reference(path[:2], self.section, name, node.at, self.or_section))
        return name

    def schema(self) -> JsonSchema:
        """A name."""
        return {"type": "string", "pattern": NAME_PATTERN}
