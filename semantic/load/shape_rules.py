"""What must hold between the keys of one shape, for the parser and in JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from semantic.errors import Code
from semantic.load.reader import JsonSchema
from semantic.load.source import Node


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
class AtLeastOne:
    """One of several keys, or more of them."""

    keys: tuple[str, ...]

    def broken(self, written: Mapping[str, Node], values: Mapping[str, Any]) -> Broken | None:
        """None is written."""
        if any(key in written for key in self.keys):
            return None
        *others, last = (f'"{key}"' for key in self.keys)
        return Broken(Code.MISSING_KEY, f"needs {', '.join(others)} or {last}", None)

    def schema(self) -> JsonSchema:
        """Alternatives that may all hold."""
        return {"anyOf": [{"required": [key]} for key in self.keys]}


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
