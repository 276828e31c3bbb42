"""A Spark Connect session as the tests use it: tables in, statements run, rows out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.normalise import normalise
from semantic.sql.statement import Statement
from tests.reference.rows import Row
from tests.reference.world import Table


@dataclass(frozen=True)
class Session:
    """`engine`: `spark` or `sail`."""

    session: Any
    engine: str

    def __post_init__(self) -> None:
        self.session.conf.set("spark.sql.session.timeZone", "UTC")

    def tables(self, tables: Mapping[str, Table], folder: Path) -> None:
        """Write tables as Parquet and name them, in place of those of the same names."""
        for name, table in tables.items():
            table.write(folder / name)
            self.session.read.parquet(str(folder / name)).createOrReplaceTempView(name)

    def run(self, statement: Statement) -> list[Row]:
        """The rows of a statement."""
        args = [list(value) if isinstance(value, tuple) else value for value in statement.params]
        frame = self.session.sql(statement.sql, args=args)
        found: list[Row] = normalise(self._table(frame), statement.columns).to_pylist()
        return found

    def value(self, sql: str, row: str) -> Any:
        """One expression over one row."""
        return self.session.sql(f"SELECT {sql} AS x FROM ({row}) AS t").toArrow().to_pylist()[0]["x"]

    def _table(self, frame: Any) -> Any:
        """Sail names the type of a column after the first member of a union, NULL as it may be, and sends the right
        type all the same: the client's cast to what was named has to be passed by.
        """
        if self.engine == "sail":
            table, _schema = frame._to_table()
            return table
        return frame.toArrow()
