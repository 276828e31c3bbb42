"""Every error Headwater raises on purpose, drawn as a tree.

    HeadwaterError                  a code, a message a person can act on, a suggestion where there is one
    ├── UserError                   the caller's fault: shown in full
    │   ├── ModelError              the YAML is wrong: all problems of one load at once
    │   └── QueryError              the question is wrong, refused, too large or not allowed
    │       └── RateLimited         it comes too soon after others
    └── OurError                    our fault or the machine's: the message says so, detail stays on the server
        ├── DataError               the files are not what the model says, or changed while being read
        ├── Overloaded              too many queries wait
        └── Timeout                 the deadline passed

Says first whose fault it is. Imports nothing of Headwater.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """The stable codes in `extensions.code`; each has a paragraph in docs/errors.md."""

    # the model
    YAML_SYNTAX = "YAML_SYNTAX"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    MISSING_KEY = "MISSING_KEY"
    BAD_VALUE = "BAD_VALUE"
    DUPLICATE_NAME = "DUPLICATE_NAME"
    BAD_NAME = "BAD_NAME"
    NAME_COLLISION = "NAME_COLLISION"
    UNKNOWN_REFERENCE = "UNKNOWN_REFERENCE"
    CYCLIC_METRIC = "CYCLIC_METRIC"
    BAD_EXPRESSION = "BAD_EXPRESSION"
    AMBIGUOUS_PATH = "AMBIGUOUS_PATH"
    UNKNOWN_COLUMN = "UNKNOWN_COLUMN"
    NO_MODEL = "NO_MODEL"
    # the query
    UNKNOWN_METRIC = "UNKNOWN_METRIC"
    UNKNOWN_DIMENSION = "UNKNOWN_DIMENSION"
    UNKNOWN_NAME = "UNKNOWN_NAME"
    DIMENSION_NOT_SHARED = "DIMENSION_NOT_SHARED"
    SEGMENT_NOT_SHARED = "SEGMENT_NOT_SHARED"
    BAD_TIME_RANGE = "BAD_TIME_RANGE"
    BAD_TIMEZONE = "BAD_TIMEZONE"
    BAD_ARGUMENT = "BAD_ARGUMENT"
    NO_METRIC = "NO_METRIC"
    NO_TIME_DIMENSION = "NO_TIME_DIMENSION"
    GRAIN_NOT_POSSIBLE = "GRAIN_NOT_POSSIBLE"
    NOT_ANSWERABLE = "NOT_ANSWERABLE"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    RATE_LIMITED = "RATE_LIMITED"
    FORBIDDEN = "FORBIDDEN"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    # the machine
    TIMEOUT = "TIMEOUT"
    OVERLOADED = "OVERLOADED"
    CANCELLED = "CANCELLED"
    DATA_ERROR = "DATA_ERROR"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a model file: path relative to the model folder, line and column from 1, the whole line."""

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def caret(self) -> str:
        """The line and, under it, a caret at the column (wide characters take two cells)."""
        before = self.text[: self.column - 1]
        width = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in before)
        return f"  {self.text}\n  {' ' * width}^"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a model: code, message, where, and what was probably meant."""

    code: Code
    message: str
    position: Position | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        where = f"{self.position}: " if self.position else ""
        lines = [f"{where}{self.message} [{self.code}]"]
        if self.position and self.position.text:
            lines.append(self.position.caret())
        if self.suggestion:
            lines.append(f"  {self.suggestion}")
        return "\n".join(lines)


class HeadwaterError(Exception):
    """The root. `code` is stable; `message` is for people; `suggestion` says what to do instead."""

    code: Code

    def __init__(self, code: Code, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.suggestion = suggestion

    def __str__(self) -> str:
        return f"{self.message} {self.suggestion}" if self.suggestion else self.message

    def __reduce__(self) -> tuple[Callable[..., HeadwaterError], tuple[Any, ...], dict[str, Any]]:
        """How it goes from one process to another: what it is made from is not what `args` holds."""
        return _anew, (type(self), self.args), self.__dict__


def _anew(kind: type[HeadwaterError], args: tuple[Any, ...]) -> HeadwaterError:
    return kind.__new__(kind, *args)


class UserError(HeadwaterError):
    """The caller can mend it."""


class ModelError(UserError):
    """The model can't be used; `problems` holds every one found in the load, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        text = "\n".join(str(problem) for problem in self.problems)
        super().__init__(self.problems[0].code, f"The model has {count} {noun}:\n{text}")


class QueryError(UserError):
    """The question can't be answered as asked; nothing was run."""


class RateLimited(QueryError):
    """This viewer has asked too often; ask again after `retry_after` seconds."""

    def __init__(self, message: str, suggestion: str, retry_after: float) -> None:
        super().__init__(Code.RATE_LIMITED, message, suggestion)
        self.retry_after = retry_after


class OurError(HeadwaterError):
    """Not the caller's fault. `detail` is for the server's log and never leaves it."""

    def __init__(self, code: Code, message: str, suggestion: str | None = None, detail: str = "") -> None:
        super().__init__(code, message, suggestion)
        self.detail = detail


class DataError(OurError):
    """The data is not what the model says, or changed while it was read."""

    def __init__(self, message: str, suggestion: str | None = None, detail: str = "") -> None:
        super().__init__(Code.DATA_ERROR, message, suggestion, detail)


class Overloaded(OurError):
    """Too many queries wait; ask again after `retry_after` seconds."""

    def __init__(self, message: str, suggestion: str | None = None, retry_after: float = 1.0) -> None:
        super().__init__(Code.OVERLOADED, message, suggestion)
        self.retry_after = retry_after


class Timeout(OurError):
    """The deadline passed. `retry_after`: seconds until it is worth asking again, where the query goes on."""

    def __init__(self, message: str, suggestion: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(Code.TIMEOUT, message, suggestion)
        self.retry_after = retry_after


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`Did you mean "gmv"?` for the nearest known names, or None when nothing is near."""
    folded = {candidate.casefold(): candidate for candidate in sorted(known)}
    near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if not near:
        return None
    names = [f'"{folded[key]}"' for key in near]
    return f"Did you mean {' or '.join([', '.join(names[:-1]), names[-1]] if len(names) > 1 else names)}?"
