"""CSV files: read once per version into a table, types guessed, files that differ fitted together."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from semantic.errors import DataError
from semantic.model.dataset import Dataset, Source, SourceFormat
from semantic.model.facts import Bounds, Kind
from semantic.model.model import Model
from tests.engine.support import facts_of, model, opened, rows


def shop(path: str = "spend/**/*.csv", **arguments: object) -> Model:
    return model(Dataset("spend", Source(path, SourceFormat.CSV), time_dimension="day", **arguments))  # type: ignore[arg-type]


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


async def everything(root: Path, data: Model, *names: str) -> list[tuple[object, ...]]:
    async with opened(data, root) as engine:
        columns = ", ".join(f'"{name}"' for name in names)
        return await rows(engine, f'SELECT {columns} FROM "spend"', *names, datasets=("spend",))


async def test_types_are_guessed(tmp_path: Path) -> None:
    write(tmp_path / "spend/a.csv", "day,campaign,cost,clicks", "2026-01-01,春节,1.50,3", "2026-01-02,,2.5,")
    facts = await facts_of(shop(), tmp_path, "spend")
    assert facts.columns == {
        "day": Kind.DATE,
        "campaign": Kind.STRING,
        "cost": Kind.FLOAT,
        "clicks": Kind.INTEGER,
    }
    assert (facts.rows, facts.bounds) == (2, {"day": Bounds(date(2026, 1, 1), date(2026, 1, 2))})
    found = await everything(tmp_path, shop(), "campaign", "clicks")
    assert found == [("春节", 3), (None, None)]


async def test_partitions_order_and_compressed_files(tmp_path: Path) -> None:
    write(tmp_path / "spend/channel=ads/a.csv", "day,cost", "2026-01-02,2", "2026-01-01,1")
    (tmp_path / "spend/channel=search").mkdir()
    with gzip.open(tmp_path / "spend/channel=search/b.csv.gz", "wt") as file:
        file.write("day,cost\n2026-01-03,3\n")
    assert await everything(tmp_path, shop("spend/**/*.csv*"), "cost", "channel") == [
        (2, "ads"),
        (1, "ads"),
        (3, "search"),
    ]


async def test_a_column_that_is_empty_in_one_file_keeps_its_type(tmp_path: Path) -> None:
    write(tmp_path / "spend/1.csv", "day,cost,city", "2026-01-01,,x")
    write(tmp_path / "spend/2.csv", "city,day,cost", "y,2026-01-02,2.5")
    write(tmp_path / "spend/3.csv", "day,cost", "2026-01-03,3")
    facts = await facts_of(shop(), tmp_path, "spend")
    assert facts.columns == {"day": Kind.DATE, "cost": Kind.FLOAT, "city": Kind.STRING}
    assert '1 of 3 files of "spend" have no column "city": it is null in their rows.' in facts.warnings
    assert await everything(tmp_path, shop(), "cost", "city") == [(None, "x"), (2.5, "y"), (3.0, None)]


async def test_a_column_that_is_text_in_one_file_is_text(tmp_path: Path) -> None:
    write(tmp_path / "spend/1.csv", "day,code", "2026-01-01,12")
    write(tmp_path / "spend/2.csv", "day,code", "2026-01-02,A7")
    assert await everything(tmp_path, shop(), "code") == [("12",), ("A7",)]


async def test_a_value_far_down_that_does_not_fit_the_first_ones(tmp_path: Path) -> None:
    lines = [f"2026-01-01,{index}" for index in range(30_000)]
    write(tmp_path / "spend/1.csv", "day,code", *lines, "2026-01-01,A7")
    assert (await facts_of(shop(), tmp_path, "spend")).columns["code"] is Kind.STRING
    assert (await everything(tmp_path, shop(), "code"))[-1] == ("A7",)


async def test_only_a_header_and_nothing_at_all(tmp_path: Path) -> None:
    write(tmp_path / "spend/1.csv", "day,cost")
    assert list((await facts_of(shop(), tmp_path, "spend")).columns) == ["day", "cost"]
    (tmp_path / "spend/1.csv").write_text("")
    with pytest.raises(DataError, match='A file of "spend" is empty'):
        await facts_of(shop(), tmp_path, "spend")


async def test_quotes_and_semicolons(tmp_path: Path) -> None:
    write(tmp_path / "spend/1.csv", "day;text", '2026-01-01;"a;b ""c"""', "2026-01-02;'x")
    assert await everything(tmp_path, shop(), "text") == [('a;b "c"',), ("'x",)]


async def test_rows_that_repeat_a_key(tmp_path: Path) -> None:
    write(tmp_path / "spend/1.csv", "day,id,received_at", "2026-01-01,1,2026-01-05", "2026-01-01,2,2026-01-05")
    write(tmp_path / "spend/2.csv", "day,id,received_at", "2026-01-02,1,2026-01-04", "2026-01-02,,2026-01-04")
    found = await everything(tmp_path, shop(primary_key=("id",)), "day", "id")
    assert found == [(date(2026, 1, 1), 2), (date(2026, 1, 2), 1), (date(2026, 1, 2), None)]
