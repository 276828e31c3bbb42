"""All files → the settings and sections of one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semantic.errors import Code, Position
from semantic.load.format import MODEL, SECTIONS, SETTINGS
from semantic.load.log import Log
from semantic.load.read_shape import Fields
from semantic.load.reader import BAD
from semantic.load.source import Pairs, parse

Sections = Mapping[str, tuple[Fields, ...]]


@dataclass(frozen=True, slots=True)
class Document:
    """One file as read."""

    node: Pairs
    fields: Fields

    def has(self, key: str) -> bool:
        """Whether a key is written, if only with a bad value."""
        return any(name.text == key for name, _ in self.node.pairs)

    def at(self, key: str) -> Position:
        """Where the value of a key stands."""
        return next((value.at for name, value in self.node.pairs if name.text == key), self.node.at)


def merge(files: Mapping[str, str], log: Log) -> tuple[dict[str, Any], Sections]:
    """Settings by name, and the entries of every section over all files."""
    documents = [document for name in sorted(files) if (document := _read(name, files[name], log)) is not None]
    settings = {name: value for name in SETTINGS if (value := _setting(name, documents, log)) is not None}
    if not log.unreadable and not any(document.has("version") for document in documents):
        at = documents[0].node.at if documents else None
        message = "No file says the version of the format."
        log.problem(Code.MISSING_KEY, message, at, 'Write "version: 1" in one of them.')
    sections = {name: tuple(entry for one in documents for entry in one.fields.get(name, ())) for name in SECTIONS}
    return settings, sections


def _read(name: str, text: str, log: Log) -> Document | None:
    node, problem = parse(name, text)
    if problem is not None:
        log.problems.append(problem)
        log.unreadable = True
    if node is None:
        return None
    fields = MODEL.read(node, (), log)
    return None if fields is BAD or not isinstance(node, Pairs) else Document(node, fields)


def _setting(name: str, documents: list[Document], log: Log) -> Any:
    """The value of a setting, given in one file, or alike in several; the version in one."""
    given = [document for document in documents if name in document.fields.values]
    for other in given[1:]:
        first = given[0].at(name)
        if name == "version" or other.fields[name] != given[0].fields[name]:
            how = "again" if name == "version" else "differently"
            log.problem(Code.DUPLICATE_NAME, f'"{name}" is given {how}; first at {first}.', other.at(name))
    return given[0].fields[name] if given else None
