"""YAML text → nodes that know where they stand.

Scalars follow YAML 1.2's core schema: `yes`, `on` and `12:30` are strings, dates are strings until a reader asks for
a date. Anchors work within limits; tags, merge keys and several documents in a file are no part of the format.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

import yaml

from semantic.errors import Code, Position, Problem

MAX_BYTES = 1_000_000
"""The size of one file."""
MAX_NODES = 100_000
"""Values in one file, an anchor's counted wherever it is used."""
MAX_DEPTH = 40
"""Levels of nesting."""
MAX_SHOWN = 400
"""Characters of a line that a message shows; longer ones are left out."""

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNSHOWN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_TOO_DEEP = f"The nesting is deeper than {MAX_DEPTH} levels."
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class Kind(Enum):
    """What a scalar is to YAML."""

    NULL = auto()
    BOOLEAN = auto()
    INTEGER = auto()
    FLOAT = auto()
    STRING = auto()


class File:
    """The text of one file, and its lines as YAML counts them, fit to be shown: no tabs, no control characters."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        lines = _LINE_BREAK.split(_UNSHOWN.sub("\ufffd", text).replace("\t", " "))
        self.lines = [line if len(line) <= MAX_SHOWN else "" for line in lines]
        self.starts = [0, *(found.end() for found in _LINE_BREAK.finditer(text))]

    def at(self, index: int) -> Position:
        """The position of a character."""
        line = bisect_right(self.starts, index) - 1
        return Position(self.name, line + 1, index - self.starts[line] + 1, self.lines[line])


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: `text` is its content; `start` and `end` bound its spelling in the file, quotes and all."""

    text: str
    quoted: bool
    file: File
    start: int
    end: int
    at: Position
    size: int = 1

    @property
    def raw(self) -> str:
        """Its spelling in the file."""
        return self.file.text[self.start : self.end]

    @property
    def is_cut(self) -> bool:
        """Whether a comma of a flow mapping may have ended it within brackets of its own: `{expr: f(a, b)}`."""
        return not self.quoted and self.text.count("(") > self.text.count(")") and self.file.text[self.end :][:1] == ","

    @property
    def kind(self) -> Kind:
        """Its YAML 1.2 type."""
        if self.quoted:
            return Kind.STRING
        if self.text in _NULL:
            return Kind.NULL
        if self.text in _TRUE or self.text in _FALSE:
            return Kind.BOOLEAN
        if _INTEGER.fullmatch(self.text):
            return Kind.INTEGER
        return Kind.FLOAT if _FLOAT.fullmatch(self.text) else Kind.STRING

    @property
    def boolean(self) -> bool:
        """The value of a BOOLEAN."""
        return self.text in _TRUE


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    at: Position
    size: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """A mapping, in the order written; keys are not yet known to differ."""

    pairs: tuple[tuple[Scalar, Node], ...]
    at: Position
    size: int


Node = Scalar | Items | Pairs


class _Mark(Protocol):
    """A place as libyaml counts it: from 0."""

    line: int
    column: int


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    is_mapping: bool
    at: Position
    anchor: str | None
    children: list[Node] = field(default_factory=list)


def parse(file: str, text: str) -> tuple[Node | None, Problem | None]:
    """The file's root node (None when it is empty), or the problem that makes it unreadable."""
    try:
        if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise _Refused(
                Problem(Code.YAML_SYNTAX, f"The file is larger than {MAX_BYTES:,} bytes.", Position(file, 1, 1))
            )
        return _Composer(file, text.removeprefix("\ufeff")).root(), None
    except _Refused as refused:
        return None, refused.problem


