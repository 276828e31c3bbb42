"""Few: which columns of a dataset have few values, and which those are.

Texts and whole numbers are read from the files themselves, only those columns that the model splits by, and none any
further once it has shown more than FEW. Files are read together and remembered by their states, so that an added file
costs only itself. Of CSV files the copied table is read, anew for each version. A boolean has two values and is never
looked at.

Nothing is known when more than `REMOTE_FILES` of a remote store would have to be read, of a dataset with a column that
is called like DuckDB's number of a row, and of what takes longer than `aside.SECONDS`: what was read until then is
remembered for the next version.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import duckdb

from engine.aside import Aside, OutOfTime
from engine.edition import Edition
from engine.files import Listing, Stamp
from engine.footers import describe
from engine.kinds import LONGS, kind_of
from engine.layout import Shape
from engine.places import is_remote
from engine.quote import identifier
from engine.reader import Look
from semantic.errors import DataError
from semantic.model.facts import FEW, Kind, Value

log = logging.getLogger("headwater.engine")

PIECE = 1_000_000
"""Rows that one statement reads at most: some milliseconds for each column."""
FIRST = 20_000
"""Rows of the very first look: most columns of many values show them there."""
TOGETHER = 500
"""Files that are read together at most."""
REMOTE_FILES = 64
LONGEST = 200
"""Characters of a value: longer texts are no names of anything."""
ROW_NUMBER = "file_row_number"

Found = frozenset[Value] | None
"""The values of a column; None: more than FEW, or they can't be told from the files apart."""


class Column(NamedTuple):
    """A column as presented. `id`: what files know it by, where that is not its name."""

    name: str
    type_name: str
    id: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Files that are read together, how many rows they have, and what was found in them."""

    stamps: tuple[Stamp, ...]
    rows: int
    found: dict[Column, Found] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths, in file order."""
        return tuple(stamp.path for stamp in self.stamps)


class Few:
    """Of one dataset. Used by one thread at a time, another one than looks after the files."""

    def __init__(self, names: Collection[str]) -> None:
        """`names`: the columns that are worth a look."""
        self.names = names
        self._groups: list[Group] = []

    def values(self, aside: Aside, edition: Edition) -> Mapping[str, tuple[Value, ...]]:
        """All values of an edition's columns that have few, sorted and without null; maybe some of rows that it leaves
        out. Empty when the files changed meanwhile. The edition must not be dropped until then.
        """
        try:
            found = self._values(aside, edition)
        except (duckdb.Error, DataError, OutOfTime) as error:
            log.debug("the values of %s are not known: %s", edition.dataset, error)
            return MappingProxyType({})
        return MappingProxyType({name: tuple(sorted(values)) for name, values in found.items()})

    def _values(self, aside: Aside, edition: Edition) -> dict[str, set[Value]]:
        relation = f"{edition.schema}.{identifier(edition.dataset)}"
        shape = tuple(column for column in describe(aside.cursor, relation) if column[0] in self.names)
        columns = [Column(*column, edition.look.ids.get(column[0])) for column in shape if _is_listed(column[1])]
        if edition.look.stored:
            found = {column: set[Value]() for column in columns}
            _add(found, _read(aside, columns, pieces(relation, "rowid", edition.facts.rows), shape))
        else:
            found = self._of_files(aside, edition, columns)
        switches = {name: set[Value]((False, True)) for name, type_name in shape if kind_of(type_name) is Kind.BOOLEAN}
        return {column.name: values for column, values in found.items()} | switches

    def _of_files(self, aside: Aside, edition: Edition, columns: Sequence[Column]) -> dict[Column, set[Value]]:
        """The values of all files; what was read before is not read again."""
        self._regroup(edition)
        total = {column: set[Value]() for column in columns}
        for group in self._groups:
            _add(total, group.found)
        unread = [group for group in self._groups if total.keys() - group.found.keys()]
        if not total or is_expensive(unread) or _hides_rows(edition.look):
            return {}
        same = {values: values for group in self._groups for values in group.found.values()}
        for group in unread:
            wanted = [column for column in total if column not in group.found]
            found = _read_files(aside, edition.look, group, wanted, first=not same)
            if not edition.reader.unchanged(Listing(group.stamps, edition.listing.version)):
                return {}
            group.found.update({column: same.setdefault(values, values) for column, values in found.items()})
            _add(total, group.found)
        return total

    def _regroup(self, edition: Edition) -> None:
        """Keep the groups that are still there whole, and make groups of all other files."""
        present = frozenset(edition.listing.stamps)
        self._groups = [group for group in self._groups if present.issuperset(group.stamps)]
        known = {stamp for group in self._groups for stamp in group.stamps}
        assert edition.look.counts is not None, "files that are not copied tell how many rows they have"
        counted = zip(edition.listing.stamps, edition.look.counts, strict=True)
        self._groups += _grouped((stamp, rows) for stamp, rows in counted if stamp not in known)


