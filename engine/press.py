"""The press: makes the editions of one dataset."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import duckdb

from engine import keys
from engine.bounds import read_bounds
from engine.edition import Edition, drop
from engine.failures import of_data
from engine.files import Listing, changing
from engine.footers import describe
from engine.kinds import kind_of
from engine.layout import Shape
from engine.needs import Needs
from engine.quote import identifier, identifiers
from engine.reader import Look, Reader, names_of
from semantic.errors import DataError, did_you_mean
from semantic.model.dataset import Dataset
from semantic.model.facts import DatasetFacts, Kind

_numbers = itertools.count(1)


class Press:
    """Of one dataset. Used by one thread at a time."""

    def __init__(self, dataset: Dataset, reader: Reader, needs: Needs, attempts: int) -> None:
        self._dataset = dataset
        self._reader = reader
        self._needs = needs
        self._attempts = attempts

    def edition(self, cursor: duckdb.DuckDBPyConnection, previous: Edition | None) -> Edition:
        """The edition of the files as they are now: the previous one when they are unchanged. DataError."""
        for _ in range(self._attempts):
            listing = self._reader.listing()
            if previous is not None and previous.listing.version == listing.version:
                return previous
            made = self._try(cursor, listing)
            if made is not None:
                return made
        raise changing(self._dataset.name)

    def _try(self, cursor: duckdb.DuckDBPyConnection, listing: Listing) -> Edition | None:
        """None when the files changed meanwhile, whether that raised an error or not."""
        schema = f"e{next(_numbers)}"
        try:
            edition = self._make(cursor, schema, listing)
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

    def _make(self, cursor: duckdb.DuckDBPyConnection, schema: str, listing: Listing) -> Edition:
        look = self._reader.look(cursor, listing)
        self._check_key(look.columns)
        relation = f"{schema}.{identifier(self._dataset.name)}"
        cursor.execute(f"CREATE SCHEMA {schema}")
        lost = self._present(cursor, schema, relation, look)
        rows = keys.count(cursor, relation) if look.rows is None else look.rows - lost
        columns = kinds_of(describe(cursor, relation))
        times = {name: columns[name] for name in self._needs.times if name in columns}
        facts = DatasetFacts(
            version=listing.version,
            columns=columns,
            bounds=read_bounds(cursor, relation, times, self._dataset.timezone),
            unique_keys=frozenset(self._unique_keys(cursor, relation, columns)),
            rows=rows,
            warnings=look.warnings,
        )
        return Edition(self._dataset.name, schema, self._reader, listing, facts)

    def _check_key(self, columns: Shape) -> None:
        names = {name.casefold() for name, _ in columns}
        for name in self._dataset.primary_key:
            if name.casefold() not in names:
                raise DataError(
                    f'The files of "{self._dataset.name}" have no column "{name}", which is in its primary key.',
                    did_you_mean(name, names_of(columns)),
                )

    def _present(self, cursor: duckdb.DuckDBPyConnection, schema: str, relation: str, look: Look) -> int:
        """Make the view or table, without the rows that lose; returns how many did, when rows were counted before."""
        dataset, columns = self._dataset, names_of(look.columns)
        unsure = bool(dataset.primary_key) and not dataset.unique
        if look.stored:
            _fill(cursor, relation, look)
            if unsure and keys.repeats(cursor, relation, dataset.primary_key):
                keys.delete_losers(cursor, relation, dataset.primary_key, columns)
            return 0
        scan = look.scans[0]
        cursor.execute(f"CREATE VIEW {relation} AS SELECT {identifiers(columns)} FROM {scan} AS t")
        if not unsure or not keys.repeats(cursor, relation, dataset.primary_key):
            return 0
        self._check_row_names(columns)
        lost = keys.note_losers(cursor, schema, scan, dataset.primary_key, columns)
        kept = f"SELECT {identifiers(columns)} FROM {scan} AS t WHERE {keys.without_losers(schema)}"
        cursor.execute(f"CREATE OR REPLACE VIEW {relation} AS {kept}")
        return lost

    def _check_row_names(self, columns: tuple[str, ...]) -> None:
        for name in keys.ROW:
            if name in {column.casefold() for column in columns}:
                raise DataError(
                    f'"{self._dataset.name}" has rows that repeat its primary key, and a column called "{name}", which'
                    " hides where a row stands in its file.",
                    f'Give the column "{name}" another name.',
                )

    def _unique_keys(
        self, cursor: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, Kind]
    ) -> Iterator[tuple[str, ...]]:
        primary = self._dataset.primary_key
        if primary:
            yield primary
        for target in self._needs.targets:
            known = bool(primary) and set(primary) <= set(target)
            present = all(name in columns for name in target)
            if known or (present and not keys.repeats(cursor, relation, target)):
                yield target


def kinds_of(shape: Shape) -> Mapping[str, Kind]:
    """Column → kind, in order."""
    return MappingProxyType({name: kind_of(type_name) for name, type_name in shape})


def _fill(cursor: duckdb.DuckDBPyConnection, relation: str, look: Look) -> None:
    """Copy the rows into a table by the first scan that can read all of them."""
    columns = identifiers(names_of(look.columns))
    *tries, last = look.scans
    for scan in tries:
        try:
            cursor.execute(f"CREATE TABLE {relation} AS SELECT {columns} FROM {scan}")
        except (duckdb.ConversionException, duckdb.InvalidInputException):
            continue
        return
    cursor.execute(f"CREATE TABLE {relation} AS SELECT {columns} FROM {last}")
