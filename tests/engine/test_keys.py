"""Rows that repeat a key are one row: the earliest received, else the first in file order. Keys that hold are known."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.errors import DataError
from semantic.model.dataset import Dataset, Relationship, Source, SourceFormat
from semantic.model.model import Model
from tests.engine.support import events, facts_of, model, opened, rows, write

EPOCH = datetime(2026, 1, 1)
ROW = st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 2) | st.none(), st.integers(0, 3) | st.none())
FILES = st.lists(
    st.tuples(st.sampled_from(["2026-01-01", "2026-01-02"]), st.lists(ROW, max_size=6)), min_size=1, max_size=4
)
Row = tuple[str | None, int | None, int | None]


def columns_of(file: list[Row], first_id: int, received: bool) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "k": pa.array([row[0] for row in file], pa.string()),
        "j": pa.array([row[1] for row in file], pa.int64()),
        "id": pa.array(range(first_id, first_id + len(file)), pa.int64()),
    }
    if received:
        times = [None if row[2] is None else EPOCH + timedelta(days=row[2]) for row in file]
        columns["received_at"] = pa.array(times, pa.timestamp("us"))
    return columns


def winners(files: list[tuple[str, list[Row]]], key: tuple[str, ...], received: bool) -> set[int]:
    """The ids that stay, by hand."""
    best: dict[tuple[Any, ...], tuple[float, int]] = {}
    kept = set()
    number = 0
    for _, file in files:
        for k, j, at in file:
            values = tuple({"k": k, "j": j}[name] for name in key)
            rank = (float("inf") if at is None or not received else float(at), number)
            if None in values:
                kept.add(number)
            elif values not in best or rank < best[values]:
                best[values] = rank
            number += 1
    return kept | {number for _, number in best.values()}


def publish(root: Path, files: list[tuple[str, list[Row]]], received: bool, csv: bool) -> None:
    """File order is by path: numbered, whatever the day."""
    number = 0
    for index, (day, file) in enumerate(files):
        path = root / f"events/{index}/day={day}/part.parquet"
        table = pa.table(columns_of(file, number, received))
        number += len(file)
        if csv:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [
                ",".join(table.column_names),
                *(",".join(_text(v) for v in row.values()) for row in table.to_pylist()),
            ]
            path.with_suffix(".csv").write_text("\n".join(lines) + "\n")
        else:
            write(path, table, row_group_size=2)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


@settings(max_examples=20, deadline=None)
@given(FILES, st.sampled_from([("k",), ("k", "j"), ("j", "k")]), st.booleans(), st.booleans())
def test_like_a_loop_by_hand(
    files: list[tuple[str, list[Row]]], key: tuple[str, ...], received: bool, csv: bool
) -> None:
    async def check(root: Path) -> None:
        source = Source("events/**/*.csv", SourceFormat.CSV) if csv else Source("events/**/*.parquet")
        shop = model(Dataset("events", source, primary_key=key))
        expected = winners(files, key, received)
        async with opened(shop, root) as engine:
            facts = (await engine.facts(["events"])).datasets["events"]
            found = await rows(engine, 'SELECT "id", "day" FROM "events"', "id", "day")
            pruned = await rows(engine, 'SELECT "id" FROM "events" WHERE "day" = \'2026-01-02\'', "id")
        assert sorted(number for number, _ in found) == sorted(expected)
        assert {number for (number,) in pruned} == {number for number, day in found if str(day) == "2026-01-02"}
        assert facts.rows == len(expected)
        assert facts.unique_keys == {key}

    with TemporaryDirectory() as folder:
        publish(Path(folder), files, received, csv)
        asyncio.run(check(Path(folder)))


async def test_unique_is_taken_at_its_word(tmp_path: Path) -> None:
    write(tmp_path / "events/a.parquet", {"k": [1, 1]})
    async with opened(model(events(primary_key=("k",), unique=True)), tmp_path) as engine:
        assert await rows(engine, 'SELECT count(*) FROM "events"', "n") == [(2,)]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=4), min_size=2, max_size=5))
def test_added_files_change_nothing_but_what_they_add(files: list[list[int]]) -> None:
    """One engine that sees the files come one by one, and one that sees all of them, agree."""

    async def check(root: Path) -> None:
        shop = model(events(primary_key=("k",)))
        number = 0
        async with opened(shop, root) as engine:
            for index, keys in enumerate(files):
                ids = range(number, number + len(keys))
                write(root / f"events/{index}.parquet", {"k": keys, "id": list(ids)})
                number += len(keys)
                grown = await rows(engine, 'SELECT "k", "id" FROM "events" ORDER BY 2', "k", "id")
                async with opened(shop, root) as fresh:
                    assert grown == await rows(fresh, 'SELECT "k", "id" FROM "events" ORDER BY 2', "k", "id")
                assert len({k for k, _ in grown}) == len(grown)

    with TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder)))


def shop_with_users(**arguments: Any) -> Model:
    users = Dataset("users", Source("users/*.parquet"), **arguments)
    by_mail = Relationship("by_mail", "events", "users", (("mail", "mail"),))
    by_both = Relationship("by_both", "events", "users", (("id", "id"), ("mail", "mail")))
    return model(events(), users, relationships=[by_mail, by_both])


async def test_targets_of_relationships_are_proven(tmp_path: Path) -> None:
    write(tmp_path / "users/1.parquet", {"id": [1, 2, 3], "mail": ["a", "b", None]})
    shop = shop_with_users(primary_key=("id",))
    async with opened(shop, tmp_path) as engine:
        keys = (await engine.facts(["users"])).datasets["users"].unique_keys
        assert keys == {("id",), ("mail",), ("id", "mail")}
        write(tmp_path / "users/2.parquet", {"id": [4], "mail": ["c"]})
        assert (await engine.facts(["users"])).datasets["users"].unique_keys == keys
        write(tmp_path / "users/3.parquet", {"id": [5], "mail": ["a"]})
        assert (await engine.facts(["users"])).datasets["users"].unique_keys == {("id",), ("id", "mail")}
    (tmp_path / "users/3.parquet").unlink()
    write(tmp_path / "users/4.parquet", {"id": [1], "mail": ["a"]})  # the same row once more
    assert (await facts_of(shop, tmp_path, "users")).unique_keys == keys
    assert (await facts_of(shop_with_users(), tmp_path, "users")).unique_keys == set()


async def test_a_key_the_files_do_not_have(tmp_path: Path) -> None:
    write(tmp_path / "events/a.parquet", {"event_id": [1]})
    with pytest.raises(DataError, match='no column "event_ids", which is in its primary key') as caught:
        await facts_of(model(events(primary_key=("event_ids",))), tmp_path)
    assert caught.value.suggestion == 'Did you mean "event_id"?'


async def test_a_column_that_hides_row_numbers_matters_only_when_rows_repeat(tmp_path: Path) -> None:
    shop = model(events(primary_key=("k",)))
    write(tmp_path / "events/a.parquet", {"k": [1, 2], "file_row_number": [7, 7]})
    assert (await facts_of(shop, tmp_path)).rows == 2
    write(tmp_path / "events/a.parquet", {"k": [1, 1], "file_row_number": [7, 7]})
    with pytest.raises(DataError, match='a column called "file_row_number"'):
        await facts_of(shop, tmp_path)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 12), max_size=3)), min_size=2, max_size=5))
def test_replaced_and_removed_files_leave_what_a_fresh_look_finds(steps: list[tuple[int, list[int]]]) -> None:
    """Files are written over one another; an empty one is a deletion."""

    async def check(root: Path) -> None:
        write(root / "events/stays.parquet", {"k": [1, 20], "id": [-1, -2]})
        shop = model(events(primary_key=("k",)))
        number = 0
        async with opened(shop, root) as engine:
            for index, keys in steps:
                path = root / f"events/{index}.parquet"
                if keys:
                    write(path, {"k": keys, "id": list(range(number, number + len(keys)))})
                else:
                    path.unlink(missing_ok=True)
                number += len(keys)
                found = await rows(engine, 'SELECT "k", "id" FROM "events" ORDER BY 2', "k", "id")
                async with opened(shop, root) as fresh:
                    assert found == await rows(fresh, 'SELECT "k", "id" FROM "events" ORDER BY 2', "k", "id")

    with TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder)))
