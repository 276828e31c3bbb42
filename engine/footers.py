"""What columns each file has, read once per state of a file: an appended file costs only itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from engine.files import Stamp
from engine.kinds import NOTHING
from engine.layout import Shape
from engine.quote import exact_paths, literal
from semantic.model.dataset import SourceFormat

_PARQUET = """
WITH shapes AS (
    SELECT file_name, md5(string_agg(concat_ws('|', "name", "type", coalesce(duckdb_type, ''),
        coalesce(logical_type, ''), coalesce(num_children, 0)), chr(10) ORDER BY column_id)) AS shape
    FROM parquet_schema({files}) GROUP BY file_name)
SELECT file_name, num_rows, shape FROM parquet_file_metadata({files}) JOIN shapes USING (file_name)
"""


@dataclass(frozen=True, slots=True)
class Footer:
    """One file's columns, and its number of rows when the file tells."""

    shape: Shape
    rows: int


class Footers:
    """The footers of one dataset's files. Used by one thread at a time."""

    def __init__(self, source: SourceFormat) -> None:
        self._source = source
        self._known: dict[Stamp, Footer] = {}
        self._shapes: dict[str, Shape] = {}

    def read(self, cursor: duckdb.DuckDBPyConnection, stamps: Sequence[Stamp]) -> tuple[Footer, ...]:
        """The footers of these files, in their order; those of other files are forgotten."""
        new = [stamp for stamp in stamps if stamp not in self._known]
        if new:
            read = self._read_csv if self._source is SourceFormat.CSV else self._read_parquet
            self._known.update(read(cursor, new))
        self._known = {stamp: self._known[stamp] for stamp in stamps}
        return tuple(self._known.values())

    def _read_parquet(
        self, cursor: duckdb.DuckDBPyConnection, stamps: Sequence[Stamp]
    ) -> Iterable[tuple[Stamp, Footer]]:
        files = exact_paths(stamp.path for stamp in stamps)
        found = cursor.execute(_PARQUET.format(files=files)).fetchall()
        by_path = {path: (rows, shape) for path, rows, shape in found}
        for stamp in stamps:
            rows, digest = by_path[stamp.path]
            if digest not in self._shapes:
                self._shapes[digest] = _parquet_shape(cursor, exact_paths([stamp.path]))
            yield stamp, Footer(self._shapes[digest], rows)

    def _read_csv(self, cursor: duckdb.DuckDBPyConnection, stamps: Sequence[Stamp]) -> Iterable[tuple[Stamp, Footer]]:
        for stamp in stamps:
            reader = f"read_csv({exact_paths([stamp.path])}, header = true, hive_partitioning = false)"
            yield stamp, Footer(describe(cursor, reader), 0)


def _parquet_shape(cursor: duckdb.DuckDBPyConnection, file: str) -> Shape:
    """Some versions of DuckDB take a column of which nothing is known for whole numbers: here it stays unknown."""
    unknown = f'SELECT "name" FROM parquet_schema({file}) WHERE duckdb_type = {literal(NOTHING)}'
    names = {name for (name,) in cursor.execute(unknown).fetchall()}
    shape = describe(cursor, f"read_parquet({file}, hive_partitioning = false)")
    return tuple((name, NOTHING if name in names else type_name) for name, type_name in shape)


def describe(cursor: duckdb.DuckDBPyConnection, relation: str) -> Shape:
    """The columns of whatever can stand after FROM: (name, DuckDB type) pairs in order."""
    rows = cursor.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return tuple((row[0], row[1]) for row in rows)
