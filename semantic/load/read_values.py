"""Readers of words, numbers and booleans."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from semantic.errors import Code, did_you_mean
from semantic.load.log import Log
from semantic.load.reader import BAD, Bad, JsonSchema, Reader, text_of, wrong
from semantic.load.source import Kind, Node, Scalar
from semantic.model.places import Path


@dataclass(frozen=True, slots=True)
class Line:
    """A text of one line: a column, a path, an entity."""

    what: str

    def read(self, node: Node, path: Path, log: Log) -> str | Bad:
        """The text."""
        text = text_of(node)
        if text is None or "\n" in text.strip():
            return wrong(node, self.what, log)
        return text.strip()

    def schema(self) -> JsonSchema:
        """A text that is not empty. A column may look like a number or a boolean."""
        return {"type": ["string", "number", "boolean"], "minLength": 1}


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of a closed list."""

    options: type[StrEnum]
    allowed: tuple[StrEnum, ...] = ()

    def read(self, node: Node, path: Path, log: Log) -> StrEnum | Bad:
        """The member, by its exact spelling."""
        words = [option.value for option in self.allowed or tuple(self.options)]
        text = text_of(node)
        if text in words:
            return self.options(text)
        return wrong(node, f"one of {', '.join(words)}", log, did_you_mean(text or "", words))

    def schema(self) -> JsonSchema:
        """An enum."""
        return {"enum": [option.value for option in self.allowed or tuple(self.options)]}


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def read(self, node: Node, path: Path, log: Log) -> bool | Bad:
        """The boolean; `yes` and `on` are words in YAML 1.2."""
        if isinstance(node, Scalar) and node.kind is Kind.BOOLEAN:
            return node.boolean
        return wrong(node, "true or false", log)

    def schema(self) -> JsonSchema:
        """A boolean."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def read(self, node: Node, path: Path, log: Log) -> int | Bad:
        """The number."""
        if isinstance(node, Scalar) and node.kind is Kind.INTEGER and len(node.text) < 20:
            number = int(node.text)
            if self.least <= number <= self.most:
                return number
        return wrong(node, f"a whole number from {self.least} to {self.most}", log)

    def schema(self) -> JsonSchema:
        """An integer with bounds."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number; with bounds, strictly between them."""

    low: float | None = None
    high: float | None = None

    def read(self, node: Node, path: Path, log: Log) -> int | float | Bad:
        """An int when written as one."""
        if isinstance(node, Scalar) and node.kind in (Kind.INTEGER, Kind.FLOAT) and len(node.text) < 40:
            number = int(node.text) if node.kind is Kind.INTEGER else float(node.text)
            in_bounds = (self.low is None or number > self.low) and (self.high is None or number < self.high)
            if in_bounds and abs(number) < 1e300:
                return number
        between = "" if self.low is None else f" between {self.low:g} and {self.high:g}"
        return wrong(node, f"a number{between}", log)

    def schema(self) -> JsonSchema:
        """A number with bounds."""
        bounds = {"exclusiveMinimum": self.low, "exclusiveMaximum": self.high}
        return {"type": "number", **{key: value for key, value in bounds.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Nothing:
    """The word null, where writing it means something."""

    def read(self, node: Node, path: Path, log: Log) -> bool | Bad:
        """True: it was written."""
        if isinstance(node, Scalar) and node.kind is Kind.NULL:
            return True
        return wrong(node, "null", log, "The only thing to say here is `null`; leave the key out otherwise.")

    def schema(self) -> JsonSchema:
        """Null."""
        return {"type": "null"}


@dataclass(frozen=True, slots=True)
class Off:
    """The word false, where writing it means something."""

    def read(self, node: Node, path: Path, log: Log) -> bool | Bad:
        """False: it was written."""
        if isinstance(node, Scalar) and node.kind is Kind.BOOLEAN and not node.boolean:
            return False
        return wrong(node, "false", log, "The only thing to say here is `false`; leave the key out otherwise.")

    def schema(self) -> JsonSchema:
        """False."""
        return {"const": False}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A word of a given form."""

    what: str
    pattern: str

    def read(self, node: Node, path: Path, log: Log) -> str | Bad:
        """The word."""
        text = text_of(node) or ""
        return text if re.fullmatch(self.pattern, text) else wrong(node, self.what, log)

    def schema(self) -> JsonSchema:
        """A pattern."""
        return {"type": "string", "pattern": self.pattern}


@dataclass(frozen=True, slots=True)
class Constant:
    """One given word."""

    word: str

    def read(self, node: Node, path: Path, log: Log) -> str | Bad:
        """The word."""
        return self.word if text_of(node) == self.word else wrong(node, self.word, log)

    def schema(self) -> JsonSchema:
        """A constant."""
        return {"const": self.word}


@dataclass(frozen=True, slots=True)
class Version:
    """The version of the format this program reads."""

    number: int

    def read(self, node: Node, path: Path, log: Log) -> int | Bad:
        """The version."""
        if isinstance(node, Scalar) and node.kind is Kind.INTEGER and node.text == str(self.number):
            return self.number
        return wrong(node, f"version {self.number}, the only one this Headwater reads", log)

    def schema(self) -> JsonSchema:
        """A constant."""
        return {"const": self.number}


@dataclass(frozen=True, slots=True)
class Checked:
    """Another reader, and a further rule on its value: `refuse` answers what is wrong, or None."""

    reader: Reader
    refuse: Callable[[Any], str | None]

    def read(self, node: Node, path: Path, log: Log) -> Any:
        """The inner value, when nothing is wrong with it."""
        value = self.reader.read(node, path, log)
        reason = None if value is BAD else self.refuse(value)
        if reason is None:
            return value
        log.problem(Code.BAD_VALUE, f"{reason}.", node.at)
        return BAD

    def schema(self) -> JsonSchema:
        """The inner one's."""
        return self.reader.schema()
