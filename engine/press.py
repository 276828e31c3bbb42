"""The press: makes the editions of one dataset."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import duckdb

from engine import keys
from engine.bounds import read_times
from engine.carried import Carried, carried_over
from engine.connection import give_memory_back
from engine.edition import Edition, drop
from engine.failures import of_data
from engine.few import Few
from engine.files import Listing, changing
from engine.footers import describe
from engine.kinds import LONGS, kind_of
from engine.layout import Shape
from engine.needs import Needs
from engine.quote import identifier
from engine.reader import Look, Reader, names_of
from engine.scan import projection
from semantic.errors import DataError, did_you_mean
from semantic.model.dataset import Dataset
from semantic.model.facts import DatasetFacts, Kind

_numbers = itertools.count(1)


class Press:
    """Of one dataset. Used by one thread at a time, except `few`, which is used by another one."""

    def __init__(self, dataset: Dataset, reader: Reader, needs: Needs, attempts: int) -> None:
        self._dataset = dataset
        self._reader = reader
        self._needs = needs
        self._attempts = attempts
        self.few = Few(needs.splits)

    def edition(self, cursor: duckdb.DuckDBPyConnection, previous: Edition | None) -> Edition:
        """The edition of the files as they are now: the previous one when they are unchanged. DataError."""
        give_memory_back(cursor)
        for _ in range(self._attempts):
            listing = self._reader.listing()
            if previous is not None and previous.listing.version == listing.version:
                return previous
            made = self._try(cursor, listing, previous)
            if made is not None:
                return made
        raise changing(self._dataset.name)

    def _try(self, cursor: duckdb.DuckDBPyConnection, listing: Listing, previous: Edition | None) -> Edition | None:
        """None when the files changed meanwhile, whether that raised an error or not."""
        schema = f"e{next(_numbers)}"
        try:
            edition = self._make(cursor, schema, listing, previous)
        except (duckdb.Error, DataError) as error:
            drop(cursor, schema)
            if not self._reader.unchanged(listing):
                return None
            if isinstance(error, DataError):
                raise
            raise of_data(error, self._dataset.name) from error
        if self._reader.unchanged(listing):
            return edition
        drop(cursor, schema)
        return None

    def _make(
        self, cursor: duckdb.DuckDBPyConnection, schema: str, listing: Listing, previous: Edition | None
    ) -> Edition:
        look = self._reader.look(cursor, listing)
        self._check_key(look.columns)
        cursor.execute(f"CREATE SCHEMA {schema}")
        relation = f"{schema}.{identifier(self._dataset.name)}"
        carried = None if look.stored else carried_over(previous, listing, look.scans[0])
        if look.stored:
            self._store(cursor, relation, look, listing)
            lost = 0
        else:
            lost = self._view(cursor, schema, look, listing, carried)
        shape = describe(cursor, relation)
        columns = kinds_of(shape)
        timed = {name: columns[name] for name in self._needs.times if name in columns}
        times = read_times(cursor, relation, timed, self._dataset.timezone)
        facts = DatasetFacts(
            version=listing.version,
            columns=columns,
            bounds=times.bounds,
            beyond=times.beyond,
            unique_keys=frozenset(self._unique_keys(cursor, relation, columns, carried)),
            rows=keys.count(cursor, relation) if look.rows is None else look.rows - lost,
            warnings=look.warnings,
            longs=frozenset(name for name, type_name in shape if type_name in LONGS),
        )
        return Edition(self._dataset.name, schema, self._reader, listing, facts, look, lost)

    def _store(self, cursor: duckdb.DuckDBPyConnection, relation: str, look: Look, listing: Listing) -> None:
        """Copy the rows into a table, by the first scan that can read all of them, and delete those that lose."""
        create = f"CREATE TABLE {relation} AS SELECT {projection(look.columns)} FROM"
        *tries, last = (scan(listing.paths) for scan in look.scans)
        if not any(_succeeds(cursor, f"{create} {scan}") for scan in tries):
            cursor.execute(f"{create} {last}")
        key = self._dataset.primary_key
        if self._is_unsure and keys.repeats(cursor, relation, key):
            keys.delete_losers(cursor, relation, key, names_of(look.columns))

    def _view(
        self, cursor: duckdb.DuckDBPyConnection, schema: str, look: Look, listing: Listing, carried: Carried | None
    ) -> int:
        """Make the view; returns how many rows lose and are left out."""
        scan = look.scans[0](listing.paths)
        lost = self._losers(cursor, schema, scan, look.columns, carried) if self._is_unsure else 0
        kept = f"WHERE {keys.without_losers(schema)}" if lost else ""
        relation = f"{schema}.{identifier(self._dataset.name)}"
        cursor.execute(f"CREATE VIEW {relation} AS SELECT {projection(look.columns)} FROM {scan} AS t {kept}")
        return lost

    def _losers(
        self, cursor: duckdb.DuckDBPyConnection, schema: str, scan: str, columns: Shape, carried: Carried | None
    ) -> int:
        """Write down the rows that lose; returns how many. Costs a pass over the key columns when no row does."""
        key = self._dataset.primary_key
        if carried is not None and carried.keeps_unique(cursor, key):
            if carried.previous.lost:
                keys.keep_losers(cursor, schema, carried.previous.schema)
            return carried.previous.lost
        if not keys.repeats(cursor, scan, key):
            return 0
        self._check_row_names(columns)
        return keys.note_losers(cursor, schema, scan, key, names_of(columns))

    def _unique_keys(
        self, cursor: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, Kind], carried: Carried | None
    ) -> Iterator[tuple[str, ...]]:
        primary = self._dataset.primary_key
        if primary:
            yield primary
        for target in self._needs.targets:
            contains_primary = bool(primary) and set(primary) <= set(target)
            present = all(name in columns for name in target)
            if contains_primary or (present and _is_unique(cursor, relation, target, carried)):
                yield target

    @property
    def _is_unsure(self) -> bool:
        return bool(self._dataset.primary_key) and not self._dataset.unique

    def _check_key(self, columns: Shape) -> None:
        names = {name.casefold() for name, _ in columns}
        for name in self._dataset.primary_key:
            if name.casefold() not in names:
                raise DataError(
                    f'The files of "{self._dataset.name}" have no column "{name}", which is in its primary key.',
                    did_you_mean(name, names_of(columns)),
                )

    def _check_row_names(self, columns: Shape) -> None:
        names = {name.casefold() for name, _ in columns}
        for name in keys.ROW:
            if name in names:
                raise DataError(
                    f'"{self._dataset.name}" has rows that repeat its primary key, and a column called "{name}", which'
                    " hides where a row stands in its file.",
                    f'Give the column "{name}" another name.',
                )


def kinds_of(shape: Shape) -> Mapping[str, Kind]:
    """Column → kind, in order."""
    return MappingProxyType({name: kind_of(type_name) for name, type_name in shape})


def _is_unique(cursor: duckdb.DuckDBPyConnection, relation: str, key: tuple[str, ...], carried: Carried | None) -> bool:
    if carried is not None and key in carried.previous.facts.unique_keys and carried.keeps_unique(cursor, key):
        return True
    return not keys.repeats(cursor, relation, key)


def _succeeds(cursor: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """False when a value did not fit the type that was guessed for its column."""
    try:
        cursor.execute(sql)
    except (duckdb.ConversionException, duckdb.InvalidInputException):
        return False
    return True
