"""Readers of what holds other values: lists, mappings, and shapes (mappings with known keys)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

from semantic.errors import Code, Position, did_you_mean
from semantic.load.log import Log
from semantic.load.scalars import BAD, Bad, JsonSchema, Name, Reader, a, text_of, wrong
from semantic.load.source import Items, Kind, Node, Pairs, Scalar
from semantic.model.places import Path


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping that was read: the good values by key. `usable`: everything required is there and good."""

    what: str
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
class Broken:
    """How a rule is broken: what the shape needs or takes, and the key it is about (None: the whole)."""

    code: Code
    message: str
    key: str | None


class Rule(Protocol):
    """What must hold between the keys of a shape."""

    def broken(self, written: Mapping[str, Node], values: Mapping[str, Any]) -> Broken | None:
        """How it is broken, or None when it holds."""

    def schema(self) -> JsonSchema:
        """The same in JSON Schema."""


@dataclass(frozen=True, slots=True)
class ExactlyOne:
    """One of several keys, and only one."""

    keys: tuple[str, ...]

    def broken(self, written: Mapping[str, Node], values: Mapping[str, Any]) -> Broken | None:
        """None or several are written."""
        found = [key for key in self.keys if key in written]
        if len(found) == 1:
            return None
        names = " or ".join(f'"{key}"' for key in self.keys)
        if not found:
            return Broken(Code.MISSING_KEY, f"needs {names}", None)
        return Broken(Code.BAD_VALUE, f"takes only one of {names}", found[-1])

    def schema(self) -> JsonSchema:
        """One alternative a key."""
        return {"oneOf": [{"required": [key]} for key in self.keys]}


@dataclass(frozen=True, slots=True)
class NeededWith:
    """`key` must be written when `other` is one of `words`."""

    key: str
    other: str
    words: tuple[str, ...]

    def broken(self, written: Mapping[str, Node], values: Mapping[str, Any]) -> Broken | None:
        """It is not."""
        if self.key in written or values.get(self.other) not in self.words:
            return None
        return Broken(Code.MISSING_KEY, f'with {self.other} {values[self.other]} needs "{self.key}"', self.other)

    def schema(self) -> JsonSchema:
        """A condition and its consequence."""
        condition = {"properties": {self.other: {"enum": list(self.words)}}, "required": [self.other]}
        return {"if": condition, "then": {"required": [self.key]}}


@dataclass(frozen=True, slots=True)
class OnlyWith:
    """`key` may be written only when `other` is one of `words`."""

    key: str
    other: str
    words: tuple[str, ...]

    def broken(self, written: Mapping[str, Node], values: Mapping[str, Any]) -> Broken | None:
        """It is written without."""
        unsure = self.other in written and self.other not in values
        if self.key not in written or unsure or values.get(self.other) in self.words:
            return None
        message = f'takes "{self.key}" only with {self.other} {" or ".join(self.words)}'
        return Broken(Code.BAD_VALUE, message, self.key)

    def schema(self) -> JsonSchema:
        """A condition and its consequence."""
        condition = {"properties": {self.other: {"enum": list(self.words)}}, "required": [self.other]}
        return {"if": {"required": [self.key]}, "then": condition}


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
            if found is not BAD:
                values[name] = found
        missing = [name for name, key in self.keys.items() if key.required and name not in written]
        for name in missing:
            log.problem(Code.MISSING_KEY, f'{a(self.title).capitalize()} needs "{name}".', node.at, self.keys[name].doc)
        broken = [rule for rule in self.rules if self._breaks(rule, written, values, node, log)]
        lacking = [name for name, key in self.keys.items() if key.required and name not in values]
        return Fields(self.title, path, log.places.get(path, node.at), values, usable=not broken and not lacking)

    def _written(self, node: Pairs, log: Log) -> dict[str, Node]:
        written: dict[str, Node] = {}
        for key, value in node.pairs:
            if key.text == "<<" and not key.quoted:
                log.problem(Code.UNKNOWN_KEY, "Merge keys (<<) are not part of the format.", key.at)
            elif key.text not in self.keys:
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


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. Entries with a `name` are placed by it, texts by themselves, and none may repeat.
    `lone`: a single entry may stand without the list. `least`: how many there must be.
    """

    reader: Reader
    what: str
    lone: bool = False
    least: int = 0

    def read(self, node: Node, path: Path, log: Log) -> tuple[Any, ...] | Bad:
        """The good entries; an empty value is an empty list."""
        if isinstance(node, Scalar) and node.kind is Kind.NULL and not self.least:
            return ()
        if not isinstance(node, Items):
            if not self.lone or isinstance(node, Pairs):
                return wrong(node, f"a list of {self.what}s", log)
            node = Items((node,), node.at, node.size)
        if len(node.items) < self.least:
            found = f"{len(node.items)} given" if node.items else "the list is empty"
            log.problem(Code.BAD_VALUE, f"At least {self.least} {self.what}s are needed, {found}.", node.at)
            return BAD
        found_values = [
            self._entry(entry, path, index, log) for index, entry in zip(count(1), node.items, strict=False)
        ]
        return tuple(value for value in found_values if value is not BAD)

    def _entry(self, node: Node, path: Path, index: int, log: Log) -> Any:
        named = _name_of(node) if isinstance(self.reader, Shape | ByType | ByKey) else node
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
            return wrong(node, f"a mapping of {self.what}, at least {self.least}", log)
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
