"""Tables in a DuckDB database of their own, for statements to run in without an engine around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb

from engine.bounds import read_times
from engine.functions import register
from engine.kinds import LONGS, kind_of
from engine.needs import needs_of
from engine.normalise import normalise
from engine.quote import identifier
from semantic.model.facts import DatasetFacts, Facts
from semantic.model.model import Model
from semantic.sql.statement import Statement
from tests.reference.rows import Row
from tests.reference.world import Table


class Database:
    """One table for each dataset, of its name, with every row that the files have."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]) -> None:
        self._connection = connection
        for name, table in tables.items():
            connection.register("rows", table.arrow(table.rows))
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM rows')
            connection.unregister("rows")

    def facts(self, model: Model) -> Facts:
        """What is true of the tables: of their keys, only what the rows prove."""
        return Facts("1", {name: self._facts(model, name) for name in model.stored})

    def _facts(self, model: Model, name: str) -> DatasetFacts:
        described = [(column, kind) for column, kind, *_ in self._connection.execute(f'DESCRIBE "{name}"').fetchall()]
        columns = {column: kind_of(kind) for column, kind in described}
        dataset = model.datasets[name]
        needs = needs_of(model, dataset)
        keys = {key for key in (dataset.primary_key, *needs.targets) if key}
        timed = {column: columns[column] for column in needs.times}
        times = read_times(self._connection.cursor(), f'"{name}"', timed, dataset.timezone)
        return DatasetFacts(
            version="1",
            columns=columns,
            bounds=times.bounds,
            beyond=times.beyond,
            unique_keys=frozenset(key for key in keys if self._is_unique(name, key)),
            longs=frozenset(column for column, kind in described if kind in LONGS),
        )

    def _is_unique(self, name: str, key: tuple[str, ...]) -> bool:
        columns = ", ".join(map(identifier, key))
        known = " AND ".join(f"{identifier(column)} IS NOT NULL" for column in key)
        query = f'SELECT 1 FROM "{name}" WHERE {known} GROUP BY {columns} HAVING count(*) > 1'
        return not self._connection.execute(query).fetchall()

    def run(self, statement: Statement) -> list[Row]:
        """The rows of a statement, as an engine would give them."""
        params: list[Any] = [list(value) if isinstance(value, tuple) else value for value in statement.params]
        table = self._connection.sql(statement.sql, params=params).to_arrow_table()
        found: list[Row] = normalise(table, statement.columns).to_pylist()
        return found


@contextmanager
def database(tables: Mapping[str, Table]) -> Iterator[Database]:
    """A database of these tables, for as long as the block runs."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        register(connection)
        yield Database(connection, tables)
