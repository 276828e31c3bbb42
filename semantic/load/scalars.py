"""Readers of single values. A reader turns a node into a value, or notes a problem and answers BAD; it also describes
itself in JSON Schema, so that the parser and the schema can't differ.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, StrEnum
from typing import Any, Final, Protocol

from semantic.errors import Code, QueryError, did_you_mean
from semantic.load.log import Log, Reference
from semantic.load.source import Items, Kind, Node, Pairs, Scalar
from semantic.model.places import Path
from semantic.model.text import Text
from semantic.time import Duration, Unit, parse_duration, zone

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


def shown(text: str) -> str:
    """A text from a file as a message quotes it: one line, no control characters, not too long."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= 60 else f"{line[:59]}…"


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
    """The name of something else in the model; that it exists is checked when all files are read."""

    section: str
    what: str

    def read(self, node: Node, path: Path, log: Log) -> str | Bad:
        """A name, noted as a reference from the item that `path` lies in."""
        name = text_of(node)
        if name is None:
            return wrong(node, f"the name of {a(self.what)}", log)
        log.references.append(Reference(path[:2], self.section, name, node.at))
        return name

    def schema(self) -> JsonSchema:
        """A name."""
        return {"type": "string", "pattern": NAME_PATTERN}


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


_DURATION_PATTERN: Final = rf"^\s*[0-9]*[1-9][0-9]*\s*({'|'.join(Unit)})s?\s*$"


@dataclass(frozen=True, slots=True)
class Span:
    """A duration such as `7 days`. `word`: a word allowed in its place, read as None."""

    word: str | None = None

    def read(self, node: Node, path: Path, log: Log) -> Duration | Bad | None:
        """The duration."""
        text = text_of(node)
        if text is not None and text == self.word:
            return None
        duration = parse_duration(text) if text else None
        if duration is None or duration.count > 100_000_000:
            also = f" or `{self.word}`" if self.word else ""
            return wrong(node, f'a duration such as "7 days"{also}', log, f"Units: {', '.join(Unit)}.")
        return duration

    def schema(self) -> JsonSchema:
        """A pattern."""
        duration = {"type": "string", "pattern": _DURATION_PATTERN, "examples": ["7 days"]}
        return {"anyOf": [duration, {"const": self.word}]} if self.word else duration


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar date."""

    def read(self, node: Node, path: Path, log: Log) -> date | Bad:
        """`2026-11-30`."""
        text = text_of(node) or ""
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            try:
                return date.fromisoformat(text)
            except ValueError:
                pass
        return wrong(node, 'a date such as "2026-11-30"', log)

    def schema(self) -> JsonSchema:
        """A date."""
        return {"type": "string", "format": "date"}


@dataclass(frozen=True, slots=True)
class Zone:
    """An IANA time zone."""

    def read(self, node: Node, path: Path, log: Log) -> str | Bad:
        """Its name, known to the time zone database."""
        name = text_of(node)
        try:
            if name is not None:
                return str(zone(name))
        except QueryError:
            pass
        import zoneinfo

        near = did_you_mean(name or "", zoneinfo.available_timezones())
        return wrong(node, 'an IANA time zone such as "Asia/Shanghai"', log, near)

    def schema(self) -> JsonSchema:
        """A name."""
        return {"type": "string", "examples": ["Asia/Shanghai", "UTC"]}


LOCALE_PATTERN: Final = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


@dataclass(frozen=True, slots=True)
class Words:
    """A text for people: one for every language, or a mapping of locale → text."""

    def read(self, node: Node, path: Path, log: Log) -> Text | Bad:
        """The text by locale; the empty locale for a plain one."""
        if isinstance(node, Pairs):
            return self._by_locale(node, log)
        text = text_of(node)
        return (
            wrong(node, "a text, or texts by language such as {en: …, zh: …}", log)
            if text is None
            else Text((("", text),))
        )

    def _by_locale(self, node: Pairs, log: Log) -> Text | Bad:
        texts: dict[str, str] = {}
        for key, value in node.pairs:
            text = text_of(value)
            if not re.fullmatch(LOCALE_PATTERN, key.text):
                log.problem(Code.BAD_VALUE, f'"{key.text}" is not a language such as "en" or "zh-CN".', key.at)
            elif key.text in texts:
                log.problem(Code.DUPLICATE_NAME, f'The language "{key.text}" is given twice.', key.at)
            elif text is None:
                wrong(value, "a text", log)
            else:
                texts[key.text] = text
        return Text(tuple(texts.items())) if len(texts) == len(node.pairs) else BAD

    def schema(self) -> JsonSchema:
        """A text or a mapping."""
        text = {"type": ["string", "number", "boolean"], "minLength": 1}
        by_locale = {"type": "object", "additionalProperties": False, "patternProperties": {LOCALE_PATTERN: text}}
        return {"anyOf": [text, by_locale]}


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
