"""A scalar expression an author wrote, parsed and checked at load."""

from __future__ import annotations

from dataclasses import dataclass, field

from semantic.errors import Position


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A name in an expression: `member_level`, or through relationships `buyer.member_level` (path = ("buyer",))."""

    path: tuple[str, ...]
    name: str
    position: Position | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return ".".join((*self.path, self.name))


@dataclass(frozen=True, slots=True)
class Expression:
    """`sql` is the canonical text (DuckDB's dialect, one line, every identifier quoted, `a / b` null-safe against
    zero).

    `refs` are the columns (in a derived metric: the metrics) it reads, sorted; `claims` the viewer's claims (`:name`)
    it needs, allowed in policies only. `source` is what the author wrote. Equal expressions have equal canonical
    text.
    """

    sql: str
    refs: tuple[Ref, ...] = ()
    claims: tuple[str, ...] = ()
    source: str = field(default="", compare=False)
    position: Position | None = field(default=None, compare=False)
