"""One statement on one cursor: read-only, only a SELECT, its rows as an Arrow table of the statement's kinds."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from engine.edition import Edition
from engine.failures import of_query
from engine.normalise import normalise
from semantic.errors import Code, OurError
from semantic.sql.statement import Statement


def run(cursor: duckdb.DuckDBPyConnection, statement: Statement, editions: Sequence[Edition]) -> pa.Table | None:
    """The rows, all of these editions' versions; None when their files changed before the last of them was read."""
    try:
        table = _select(cursor, statement, editions)
    except duckdb.InterruptException as error:
        raise of_query(error, statement.datasets) from error
    except duckdb.Error as error:  # a file torn while it was read may raise whatever DuckDB can raise
        if _unchanged(editions):
            raise of_query(error, statement.datasets) from error
        return None
    return normalise(table, statement.columns) if _unchanged(editions) else None


def _select(cursor: duckdb.DuckDBPyConnection, statement: Statement, editions: Sequence[Edition]) -> pa.Table:
    path = ",".join(edition.schema for edition in editions)
    cursor.execute(f"SET search_path = '{path}'")
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    parsed = cursor.extract_statements(statement.sql)
    if len(parsed) != 1 or parsed[0].type != duckdb.StatementType.SELECT:
        raise OurError(Code.INTERNAL, "The query failed. The server's log says why.", detail="not one SELECT")
    params = [list(value) if isinstance(value, tuple) else value for value in statement.params]
    return cursor.sql(statement.sql, params=params).to_arrow_table()


def _unchanged(editions: Sequence[Edition]) -> bool:
    return all(edition.unchanged() for edition in editions)
