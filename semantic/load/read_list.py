"""Readers of lists and of mappings with free keys."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

from semantic.errors import Code
from semantic.load.log import Log
from semantic.load.read_names import Name
from semantic.load.read_shape import ByKey, ByType, Shape
from semantic.load.reader import BAD, Bad, JsonSchema, Reader, text_of, wrong
from semantic.load.source import Items, Kind, Node, Pairs, Scalar
from semantic.model.places import Path


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. Entries with a `name` are placed by it, texts by themselves, and none may repeat unless `repeats`.
    `lone`: a single entry may stand without the list. `least`: how many there must be.
    """

    reader: Reader
    what: str
    lone: bool = False
    least: int = 0
    repeats: bool = False

    def read(self, node: Node, path: Path, log: Log) -> tuple[Any, ...] | Bad:
        """The good entries; an empty value is an empty list."""
        if isinstance(node, Scalar) and node.kind is Kind.NULL and not self.least:
            return ()
        if not isinstance(node, Items):
            if not self.lone or isinstance(node, Pairs):
                return wrong(node, f"a list of {self.what}s", log)
            node = Items((node,), node.at, node.size)
        if len(node.items) < self.least:
            needed = f"one {self.what} is" if self.least == 1 else f"{self.least} {self.what}s are"
            found = "there is one" if node.items else "the list is empty"
            log.problem(Code.BAD_VALUE, f"At least {needed} needed, and {found}.", node.at)
            return BAD
        found_values = [
            self._entry(entry, path, index, log) for index, entry in zip(count(1), node.items, strict=False)
        ]
        return tuple(value for value in found_values if value is not BAD)

    def _entry(self, node: Node, path: Path, index: int, log: Log) -> Any:
        named: Node | None = _name_of(node) if isinstance(self.reader, Shape | ByType | ByKey) else node
        if self.repeats:
            named = None
        name = (text_of(named) if named else None) or str(index)
        first = log.places.get((*path, name))
        if first is not None and named is not None:
            message = f'The {self.what} "{name}" is given twice; first at {first.file}:{first.line}:{first.column}.'
            log.problem(Code.DUPLICATE_NAME, message, named.at)
            return BAD
        log.place((*path, name), (named or node).at)
        return self.reader.read(node, (*path, name), log)

    def schema(self) -> JsonSchema:
        """An array, or one entry alone where that is allowed."""
        entries: dict[str, Any] = {"type": "array", "items": self.reader.schema()}
        if self.least:
            entries["minItems"] = self.least
        else:
            entries["type"] = ["array", "null"]
        return {"anyOf": [self.reader.schema(), entries]} if self.lone else entries


def _name_of(node: Node) -> Scalar | None:
    if not isinstance(node, Pairs):
        return None
    value = next((value for key, value in node.pairs if key.text == "name"), None)
    return value if isinstance(value, Scalar) else None


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping with free keys, read as pairs. `key_name`: the keys must be names; `least`: how many there must be."""

    what: str
    value: Reader
    key_is_name: bool = False
    least: int = 0

    def read(self, node: Node, path: Path, log: Log) -> tuple[tuple[str, Any], ...] | Bad:
        """The good pairs in the order written."""
        if not isinstance(node, Pairs):
            return wrong(node, f"a mapping of {self.what}", log)
        if len(node.pairs) < self.least:
            log.problem(Code.BAD_VALUE, f"At least one {self.what} is needed, and the mapping is empty.", node.at)
            return BAD
        found: dict[str, Any] = {}
        for key, value in node.pairs:
            name = Name().read(key, path, log) if self.key_is_name else text_of(key)
            if key.text in found:
                log.problem(Code.DUPLICATE_NAME, f'The key "{key.text}" is given twice.', key.at)
                continue
            log.place((*path, key.text), value.at)
            log.place((*path, key.text, "key"), key.at)
            content = self.value.read(value, (*path, key.text), log)
            if isinstance(name, str) and content is not BAD:
                found[name] = content
        return tuple(found.items())

    def schema(self) -> JsonSchema:
        """An object whose values are alike."""
        schema: dict[str, Any] = {"type": "object", "additionalProperties": self.value.schema()}
        if self.key_is_name:
            schema["propertyNames"] = Name().schema()
        if self.least:
            schema["minProperties"] = self.least
        return schema
