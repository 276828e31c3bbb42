"""Delta tables, through the `deltalake` package: a version of a table is a list of Parquet files that never change."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from engine.files import Listing, Stamp, stamp_of, version_of
from semantic.errors import DataError

_TYPES = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "integer": "INTEGER",
    "short": "SMALLINT",
    "byte": "TINYINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "binary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "timestamp_ntz": "TIMESTAMP",
}
_HARMLESS = {"deletionVectors", "columnMapping", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"}
"""Reader features that change nothing here; of the first two it is checked that the table makes no use of them."""


class DeltaTable:
    """One table, in a folder of this machine. A store: blocking, used by one thread at a time."""

    def __init__(self, dataset: str, folder: str) -> None:
        self._dataset = dataset
        self._folder = folder
        self._commit: Stamp | None = None
        self._listing: Listing | None = None

    def listing(self) -> Listing:
        """The files of the newest version. DataError when there is none, or its rows are not what its files say."""
        commit = self._newest_commit()
        if self._listing is None or commit is None or commit != self._commit:
            self._listing = self._read()
            self._commit = commit
        return self._listing

    def unchanged(self, listing: Listing) -> bool:
        """Whether every file is still there: none is ever written twice."""
        return all(os.path.exists(stamp.path) for stamp in listing.stamps)

    def _newest_commit(self) -> Stamp | None:
        """Opening a table reads its whole log; whether it has grown, the name of its last entry tells."""
        log = os.path.join(self._folder, "_delta_log")
        names = [name for name in os.listdir(log) if name.endswith(".json")] if os.path.isdir(log) else []
        return stamp_of(os.path.join(log, max(names))) if names else None

    def _read(self) -> Listing:
        deltalake = _package(self._dataset)
        try:
            table = deltalake.DeltaTable(self._folder)
            self._check(table)
            return self._list(table)
        except deltalake.exceptions.DeltaError as error:
            raise DataError(f'The Delta table of "{self._dataset}" can\'t be read.', detail=str(error)) from error

    def _list(self, table: Any) -> Listing:
        stamps = tuple(sorted(_stamp(path) for path in table.file_uris()))
        if not stamps:
            raise DataError(f'The Delta table of "{self._dataset}" has no file.', detail=self._folder)
        name = Stamp(str(table.metadata().id), table.version(), 0, 0, 0)
        return Listing(stamps, version_of([name]), tuple(self._partitions(table)))

    def _partitions(self, table: Any) -> Iterable[tuple[str, str]]:
        types = {field.name: str(getattr(field.type, "type", "")) for field in table.schema().fields}
        for column in table.metadata().partition_columns:
            found = types[column]
            yield column, found.upper() if found.startswith("decimal") else _TYPES.get(found, "VARCHAR")

    def _check(self, table: Any) -> None:
        features = set(table.protocol().reader_features or ())
        mapping = table.metadata().configuration.get("delta.columnMapping.mode", "none")
        if mapping != "none":
            raise self._unreadable("column mapping")
        if features - _HARMLESS:
            raise self._unreadable(", ".join(sorted(features - _HARMLESS)))
        if "deletionVectors" in features and _has_deletion_vectors(table):
            raise self._unreadable("deletion vectors")

    def _unreadable(self, feature: str) -> DataError:
        message = f'The Delta table of "{self._dataset}" uses {feature}, which can\'t be read.'
        return DataError(
            message, "Rewrite the table without it (deletion vectors go with REORG TABLE … APPLY (PURGE))."
        )


def _has_deletion_vectors(table: Any) -> bool:
    """Whether any file has one; a version of the package that can't tell counts as yes."""
    if not hasattr(table, "deletion_vectors"):
        return True
    return any(batch.num_rows for batch in table.deletion_vectors())


def _stamp(uri: str) -> Stamp:
    path = uri.removeprefix("file://")
    return Stamp(path, 0, 0, 0, 0)


def _package(dataset: str) -> Any:
    try:
        import deltalake
        import deltalake.exceptions
    except ImportError as error:
        advice = "Install it: pip install 'headwater[delta]'."
        raise DataError(f'"{dataset}" is a Delta table, which needs the package deltalake.', advice) from error
    return deltalake
