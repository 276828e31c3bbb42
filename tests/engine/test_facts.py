"""What is found out about files: columns and kinds, partitions, bounds, how files of different columns fit together."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from engine import inspect
from semantic.errors import Code, DataError
from semantic.model.dataset import Dataset, Source, SourceFormat
from semantic.model.facts import Bounds, Kind
from tests.engine.support import NOW, count_metric, events, facts_of, model, opened, rows, write


async def test_every_type_has_a_kind(tmp_path: Path) -> None:
    columns = {
        "i8": pa.array([1], pa.int8()),
        "u64": pa.array([2**64 - 1], pa.uint64()),
        "dec": pa.array([Decimal("1.25")], pa.decimal128(12, 2)),
        "f32": pa.array([1.5], pa.float32()),
        "f64": [1.5],
        "text": ["a"],
        "enum": pa.array(["a"]).dictionary_encode(),
        "flag": [True],
        "day": [date(2026, 1, 1)],
        "ms": pa.array([datetime(2026, 1, 1)], pa.timestamp("ms")),
        "us": pa.array([datetime(2026, 1, 1)], pa.timestamp("us")),
        "ns": pa.array([datetime(2026, 1, 1)], pa.timestamp("ns")),
        "tz": pa.array([datetime(2026, 1, 1, tzinfo=UTC)], pa.timestamp("us", tz="Asia/Shanghai")),
        "tzns": pa.array([0], pa.timestamp("ns", tz="UTC")),
        "clock": [time(1, 2)],
        "list": [[1, 2]],
        "struct": [{"a": 1}],
        "bytes": [b"x"],
    }
    write(tmp_path / "events/a.parquet", columns)
    facts = await facts_of(model(events()), tmp_path)
    assert list(facts.columns) == list(columns)
    assert [kind.value for kind in facts.columns.values()] == [
        *("integer", "integer", "decimal", "float", "float", "string", "string", "boolean", "date"),
        *("timestamp", "timestamp", "timestamp", "timestamptz", "timestamptz", "other", "other", "other", "other"),
    ]
    assert facts.rows == 1


async def test_hive_partitions_are_columns(tmp_path: Path) -> None:
    for day, channel in (("2026-01-01", "a%20b"), ("2026-01-02", "搜索"), ("2026-01-03", "__HIVE_DEFAULT_PARTITION__")):
        write(tmp_path / f"events/day={day}/channel={channel}/part.parquet", {"n": [1]})
    async with opened(model(events()), tmp_path) as engine:
        facts = (await engine.facts(["events"])).datasets["events"]
        assert facts.columns == {"n": Kind.INTEGER, "channel": Kind.STRING, "day": Kind.DATE}
        found = await rows(engine, 'SELECT "day", "channel" FROM "events" ORDER BY 1', "day", "channel")
    assert found == [(date(2026, 1, 1), "a b"), (date(2026, 1, 2), "搜索"), (date(2026, 1, 3), None)]


async def test_folders_above_the_source_are_no_partitions(tmp_path: Path) -> None:
    root = tmp_path / "customer=7"
    write(root / "events/day=2026-01-01/part.parquet", {"n": [1]})
    write(root / "plain/part.parquet", {"n": [1]})
    assert list((await facts_of(model(events()), root)).columns) == ["n", "day"]
    assert list((await facts_of(model(events("plain/*.parquet")), root)).columns) == ["n"]


async def test_files_partitioned_in_different_ways_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "events/day=2026-01-01/part.parquet", {"n": [1]})
    write(tmp_path / "events/part.parquet", {"n": [1]})
    with pytest.raises(DataError, match="partitioned in different ways: by day, not at all") as caught:
        await facts_of(model(events()), tmp_path)
    assert str(tmp_path) not in str(caught.value)


async def test_odd_file_names_stand_for_themselves(tmp_path: Path) -> None:
    names = ("part[1]", "part1", "p*", "p?", "it's", "{a}", "中 文")
    for name in names:
        write(tmp_path / f"events/{name}.parquet", {"name": [name]})
    async with opened(model(events()), tmp_path) as engine:
        assert {name for (name,) in await rows(engine, 'SELECT "name" FROM "events"', "name")} == set(names)


async def test_unfinished_and_hidden_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "events/a.parquet", {"n": [1]})
    write(tmp_path / "events/_temporary/0/b.parquet", {"n": [2]})
    write(tmp_path / "events/.staging/c.parquet", {"n": [3]})
    write(tmp_path / "events/_d.parquet", {"n": [4]})
    assert (await facts_of(model(events()), tmp_path)).rows == 1
    assert (await facts_of(model(events("events/_*.parquet")), tmp_path)).rows == 1


async def test_one_file_without_wildcards_through_a_link(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/real.parquet", {"n": [1, 2]})
    (tmp_path / "root").mkdir()
    (tmp_path / "root/users.parquet").symlink_to(tmp_path / "elsewhere/real.parquet")
    (tmp_path / "root/data").symlink_to(tmp_path / "elsewhere")
    for path in ("users.parquet", "data/*.parquet"):
        async with opened(model(events(path)), tmp_path / "root") as engine:
            assert await rows(engine, 'SELECT count(*) FROM "events"', "n") == [(2,)]


async def test_an_empty_file_is_fine_and_no_file_is_not(tmp_path: Path) -> None:
    write(tmp_path / "events/a.parquet", {"n": pa.array([], pa.int64()), "at": pa.array([], pa.timestamp("us"))})
    facts = await facts_of(model(events(time_dimension="at", primary_key=("n",))), tmp_path)
    assert (facts.rows, dict(facts.bounds), set(facts.unique_keys)) == (0, {}, {("n",)})
    with pytest.raises(DataError, match='no data for "events": no file matches its source') as caught:
        await facts_of(model(events("nothing/*.parquet")), tmp_path)
    assert caught.value.code is Code.DATA_ERROR
    assert str(tmp_path) not in str(caught.value)
    assert "nothing/*.parquet" in caught.value.detail
    with pytest.raises(DataError, match="is a folder"):
        await facts_of(model(events("events")), tmp_path)


async def test_a_missing_column_is_null_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path / "events/1.parquet", {"n": [1], "city": ["x"]})
    write(tmp_path / "events/2.parquet", {"extra": [True], "n": [2]})
    async with opened(model(events()), tmp_path) as engine:
        facts = (await engine.facts(["events"])).datasets["events"]
        found = await rows(engine, 'SELECT "n", "city", "extra" FROM "events" ORDER BY 1', "n", "city", "extra")
    assert list(facts.columns) == ["n", "city", "extra"]
    assert facts.warnings == (
        '1 of 2 files of "events" have no column "city": it is null in their rows.',
        '1 of 2 files of "events" have no column "extra": it is null in their rows.',
    )
    assert found == [(1, "x", None), (2, None, True)]


async def test_another_order_or_spelling_of_columns_is_no_difference(tmp_path: Path) -> None:
    write(tmp_path / "events/1.parquet", {"n": [1], "City": ["x"]})
    write(tmp_path / "events/2.parquet", {"city": ["y"], "n": [2]})
    async with opened(model(events()), tmp_path) as engine:
        facts = (await engine.facts(["events"])).datasets["events"]
        assert await rows(engine, 'SELECT "n", "City" FROM "events" ORDER BY 1', "n", "c") == [(1, "x"), (2, "y")]
    assert (list(facts.columns), facts.warnings) == (["n", "City"], ())


@pytest.mark.parametrize(
    ("first", "second", "kind", "warned"),
    [
        (pa.array([5], pa.int32()), pa.array([2**40]), Kind.INTEGER, False),
        (pa.array([5]), pa.array([0.5]), Kind.FLOAT, True),
        (pa.array([Decimal("1.5")], pa.decimal128(4, 1)), pa.array([2]), Kind.DECIMAL, True),
        (pa.array([None], pa.null()), pa.array(["x"]), Kind.STRING, False),
        (pa.array([None], pa.null()), pa.array([date(2026, 1, 1)]), Kind.DATE, False),
        (pa.array(["a"]).dictionary_encode(), pa.array(["b"]), Kind.STRING, False),
    ],
)
async def test_types_that_fit_together(
    tmp_path: Path, first: pa.Array, second: pa.Array, kind: Kind, warned: bool
) -> None:
    write(tmp_path / "events/1.parquet", {"v": first})
    write(tmp_path / "events/2.parquet", {"v": second})
    async with opened(model(events()), tmp_path) as engine:
        facts = (await engine.facts(["events"])).datasets["events"]
        found = await rows(engine, 'SELECT "v" FROM "events"', "v")
    assert (facts.columns["v"], bool(facts.warnings)) == (kind, warned)
    assert [value for (value,) in found] == [*first.to_pylist(), *second.to_pylist()]


@pytest.mark.parametrize(
    ("first", "second", "types"),
    [
        (pa.array([1]), pa.array(["x"]), "BIGINT and VARCHAR"),
        (pa.array([date(2026, 1, 1)]), pa.array([datetime(2026, 1, 1)]), "DATE and TIMESTAMP"),
        (
            pa.array([datetime(2026, 1, 1)], pa.timestamp("us")),
            pa.array([datetime(2026, 1, 1)], pa.timestamp("us", tz="UTC")),
            "TIMESTAMP and TIMESTAMP WITH TIME ZONE",
        ),
        (pa.array([True]), pa.array([1]), "BOOLEAN and BIGINT"),
        (pa.array([{"a": 1}]), pa.array([{"a": "x"}]), r"STRUCT\(a BIGINT\) and STRUCT\(a VARCHAR\)"),
    ],
)
async def test_types_that_do_not(tmp_path: Path, first: pa.Array, second: pa.Array, types: str) -> None:
    write(tmp_path / "events/1.parquet", {"v": first})
    write(tmp_path / "events/2.parquet", {"v": second})
    with pytest.raises(DataError, match=f'Column "v" of "events" is {types} in different files'):
        await facts_of(model(events()), tmp_path)


async def test_a_broken_file_is_a_data_error_without_its_path(tmp_path: Path) -> None:
    write(tmp_path / "events/1.parquet", {"n": [1]})
    (tmp_path / "events/2.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(DataError, match='data of "events" can\'t be read') as caught:
        await facts_of(model(events()), tmp_path)
    assert str(tmp_path) not in str(caught.value)
    assert "2.parquet" in caught.value.detail


async def test_bounds_of_every_time_column_that_is_used(tmp_path: Path) -> None:
    columns = {
        "at": pa.array([datetime(2026, 3, 1, 5), datetime(2026, 1, 1), None], pa.timestamp("us")),
        "day": [date(2026, 2, 2), None, date(2026, 2, 3)],
        "tz": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 3, pa.timestamp("us", tz="Asia/Shanghai")),
        "ns": pa.array([1_767_225_600_000_000_001] * 3, pa.timestamp("ns")),
        "never": pa.array([None] * 3, pa.timestamp("us")),
        "text": ["2026-01-01"] * 3,
        "unused": pa.array([datetime(2026, 3, 1)] * 3, pa.timestamp("us")),
    }
    write(tmp_path / "events/a.parquet", columns)
    metrics = [count_metric("events", name) for name in ("day", "tz", "ns", "never", "text", "absent")]
    facts = await facts_of(model(events(time_dimension="at"), metrics=metrics), tmp_path)
    assert facts.bounds == {
        "at": Bounds(datetime(2026, 1, 1), datetime(2026, 3, 1, 5)),
        "day": Bounds(date(2026, 2, 2), date(2026, 2, 3)),
        "tz": Bounds(datetime(2026, 1, 1), datetime(2026, 1, 1)),
        "ns": Bounds(datetime(2026, 1, 1), datetime(2026, 1, 1)),
    }


@pytest.mark.parametrize(
    ("zone", "wall", "first", "last"),
    [
        ("Asia/Shanghai", datetime(2026, 3, 1, 8), datetime(2026, 3, 1), datetime(2026, 3, 1)),
        # shown twice: either reading may be meant
        ("Europe/Berlin", datetime(2026, 10, 25, 2, 30), datetime(2026, 10, 25, 0, 30), datetime(2026, 10, 25, 1, 30)),
        # skipped
        ("Europe/Berlin", datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 0, 30), datetime(2026, 3, 29, 1, 30)),
    ],
)
async def test_bounds_of_local_times_are_instants(
    tmp_path: Path, zone: str, wall: datetime, first: datetime, last: datetime
) -> None:
    write(tmp_path / "events/a.parquet", {"at": pa.array([wall], pa.timestamp("us"))})
    facts = await facts_of(model(events(time_dimension="at", timezone=zone)), tmp_path)
    assert facts.bounds == {"at": Bounds(first, last)}


async def test_infinite_times_are_no_bounds(tmp_path: Path) -> None:
    far = pa.array([2**63 - 1, 0, -(2**63 - 1)], pa.int64()).cast(pa.timestamp("us"))
    write(tmp_path / "events/a.parquet", {"at": far})
    facts = await facts_of(model(events(time_dimension="at", timezone="Asia/Shanghai")), tmp_path)
    assert facts.bounds == {"at": Bounds(datetime(1969, 12, 31, 16), datetime(1969, 12, 31, 16))}
    assert facts.beyond == {"at"}


async def test_versions_follow_the_files_and_tell_no_path(tmp_path: Path) -> None:
    write(tmp_path / "events/a.parquet", {"n": [1]})
    shop = model(events(), Dataset("users", Source("users.parquet")))
    write(tmp_path / "users.parquet", {"id": [1]})
    async with opened(shop, tmp_path) as engine:
        both = await engine.facts(["events", "users"])
        assert (await engine.facts(["users", "events"])).version == both.version
        write(tmp_path / "events/b.parquet", {"n": [1]})
        after = await engine.facts(["events", "users"])
    assert both.version != after.version
    assert both.datasets["events"].version != after.datasets["events"].version
    assert both.datasets["users"] is after.datasets["users"]


async def test_facts_are_of_the_datasets_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "events/a.parquet", {"n": [1]})
    async with opened(model(events(), Dataset("gone", Source("gone.parquet"))), tmp_path) as engine:
        assert list((await engine.facts(["events"])).datasets) == ["events"]
        assert dict((await engine.facts([])).datasets) == {}
        with pytest.raises(DataError, match='no data for "gone"'):
            await engine.facts(["events", "gone"])


def test_inspect_hides_nothing_behind_a_broken_dataset(tmp_path: Path) -> None:
    write(tmp_path / "events/a.parquet", {"n": [1, 1], "at": pa.array([datetime(2026, 1, 1)] * 2)})
    (tmp_path / "bad.parquet").write_bytes(b"x")
    (tmp_path / "spend.csv").write_text("day,cost\n2026-01-01,1.5\n")
    shop = model(
        Dataset("bad", Source("bad.parquet")),
        Dataset("gone", Source("gone.parquet")),
        events(primary_key=("n",), time_dimension="at"),
        Dataset("spend", Source("spend.csv", SourceFormat.CSV)),
    )
    found = inspect(shop, tmp_path, NOW)
    assert set(found.errors) == {"bad", "gone"}
    assert {name: dict(facts.columns) for name, facts in found.datasets.items()} == {
        "events": {"n": Kind.INTEGER, "at": Kind.TIMESTAMP},
        "spend": {"day": Kind.DATE, "cost": Kind.FLOAT},
    }
