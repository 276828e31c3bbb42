"""What reads a dataset: how its rows come out of its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import duckdb

from engine.files import Listing
from engine.layout import Shape

Scan = Callable[[Sequence[str]], str]
"""Paths in file order → the table expression that reads exactly them."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a reader sees in a listing.

    `scans`: make table expressions of files; the first that works is right. `columns`: those to present. `stored`: rows
    are to be copied into a table, because a scan of them is slow. `counts`: how many rows each file has, in file order,
    when the files tell. `ids`: of the columns that files know by a number, whatever their names.
    """

    scans: tuple[Scan, ...]
    columns: Shape
    stored: bool = False
    counts: tuple[int, ...] | None = None
    warnings: tuple[str, ...] = ()
    ids: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def rows(self) -> int | None:
        """How many there are, when the files tell."""
        return None if self.counts is None else sum(self.counts)


class Reader(Protocol):
    """Blocking; used by one thread at a time, except `unchanged`."""

    def listing(self) -> Listing:
        """The files now, at rest. DataError when there are none or they keep changing."""
        ...

    def unchanged(self, listing: Listing) -> bool:
        """Whether every file of a listing is still what it was."""
        ...

    def look(self, cursor: duckdb.DuckDBPyConnection, listing: Listing) -> Look:
        """How to read a listing. DataError when its files don't fit together."""
        ...


def names_of(shape: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The names of columns."""
    return tuple(name for name, _ in shape)