def _read_files(
    aside: Aside, look: Look, group: Group, columns: Sequence[Column], first: bool
) -> Mapping[Column, Found]:
    """The values of a group's files; `first`: of no file anything is known yet."""
    scan = look.scans[0]
    shape = describe(aside.cursor, scan(group.paths))
    relations = pieces(f"{scan(group.paths)} AS t", ROW_NUMBER, group.rows)
    if first and group.rows > FIRST:
        relations = chain((f"{scan(group.paths[:1])} AS t WHERE {ROW_NUMBER} < {FIRST}",), relations)
    return _read(aside, columns, relations, shape)


def _read(aside: Aside, columns: Sequence[Column], relations: Iterable[str], shape: Shape) -> Mapping[Column, Found]:
    """The values of columns, of relations that together are all rows. `shape`: of the rows, which may lack columns."""
    types = {name.casefold(): type_name for name, type_name in shape}
    found: dict[Column, Found] = dict.fromkeys(columns, frozenset[Value]())
    for relation in relations:
        wanted = [column for column in columns if found[column] is not None and column.name.casefold() in types]
        if not wanted:
            break
        lists = ", ".join(f"list(DISTINCT {identifier(column.name)})[:{FEW + 2}]" for column in wanted)
        for column, values in zip(wanted, aside.row(f"SELECT {lists} FROM {relation}"), strict=True):
            fits = kind_of(types[column.name.casefold()]) is kind_of(column.type_name)
            found[column] = _joined(found[column] or frozenset(), values or (), fits)
    return found


def _joined(known: frozenset[Value], values: Iterable[Any], fits: bool) -> Found:
    """The known values and more. `fits`: they are as presented, and not guessed from these files alone."""
    new = {str(value) if isinstance(value, UUID) else value for value in values if value is not None}
    if (new and not fits) or any(isinstance(value, str) and len(value) > LONGEST for value in new):
        return None
    return None if len(known | new) > FEW else known | new


def pieces(relation: str, number: str, rows: int) -> Iterator[str]:
    """A relation as relations of at most `PIECE` rows, by the number of each row; the last has what is left."""
    for begin in range(0, max(rows, 1), PIECE):
        bounds = [f"{number} >= {begin}"] if begin else []
        bounds += [f"{number} < {begin + PIECE}"] if begin + PIECE < rows else []
        yield f"{relation} WHERE {' AND '.join(bounds)}" if bounds else relation


def _grouped(files: Iterable[tuple[Stamp, int]]) -> Iterator[Group]:
    """Files one after the other, as many as fit into a piece; a larger one is alone."""
    together: list[Stamp] = []
    total = 0
    for stamp, rows in files:
        if together and (total + rows > PIECE or len(together) == TOGETHER):
            yield Group(tuple(together), total)
            together, total = [], 0
        together.append(stamp)
        total += rows
    if together:
        yield Group(tuple(together), total)


def _add(total: dict[Column, set[Value]], found: Mapping[Column, Found]) -> None:
    """Add what was found to the values of columns; those that have too many are taken out."""
    for column in tuple(total):
        values = found.get(column, frozenset[Value]())
        if values is None or len(total[column] | values) > FEW:
            del total[column]
        else:
            total[column] |= values


def _is_listed(type_name: str) -> bool:
    return type_name in LONGS or kind_of(type_name) is Kind.STRING


def is_expensive(groups: Iterable[Group]) -> bool:
    """Whether many files of a remote store would be read: each costs several requests."""
    return sum(is_remote(stamp.path) for group in groups for stamp in group.stamps) > REMOTE_FILES


def _hides_rows(look: Look) -> bool:
    return any(name.casefold() == ROW_NUMBER for name, _ in look.columns)
