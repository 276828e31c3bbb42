"""Iceberg tables, through the `pyiceberg` package: a snapshot is a list of Parquet files that never change.

Columns are found by their field ids, so a renamed column keeps its rows. Nested columns are left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import duckdb

from engine.files import Listing, Stamp, stamp_of, version_of
from engine.layout import Shape
from engine.quote import exact_paths, literal
from engine.reader import Look
from semantic.errors import DataError

_TYPES = {
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "string": "VARCHAR",
    "uuid": "UUID",
    "binary": "BLOB",
}
_METADATA = re.compile(r"v?(\d+)(-.*)?(\.gz)?\.metadata\.json(\.gz)?")


class IcebergReader:
    """One table, in a folder of this machine (or the file of its metadata)."""

    def __init__(self, dataset: str, path: str) -> None:
        self._dataset = dataset
        self._path = path
        self._metadata: Stamp | None = None
        self._listing: Listing | None = None
        self._table: Any = None
        self._counts: tuple[int, ...] = ()

    def listing(self) -> Listing:
        """The files of the newest snapshot. DataError when there is none, or when it deletes rows of files."""
        metadata = self._newest_metadata()
        if self._listing is None or metadata != self._metadata:
            self._listing = self._read(metadata.path)
            self._metadata = metadata
        return self._listing

    def unchanged(self, listing: Listing) -> bool:
        """Whether every file is still there: none is ever written twice."""
        return all(os.path.exists(stamp.path) for stamp in listing.stamps)

    def look(self, cursor: duckdb.DuckDBPyConnection, listing: Listing) -> Look:
        """DataError when a file doesn't hold a column that the table's partitions imply."""
        self._check_ids(cursor, listing.paths)
        fields = {field.field_id: field for field in self._table.schema().fields}
        types = {number: _type_of(field.field_type) for number, field in fields.items()}
        known = {number: type_name for number, type_name in types.items() if type_name is not None}
        columns = tuple((fields[number].name, type_name) for number, type_name in known.items())
        nested = [field.name for number, field in fields.items() if number not in known]
        warnings = tuple(f'Column "{name}" of "{self._dataset}" is nested and left out.' for name in nested)
        ids = {fields[number].name: number for number in known}
        scan = partial(_scan, ids=tuple(known), columns=columns)
        return Look((scan,), columns, counts=self._counts, warnings=warnings, ids=ids)

    def _newest_metadata(self) -> Stamp:
        """The table's state: the metadata file of the highest number, as no catalog is asked."""
        folder = os.path.join(self._path, "metadata")
        paths = [self._path]
        if os.path.isdir(folder):
            numbered = ((_METADATA.fullmatch(name), name) for name in os.listdir(folder))
            ordered = sorted((int(match[1]), name) for match, name in numbered if match)
            paths = [os.path.join(folder, name) for _, name in ordered]
        found = stamp_of(paths[-1]) if paths else None
        if found is None:
            raise DataError(
                f'There is no data for "{self._dataset}": its source is no Iceberg table.',
                "Name the table's folder, the one that holds metadata and data.",
                self._path,
            )
        return found

    def _read(self, metadata: str) -> Listing:
        static_table = _package(self._dataset)
        try:
            self._table = static_table.from_metadata(metadata)
            tasks = list(self._table.scan().plan_files())
        except Exception as error:  # the package raises what it and its parsers and readers happen to raise
            raise self._unreadable(error) from error
        if any(task.delete_files for task in tasks):
            raise self._deleting()
        counted = sorted((_stamp(task.file), task.file.record_count) for task in tasks)
        stamps, self._counts = tuple(stamp for stamp, _ in counted), tuple(rows for _, rows in counted)
        if not stamps:
            raise DataError(f'The Iceberg table of "{self._dataset}" has no file.', detail=metadata)
        snapshot = Stamp(str(self._table.metadata.table_uuid), self._table.current_snapshot().snapshot_id, 0, 0, 0)
        schema = Stamp("schema", self._table.schema().schema_id, 0, 0, 0)
        return Listing(stamps, version_of([snapshot, schema]))

    def _unreadable(self, error: Exception) -> DataError:
        if "equality deletes" in str(error):
            return self._deleting()
        return DataError(f'The Iceberg table of "{self._dataset}" can\'t be read.', detail=repr(error))

    def _deleting(self) -> DataError:
        message = f'The Iceberg table of "{self._dataset}" has deleted rows in its files, which can\'t be read.'
        return DataError(message, "Compact the table, or let its writer copy on write.")

    def _check_ids(self, cursor: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
        """Files taken into a table from elsewhere may lack the ids, or the columns they are partitioned by."""
        partitions = {field.source_id for field in self._table.spec().fields if str(field.transform) == "identity"}
        lacking = ["count(field_id) = 0", *(f"NOT bool_or(field_id IS NOT DISTINCT FROM {id})" for id in partitions)]
        query = f"SELECT file_name FROM parquet_schema({exact_paths(paths)}) GROUP BY 1 HAVING {' OR '.join(lacking)}"
        found = cursor.execute(f"{query} LIMIT 1").fetchall()
        if found:
            message = f'The files of the Iceberg table of "{self._dataset}" don\'t say which columns they hold.'
            raise DataError(message, "Rewrite the files that were added from elsewhere.", found[0][0])


def _scan(paths: Sequence[str], ids: Sequence[int], columns: Shape) -> str:
    fields = (
        f"{number}: {{name: {literal(name)}, type: {literal(type_name)}, default_value: NULL}}"
        for number, (name, type_name) in zip(ids, columns, strict=True)
    )
    return f"read_parquet({exact_paths(paths)}, hive_partitioning = false, schema = MAP {{{', '.join(fields)}}})"


def _type_of(field_type: Any) -> str | None:
    name = str(field_type)
    if name.startswith("decimal("):
        return name.upper()
    if name.startswith("fixed["):
        return "BLOB"
    return _TYPES.get(name)


def _stamp(file: Any) -> Stamp:
    return Stamp(file.file_path.removeprefix("file://"), file.file_size_in_bytes, 0, 0, 0)


def _package(dataset: str) -> Any:
    try:
        from pyiceberg.table import StaticTable
    except ImportError as error:
        advice = "Install it: pip install 'headwater[iceberg]'."
        raise DataError(f'"{dataset}" is an Iceberg table, which needs the package pyiceberg.', advice) from error
    return StaticTable
