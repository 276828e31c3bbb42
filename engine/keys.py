"""Keys: which column sets never repeat in a dataset, and which rows lose against an earlier one with the same key.

A row with a null in its key has no key: it is never merged with another and never found through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

from engine.connection import REPEATS
from engine.quote import identifier, identifiers

RECEIVED_AT = "received_at"
"""The column that says which of several rows with one key came first."""

ROW = ("filename", "file_row_number")
"""The columns, of every scan of files, that say where a row stands."""

_LOSERS = """
WITH keyed AS NOT MATERIALIZED (SELECT {columns} FROM {relation} AS t WHERE {has_key}),
again AS (SELECT {key} FROM keyed GROUP BY ALL HAVING count(*) > 1),
ranked AS (SELECT {row}, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS place
    FROM keyed SEMI JOIN again USING ({key}))
SELECT {row} FROM ranked WHERE place > 1
"""


def repeats(cursor: duckdb.DuckDBPyConnection, relation: str, key: Sequence[str]) -> bool:
    """Whether two rows have the same key."""
    query = (
        f"SELECT 1 FROM {relation} AS t WHERE {_has_key(key)} GROUP BY {identifiers(key)} HAVING count(*) > 1 LIMIT 1"
    )
    return bool(cursor.execute(query).fetchall())


def repeats_since(cursor: duckdb.DuckDBPyConnection, old: str, new: str, key: Sequence[str]) -> bool:
    """Whether a row of `new` has the key of another of `new`, or of one of `old`; those of `old` are not compared."""
    if repeats(cursor, new, key):
        return True
    added = f"(SELECT {identifiers(key)} FROM {new} AS t WHERE {_has_key(key)})"
    query = f"SELECT 1 FROM {old} AS t SEMI JOIN {added} AS a USING ({identifiers(key)}) LIMIT 1"
    return bool(cursor.execute(query).fetchall())


def keep_losers(cursor: duckdb.DuckDBPyConnection, name: str, previous: str) -> None:
    """Write down the same rows as for a previous edition."""
    cursor.execute(f"CREATE TABLE {REPEATS}.{name} AS FROM {REPEATS}.{previous}")


def note_losers(
    cursor: duckdb.DuckDBPyConnection, name: str, scan: str, key: Sequence[str], columns: Iterable[str]
) -> int:
    """Write down, in a table of the engine's, the rows of files that lose; returns how many."""
    query = _losers(scan, key, ROW, columns)
    cursor.execute(f"CREATE TABLE {REPEATS}.{name} AS {query}")
    return count(cursor, f"{REPEATS}.{name}")


def without_losers(name: str) -> str:
    """The condition that keeps the winners of a scan called t.

    NOT IN and no anti-join: that one DuckDB may turn around, and hash all rows to look up a handful. By file name and
    not by file index: that one counts the files that are left after pruning.
    """
    noted = f"SELECT r.filename, r.file_row_number FROM {REPEATS}.{name} AS r"
    return f"(t.filename, t.file_row_number) NOT IN ({noted})"


def delete_losers(cursor: duckdb.DuckDBPyConnection, table: str, key: Sequence[str], columns: Iterable[str]) -> None:
    """Delete them from a table of the engine's, whose rows are in file order."""
    query = _losers(table, key, ("rowid",), columns)
    cursor.execute(f"DELETE FROM {table} WHERE rowid IN ({query})")


def count(cursor: duckdb.DuckDBPyConnection, relation: str) -> int:
    """The number of rows."""
    ((number,),) = cursor.execute(f"SELECT count(*) FROM {relation}").fetchall()
    return int(number)


def _losers(relation: str, key: Sequence[str], row: Sequence[str], columns: Iterable[str]) -> str:
    received = [name for name in columns if name.casefold() == RECEIVED_AT]
    extra = [name for name in received if name not in key]
    return _LOSERS.format(
        relation=relation,
        columns=f"{identifiers((*key, *extra))}, {', '.join(row)}",
        has_key=_has_key(key),
        key=identifiers(key),
        row=", ".join(row),
        order=", ".join((*(f"{identifier(name)} NULLS LAST" for name in received), *row)),
    )


def _has_key(key: Sequence[str]) -> str:
    return " AND ".join(f"{identifier(name)} IS NOT NULL" for name in key)
