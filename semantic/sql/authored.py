"""Authors' expressions in an engine's dialect: sqlglot's text, cut where names and claims go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp

from semantic.model.expression import Ref
from semantic.sql.fragment import Binding

_MARK = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the viewer, by name."""

    name: str


Piece = str | Ref | Claim

_BINDINGS: tuple[tuple[tuple[type[exp.Expr], ...], Binding], ...] = (
    ((exp.Or,), Binding.OR),
    ((exp.And,), Binding.AND),
    ((exp.Not,), Binding.NOT),
    ((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In), Binding.COMPARED),
    ((exp.Add, exp.Sub), Binding.SUM),
    ((exp.Mul, exp.Div), Binding.PRODUCT),
    ((exp.Coalesce, exp.Nullif, exp.Case, exp.Cast, exp.Paren, exp.Column, exp.Boolean), Binding.ATOM),
)
"""What is not here may be anything: it gets parentheses."""


@lru_cache(maxsize=8192)
def pieces(sql: str, dialect: str) -> tuple[tuple[Piece, ...], Binding]:
    """A canonical expression as text of the dialect, with what stands between the texts, and how tightly it binds."""
    found: list[Ref | Claim] = []

    def mark(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            *path, name = (part.name for part in node.parts)
            found.append(Ref(tuple(path), name))
        elif isinstance(node, exp.Placeholder):
            found.append(Claim(node.name))
        else:
            return node
        return exp.Var(this=f"\ue000{len(found) - 1}\ue001")

    tree = sqlglot.parse_one(sql, dialect="duckdb")
    binding = next((binding for types, binding in _BINDINGS if type(tree) in types), Binding.LOOSE)
    cut = _MARK.split(tree.transform(mark).sql(dialect=dialect, normalize_functions="lower"))
    return tuple(found[int(piece)] if odd else piece for piece, odd in _alternating(cut) if odd or piece), binding


def _alternating(cut: list[str]) -> list[tuple[str, bool]]:
    return [(piece, index % 2 == 1) for index, piece in enumerate(cut)]
