"""What an author wrote as `expr`, `where` or `unless` → canonical text, or what is wrong with it and where.

sqlglot reads the text as DuckDB's SQL; then everything that is not on a list is refused: a scalar expression reads one
row and answers one value, by functions that mean the same on every engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp

from semantic.load.allowed import Fault, Scope, faults_of, names_in, path_of
from semantic.load.canonical import canonical
from semantic.load.syntax import Refused, parse_text

__all__ = ["Fault", "Name", "Parsed", "Scope", "parse_expression"]


@dataclass(frozen=True, slots=True)
class Name:
    """A name as read: the relationships before it, itself, and where it begins in the text."""

    path: tuple[str, ...]
    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """The canonical text with what it reads, or faults."""

    sql: str = ""
    names: tuple[Name, ...] = ()
    claims: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@lru_cache(maxsize=8192)
def parse_expression(text: str, scope: Scope) -> Parsed:
    """Reads an expression; the same text is read once."""
    try:
        tree = parse_text(text)
        faults = faults_of(tree, text, scope)
        return Parsed(faults=faults) if faults else _accept(tree, scope)
    except Refused as refused:
        return Parsed(faults=(Fault(refused.message, refused.offset, refused.suggestion),))
    except RecursionError:
        return Parsed(faults=(Fault("The expression is nested too deeply.", 0),))


def _accept(tree: exp.Expr, scope: Scope) -> Parsed:
    found: dict[tuple[tuple[str, ...], str], int] = {}
    for path, name, offset in map(path_of, names_in(tree)):
        found[path, name] = min(offset, found.get((path, name), offset))
    claims = {node.name for node in tree.find_all(exp.Placeholder)}
    if scope is Scope.CLAIMS:
        claims |= {name for _, name in found}
        found = {}
    names = tuple(Name(path, name, offset) for (path, name), offset in sorted(found.items()))
    return Parsed(canonical(tree, names_are_claims=scope is Scope.CLAIMS), names, tuple(sorted(claims)))
