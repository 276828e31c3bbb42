"""Authors' expressions in an engine's dialect: sqlglot's text, cut where names and claims go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp

from semantic.model.expression import Ref

_MARK = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the viewer, by name."""

    name: str


Piece = str | Ref | Claim


@lru_cache(maxsize=8192)
def pieces(sql: str, dialect: str) -> tuple[Piece, ...]:
    """A canonical expression as text of the dialect, with what stands between the texts."""
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

    text = sqlglot.parse_one(sql, dialect="duckdb").transform(mark).sql(dialect=dialect)
    cut = _MARK.split(text)
    return tuple(found[int(piece)] if odd else piece for piece, odd in _alternating(cut) if odd or piece)


def _alternating(cut: list[str]) -> list[tuple[str, bool]]:
    return [(piece, index % 2 == 1) for index, piece in enumerate(cut)]
