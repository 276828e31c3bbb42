"""A model and its tables as plain values: what a contract case holds, and what random tests draw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from semantic.load import load_texts
from semantic.model.model import Model
from tests.reference.rows import Row

_ARROW: Mapping[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "DECIMAL(12,2)": pa.decimal128(12, 2),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with their SQL types, rows in file order, and the row numbers at which a new file begins."""

    columns: dict[str, str]
    rows: list[Row]
    cuts: tuple[int, ...] = ()

    @property
    def files(self) -> list[list[Row]]:
        """The rows of each file, in the order of the files' names."""
        edges = [0, *sorted(cut for cut in self.cuts if cut <= len(self.rows)), len(self.rows)]
        return [self.rows[begin:end] for begin, end in pairwise(edges)]

    def arrow(self, rows: list[Row]) -> pa.Table:
        """Rows with the columns' types."""
        schema = pa.schema([(name, _ARROW[kind]) for name, kind in self.columns.items()])
        return pa.Table.from_pylist(rows, schema=schema)

    def write(self, folder: Path) -> None:
        """Its Parquet files: part-000.parquet and so on."""
        folder.mkdir(parents=True, exist_ok=True)
        for number, rows in enumerate(self.files):
            pq.write_table(self.arrow(rows), folder / f"part-{number:03}.parquet")


@dataclass(frozen=True, slots=True)
class World:
    """The model as its YAML would be, and the tables by dataset."""

    document: dict[str, Any]
    tables: dict[str, Table] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The model's text (JSON is YAML)."""
        return json.dumps(self.document, ensure_ascii=False, indent=1, default=str)

    def model(self) -> Model:
        return load_texts({"model.yml": self.text})

    @property
    def rows(self) -> dict[str, list[Row]]:
        return {name: table.rows for name, table in self.tables.items()}

    def write(self, folder: Path) -> None:
        """The model file and, beside it, every table's files."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.yml").write_text(self.text, encoding="utf-8")
        for name, table in self.tables.items():
            table.write(folder / "data" / name)


def typed(value: Any, kind: str) -> Any:
    """A cell of a contract case as a Python value of its column's type."""
    if value is None:
        return None
    match kind:
        case "DATE":
            return date.fromisoformat(value)
        case "TIMESTAMP":
            return datetime.fromisoformat(value)
        case "TIMESTAMP WITH TIME ZONE" | "TIMESTAMPTZ":
            return datetime.fromisoformat(value).astimezone(UTC)
        case "DOUBLE":
            return float(value)
        case "DECIMAL(12,2)":
            return Decimal(value)
    return value


def of_case(case: Mapping[str, Any]) -> World:
    """A contract case's model and tables."""
    tables = {}
    for name, table in case["tables"].items():
        kinds = table["columns"]
        rows = [
            {column: typed(value, kind) for (column, kind), value in zip(kinds.items(), row, strict=True)}
            for row in table["rows"]
        ]
        tables[name] = Table(kinds, rows)
    return World(case["model"], tables)
