"""What an author wrote as `expr`, `where` or `unless` → canonical text, or what is wrong with it and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


class Scope(Enum):
    """What the names in an expression are: columns; metrics; columns next to claims (`:name`); claims."""

    ROWS = auto()
    METRICS = auto()
    POLICY = auto()
    CLAIMS = auto()


@dataclass(frozen=True, slots=True)
class Name:
    """A name as read: the relationships before it, itself, and where it begins in the text."""

    path: tuple[str, ...]
    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where in the text, and what to do."""

    message: str
    offset: int
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """The canonical text with what it reads, or faults."""

    sql: str = ""
    names: tuple[Name, ...] = ()
    claims: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@lru_cache(maxsize=8192)
def parse_expression(text: str, scope: Scope) -> Parsed:
    """Parses once per text."""
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as error:
        return Parsed(faults=(Fault(str(error), 0),))
    names: dict[tuple[tuple[str, ...], str], int] = {}
    for column in tree.find_all(exp.Column):
        parts = [part.name for part in column.parts]
        names.setdefault((tuple(parts[:-1]), parts[-1]), column.parts[0].meta.get("start", 0))
    tree = tree.transform(_guard)
    found = tuple(Name(path, name, offset) for (path, name), offset in sorted(names.items()))
    return Parsed(tree.sql(dialect="duckdb", identify=True, comments=False), found)


def _guard(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Div | exp.IntDiv | exp.Mod) and not isinstance(node.expression, exp.Nullif):
        node.set("expression", exp.Nullif(this=node.expression, expression=exp.Literal.number(0)))
    return node
