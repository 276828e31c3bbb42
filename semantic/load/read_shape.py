"""Readers of shapes: mappings with known keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semantic.errors import Code, Position, did_you_mean
from semantic.load.log import Log
from semantic.load.reader import BAD, Bad, JsonSchema, Reader, a, text_of, wrong
from semantic.load.shape_rules import Rule
from semantic.load.source import Node, Pairs
from semantic.model.places import Path


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping that was read: the good values by key. `usable`: everything required is there and good."""

    path: Path
    at: Position
    values: Mapping[str, Any]
    usable: bool

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default where it was not written (or not good)."""
        return self.values.get(key, default)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a shape."""

    reader: Reader
    doc: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A mapping with known keys. `title` is what messages call it."""

    title: str
    doc: str
    keys: Mapping[str, Key]
    rules: tuple[Rule, ...] = ()

    def read(self, node: Node, path: Path, log: Log) -> Fields | Bad:
        """Its values; unknown, repeated and missing keys are noted."""
        if not isinstance(node, Pairs):
            return wrong(node, f"{a(self.title)} as a mapping of keys", log)
        written = self._written(node, log)
        values = {}
        for name, value in written.items():
            log.place((*path, name), value.at)
            found = self.keys[name].reader.read(value, (*path, name), log)
            if found is not BAD and not (isinstance(found, Fields) and not found.usable):
                values[name] = found
        missing = [name for name, key in self.keys.items() if key.required and name not in written]
        for name in missing:
            log.problem(Code.MISSING_KEY, f'{a(self.title).capitalize()} needs "{name}".', node.at, self.keys[name].doc)
        broken = [rule for rule in self.rules if self._breaks(rule, written, values, node, log)]
        lacking = [name for name, key in self.keys.items() if key.required and name not in values]
        return Fields(path, log.places.get(path, node.at), values, usable=not broken and not lacking)

    def _written(self, node: Pairs, log: Log) -> dict[str, Node]:
        written: dict[str, Node] = {}
        for key, value in node.pairs:
            if key.text not in self.keys:
                known = did_you_mean(key.text, self.keys) or f"Known keys: {', '.join(self.keys)}."
                log.problem(Code.UNKNOWN_KEY, f'{a(self.title).capitalize()} has no key "{key.text}".', key.at, known)
            elif key.text in written:
                log.problem(Code.DUPLICATE_NAME, f'The key "{key.text}" is given twice.', key.at)
            else:
                written[key.text] = value
        return written

    def _breaks(
        self, rule: Rule, written: Mapping[str, Node], values: Mapping[str, Any], node: Pairs, log: Log
    ) -> bool:
        broken = rule.broken(written, values)
        if broken is None:
            return False
        at = written[broken.key].at if broken.key is not None and broken.key in written else node.at
        log.problem(broken.code, f"{a(self.title).capitalize()} {broken.message}.", at)
        return True

    def schema(self) -> JsonSchema:
        """An object without further keys."""
        properties = {name: {**key.reader.schema(), "description": key.doc} for name, key in self.keys.items()}
        required = [name for name, key in self.keys.items() if key.required]
        schema: dict[str, Any] = {
            "type": "object",
            "description": self.doc,
            "properties": properties,
            "additionalProperties": False,
        }
        if required:
            schema["required"] = required
        if self.rules:
            schema["allOf"] = [rule.schema() for rule in self.rules]
        return schema


@dataclass(frozen=True, slots=True)
class ByType:
    """One of several shapes, told apart by a key whose value names the shape."""

    title: str
    key: str
    shapes: Mapping[str, Shape]

    def read(self, node: Node, path: Path, log: Log) -> Fields | Bad:
        """The shape's values."""
        if not isinstance(node, Pairs):
            return wrong(node, f"{a(self.title)} as a mapping of keys", log)
        given = next((value for key, value in node.pairs if key.text == self.key), None)
        words = ", ".join(self.shapes)
        if given is None:
            log.problem(
                Code.MISSING_KEY, f'{a(self.title).capitalize()} needs "{self.key}".', node.at, f"One of {words}."
            )
            return BAD
        word = text_of(given) or ""
        if word not in self.shapes:
            return wrong(given, f"one of {words}", log, did_you_mean(word, self.shapes))
        return self.shapes[word].read(node, path, log)

    def schema(self) -> JsonSchema:
        """oneOf: the constant in `key` says which."""
        return {"oneOf": [shape.schema() for shape in self.shapes.values()]}


@dataclass(frozen=True, slots=True)
class ByKey:
    """One of several shapes, told apart by a key that only it has; the first shape when none of them is there."""

    title: str
    shapes: Mapping[str, Shape]

    def read(self, node: Node, path: Path, log: Log) -> Fields | Bad:
        """The shape's values."""
        if not isinstance(node, Pairs):
            return wrong(node, f"{a(self.title)} as a mapping of keys", log)
        written = {key.text for key, _ in node.pairs}
        found = [key for key in self.shapes if key in written] or list(self.shapes)
        return self.shapes[found[0]].read(node, path, log)

    def schema(self) -> JsonSchema:
        """The alternatives."""
        return {"oneOf": [shape.schema() for shape in self.shapes.values()]}
