"""Iceberg tables, really written and read."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record

from semantic.errors import DataError
from semantic.model.dataset import Dataset, Source, SourceFormat
from semantic.model.facts import Kind
from semantic.model.model import Model
from tests.engine.support import facts_of, model, opened, rows

SCHEMA = pa.schema([("id", pa.int64()), ("day", pa.date32()), ("city", pa.string())])


def shop(path: str = "shop/events", **arguments: Any) -> Model:
    return model(Dataset("events", Source(path, SourceFormat.ICEBERG), **arguments))


@pytest.fixture
def table(tmp_path: Path) -> Table:
    catalog = SqlCatalog("test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}")
    catalog.create_namespace("shop")
    return catalog.create_table("shop.events", schema=SCHEMA)


def some(*ids: int, city: str | None = "x") -> pa.Table:
    return pa.table({"id": ids, "day": [date(2026, 1, 1)] * len(ids), "city": [city] * len(ids)}, schema=SCHEMA)


async def test_snapshots(tmp_path: Path, table: Table) -> None:
    table.append(some(1, 2))
    async with opened(shop(primary_key=("id",), time_dimension="day"), tmp_path) as engine:
        before = (await engine.facts(["events"])).datasets["events"]
        assert before.columns == {"id": Kind.INTEGER, "day": Kind.DATE, "city": Kind.STRING}
        assert (before.rows, before.bounds["day"].last) == (2, date(2026, 1, 1))
        table.append(some(2, 3))
        query = 'SELECT "id" FROM "events" ORDER BY 1'
        assert await rows(engine, query, "id") == [(1,), (2,), (3,)]
        table.delete("id = 1")  # copies on write
        assert await rows(engine, query, "id") == [(2,), (3,)]
        assert (await engine.facts(["events"])).datasets["events"].version != before.version


async def test_columns_that_were_renamed_added_dropped_and_widened(tmp_path: Path, table: Table) -> None:
    table.append(some(1))
    with table.update_schema(allow_incompatible_changes=True) as change:
        change.rename_column("city", "town")
        change.delete_column("day")
    with table.update_schema() as change:
        change.add_column("day", table.schema().find_type("town"))  # another column of an old name
    table.append(pa.table({"id": [2], "town": ["y"], "day": ["monday"]}))
    async with opened(shop(), tmp_path) as engine:
        found = await rows(engine, 'SELECT "id", "town", "day" FROM "events" ORDER BY 1', "id", "town", "day")
    assert found == [(1, "x", None), (2, "y", "monday")]


async def test_partitions(tmp_path: Path, table: Table) -> None:
    with table.update_spec() as change:
        change.add_field("city", IdentityTransform(), "city")
    table.append(pa.concat_tables([some(1, city="a=b/c"), some(2, city=None)]))
    async with opened(shop(), tmp_path) as engine:
        found = await rows(engine, 'SELECT "id", "city" FROM "events" ORDER BY 1', "id", "city")
    assert found == [(1, "a=b/c"), (2, None)]


async def test_nested_columns_are_left_out_with_a_warning(tmp_path: Path) -> None:
    catalog = SqlCatalog("test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}")
    catalog.create_namespace("shop")
    nested = pa.table({"id": [1], "tags": [["a"]], "amount": pa.array([1], pa.decimal128(9, 2))})
    catalog.create_table("shop.events", schema=nested.schema).append(nested)
    facts = await facts_of(shop(), tmp_path)
    assert facts.columns == {"id": Kind.INTEGER, "amount": Kind.DECIMAL}
    assert facts.warnings == ('Column "tags" of "events" is nested and left out.',)


async def test_a_file_of_metadata_is_one_snapshot(tmp_path: Path, table: Table) -> None:
    table.append(some(1))
    one = table.metadata_location.removeprefix(f"file://{tmp_path}/")
    table.append(some(2))
    assert (await facts_of(shop(), tmp_path)).rows == 2
    assert (await facts_of(shop(one), tmp_path)).rows == 1


def data_file(path: Path, content: DataFileContent) -> DataFile:
    return DataFile.from_args(
        content=content,
        file_path=f"file://{path}",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=1,
        file_size_in_bytes=path.stat().st_size,
        spec_id=0,
    )


@pytest.mark.parametrize("content", [DataFileContent.POSITION_DELETES, DataFileContent.EQUALITY_DELETES])
async def test_deleted_rows_are_refused(tmp_path: Path, table: Table, content: DataFileContent) -> None:
    table.append(some(1, 2))
    deletes = tmp_path / "shop/events/data/deletes.parquet"
    pq.write_table(pa.table({"file_path": ["x"], "pos": [0]}), deletes)
    with table.transaction() as change, change.update_snapshot().fast_append() as append:
        append.append_data_file(data_file(deletes, content))
    with pytest.raises(DataError, match="has deleted rows in its files"):
        await facts_of(shop(), tmp_path)


async def test_files_without_field_ids_are_refused(tmp_path: Path, table: Table) -> None:
    path = tmp_path / "shop/events/data/elsewhere.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(some(1), path)
    table.add_files([str(path)])
    with pytest.raises(DataError, match="don't say which columns they hold") as caught:
        await facts_of(shop(), tmp_path)
    assert str(tmp_path) not in str(caught.value)


async def test_no_table_and_no_rows(tmp_path: Path, table: Table) -> None:
    with pytest.raises(DataError, match="has no file"):
        await facts_of(shop(), tmp_path)
    with pytest.raises(DataError, match="its source is no Iceberg table"):
        await facts_of(shop("nothing"), tmp_path)


async def test_without_the_package(tmp_path: Path, table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyiceberg.table", None)
    with pytest.raises(
        DataError, match=r"needs the package pyiceberg\. Install it: pip install 'headwater\[iceberg\]'"
    ):
        await facts_of(shop(), tmp_path)
