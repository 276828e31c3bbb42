"""Delta tables, really written and read."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from semantic.errors import DataError
from semantic.model.dataset import Dataset, Source, SourceFormat
from semantic.model.facts import Kind
from tests.engine.support import facts_of, model, opened, rows

TABLE = Dataset("events", Source("events", SourceFormat.DELTA), primary_key=("id",))
SHOP = model(TABLE)


def append(root: Path, columns: dict[str, Any], **arguments: Any) -> None:
    write_deltalake(str(root / "events"), pa.table(columns), mode="append", **arguments)


async def test_versions_partitions_and_removed_files(tmp_path: Path) -> None:
    """A path says less than the table: "7" stays a text, a slash a slash."""
    day = [date(2026, 1, 1), date(2026, 1, 1), None, date(2026, 1, 2)]
    columns = {"id": [1, 2, 3, 4], "day": day, "channel": ["a b", "中", "7", "x/y=z"]}
    append(tmp_path, columns, partition_by=["day", "channel"])
    query = 'SELECT "id", "day", "channel" FROM "events" ORDER BY 1'
    async with opened(SHOP, tmp_path) as engine:
        before = (await engine.facts(["events"])).datasets["events"]
        assert before.columns == {"id": Kind.INTEGER, "channel": Kind.STRING, "day": Kind.DATE}
        expected = list(zip(*columns.values(), strict=True))
        assert await rows(engine, query, "id", "day", "channel") == expected
        append(tmp_path, {"id": [5, 1], "day": [date(2026, 1, 3)] * 2, "channel": ["y", "y"]})
        assert await rows(engine, query, "id", "day", "channel") == [*expected, (5, date(2026, 1, 3), "y")]
        DeltaTable(str(tmp_path / "events")).delete("day = '2026-01-01'")
        assert [found[0] for found in await rows(engine, query, "id", "day", "channel")] == [1, 3, 4, 5]
        assert (await engine.facts(["events"])).datasets["events"].version != before.version


async def test_a_column_that_came_later(tmp_path: Path) -> None:
    append(tmp_path, {"id": [1]})
    append(tmp_path, {"id": [2], "city": ["x"]}, schema_mode="merge")
    async with opened(SHOP, tmp_path) as engine:
        assert await rows(engine, 'SELECT "id", "city" FROM "events" ORDER BY 1', "i", "c") == [(1, None), (2, "x")]


async def test_a_table_made_anew(tmp_path: Path) -> None:
    append(tmp_path, {"id": [1]})
    async with opened(SHOP, tmp_path) as engine:
        assert await rows(engine, 'SELECT "id" FROM "events"', "id") == [(1,)]
        for path in sorted((tmp_path / "events").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        append(tmp_path, {"id": [7]})
        assert await rows(engine, 'SELECT "id" FROM "events"', "id") == [(7,)]


async def test_no_table(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    with pytest.raises(DataError, match='Delta table of "events" can\'t be read') as caught:
        await facts_of(SHOP, tmp_path)
    assert str(tmp_path) not in str(caught.value)


def commit(root: Path, *actions: dict[str, Any]) -> None:
    """A version written by hand."""
    log = root / "events/_delta_log"
    number = len(list(log.glob("*.json")))
    (log / f"{number:020}.json").write_text("\n".join(json.dumps(action) for action in actions))


def protocol(*features: str) -> dict[str, Any]:
    return {
        "protocol": {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": features,
            "writerFeatures": features,
        }
    }


async def test_deletion_vectors_are_refused_where_there_are_any(tmp_path: Path) -> None:
    append(tmp_path, {"id": [1, 2]})
    commit(tmp_path, protocol("deletionVectors"))
    assert (await facts_of(SHOP, tmp_path)).rows == 2
    first = (tmp_path / f"events/_delta_log/{0:020}.json").read_text().splitlines()
    add = next(json.loads(line)["add"] for line in first if '"add"' in line)
    vector = {"storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "offset": 4, "sizeInBytes": 40}
    removal = {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}
    commit(tmp_path, {"remove": removal}, {"add": add | {"deletionVector": vector | {"cardinality": 2}}})
    with pytest.raises(DataError, match="Delta table"):
        await facts_of(SHOP, tmp_path)


async def test_features_that_change_what_files_mean_are_refused(tmp_path: Path) -> None:
    append(tmp_path, {"id": [1, 2]})
    commit(tmp_path, protocol("timestampNtz", "typeWidening"))
    with pytest.raises(DataError, match="uses typeWidening, which can't be read"):
        await facts_of(SHOP, tmp_path)


async def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(tmp_path, {"id": [1, 2]})
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(DataError, match=r"needs the package deltalake\. Install it: pip install 'headwater\[delta\]'"):
        await facts_of(SHOP, tmp_path)