class _Composer:
    """Folds the parser's events into nodes, without recursion."""

    def __init__(self, file: str, text: str) -> None:
        self.file = File(file, text)
        self.anchors: dict[str, Node | None] = {}
        self.open: list[_Open] = []
        self.roots: list[Node] = []
        self.size = 0

    def root(self) -> Node | None:
        for event in self._events():
            self._take(event)
        if not self.roots:
            return None
        root = self.roots[0]
        return None if isinstance(root, Scalar) and root.kind is Kind.NULL else root

    def _events(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self.file.text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            raise _Refused(self._invalid(error)) from error
        except yaml.reader.ReaderError as error:
            raise _Refused(self._unreadable(error)) from error
        except UnicodeError as error:
            bad = next(index for index, char in enumerate(self.file.text) if 0xD800 <= ord(char) < 0xE000)
            raise _Refused(Problem(Code.YAML_SYNTAX, "The file is not UTF-8.", self.file.at(bad))) from error

    def _invalid(self, error: yaml.MarkedYAMLError) -> Problem:
        """What libyaml complains of; where that is the end of the file, at the beginning of what has no end."""
        at, reason = self._position(error.problem_mark), error.problem or "it can't be read"
        if not at.text.strip() and error.context_mark:
            at, reason = self._position(error.context_mark), f"{error.context}, {reason}"
        at = self._written(at)
        if "maximum nesting depth" in reason:  # libyaml reads ahead, and so may come to a limit of its own before ours
            return Problem(Code.YAML_SYNTAX, _TOO_DEEP, at)
        return Problem(Code.YAML_SYNTAX, f"This is not valid YAML: {reason}.", at, self._hint(reason, at))

    def _written(self, at: Position) -> Position:
        """The place itself, or the end of the line before it that is not blank."""
        lines = self.file.lines
        above = [line for line in range(at.line - 1, 0, -1) if lines[line - 1].strip()]
        if at.text.strip() or not above:
            return at
        return Position(at.file, above[0], len(lines[above[0] - 1]) + 1, lines[above[0] - 1])

    def _unreadable(self, error: yaml.reader.ReaderError) -> Problem:
        """For a character YAML forbids; libyaml counts bytes."""
        index = len(self.file.text.encode()[: error.position].decode(errors="ignore"))
        return Problem(Code.YAML_SYNTAX, "A control character is not allowed here.", self.file.at(index))

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._begin(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._end()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent() if self.roots:
                self._refuse("A model file holds one document.", event, 'Take away the "---" line or make two files.')

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        at = self._start(event)
        self._count(1, at)
        begin, end = (mark.index if mark else 0 for mark in (event.start_mark, event.end_mark))
        self._add(Scalar(event.value, bool(event.style), self.file, begin, end, at), event.anchor)

    def _begin(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        if len(self.open) >= MAX_DEPTH:
            self._refuse(_TOO_DEEP, event)
        at = self._start(event)
        self._count(1, at)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.open.append(_Open(isinstance(event, yaml.MappingStartEvent), at, event.anchor))

    def _end(self) -> None:
        done = self.open.pop()
        size = 1 + sum(child.size for child in done.children)
        if not done.is_mapping:
            return self._add(Items(tuple(done.children), done.at, size), done.anchor)
        pairs = []
        for key, value in zip(done.children[::2], done.children[1::2], strict=True):
            if not isinstance(key, Scalar):
                raise _Refused(Problem(Code.YAML_SYNTAX, "A key must be a plain name.", key.at))
            if key.text == "<<" and not key.quoted:
                raise _Refused(Problem(Code.YAML_SYNTAX, "Merge keys (<<) are not part of the format.", key.at))
            pairs.append((key, value))
        return self._add(Pairs(tuple(pairs), done.at, size), done.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        anchor = event.anchor or ""
        node = self.anchors.get(anchor)
        if node is not None:
            self._count(node.size, self._start(event))
            return self._add(node, None)
        what = "contains itself" if anchor in self.anchors else "is not defined above"
        return self._refuse(f'The anchor "{anchor}" {what}.', event)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        (self.open[-1].children if self.open else self.roots).append(node)

    def _count(self, size: int, at: Position) -> None:
        self.size += size
        if self.size > MAX_NODES:
            raise _Refused(Problem(Code.YAML_SYNTAX, f"The file holds more than {MAX_NODES:,} values.", at))

    def _start(self, event: yaml.NodeEvent) -> Position:
        """Where a value begins. A tag is refused here, as every value passes."""
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse(f'The tag "{tag}" is not part of the format.', event, "Quote a value to make it a string.")
        return self._position(event.start_mark)

    def _refuse(self, message: str, event: yaml.Event, suggestion: str | None = None) -> None:
        raise _Refused(Problem(Code.YAML_SYNTAX, message, self._position(event.start_mark), suggestion))

    def _position(self, mark: _Mark | None) -> Position:
        if mark is None or mark.line >= len(self.file.lines):
            return Position(self.file.name, mark.line + 1 if mark else 1, 1)
        return Position(self.file.name, mark.line + 1, mark.column + 1, self.file.lines[mark.line])

    def _hint(self, problem: str, at: Position) -> str | None:
        begin = self.file.starts[at.line - 1]
        if "\t" in self.file.text[begin : begin + at.column]:
            return "Indent with spaces, not tabs."
        if "mapping values are not allowed" in problem:
            return 'Quote a text that holds ": ", and check the indentation.'
        if "',' or '}'" in problem or "',' or ']'" in problem:
            return "Close the bracket; and quote a text that has a comma or bracket of its own."
        if "expected" in problem and "block" in problem:
            return "Check the indentation: entries of one list or mapping begin at one column."
        return None
