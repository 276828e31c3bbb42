"""One statement on one cursor: read-only, only a SELECT, its rows as an Arrow table of the statement's kinds."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from engine.edition import Edition
from engine.failures import of_query
from engine.guard import Guard
from engine.normalise import normalise
from semantic.sql.statement import Statement


def run(
    cursor: duckdb.DuckDBPyConnection, statement: Statement, editions: Sequence[Edition], guard: Guard
) -> pa.Table | None:
    """The rows, all of these editions' versions; None when their files changed before the last of them was read."""
    try:
        table = _select(cursor, statement, editions, guard)
    except duckdb.InterruptException as error:
        raise of_query(error, statement.datasets) from error
    except duckdb.Error as error:  # a file torn while it was read may raise whatever DuckDB can raise
        if _unchanged(editions):
            raise of_query(error, statement.datasets) from error
        return None
    return normalise(table, statement.columns) if _unchanged(editions) else None


def _select(
    cursor: duckdb.DuckDBPyConnection, statement: Statement, editions: Sequence[Edition], guard: Guard
) -> pa.Table:
    path = ",".join(edition.schema for edition in editions)
    cursor.execute(f"SET search_path = '{path}'")
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    guard.check(cursor, statement)
    params = [list(value) if isinstance(value, tuple) else value for value in statement.params]
    return cursor.sql(statement.sql, params=params).to_arrow_table()


def _unchanged(editions: Sequence[Edition]) -> bool:
    return all(edition.unchanged() for edition in editions)
