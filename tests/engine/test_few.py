"""Columns of few values: which they are, whatever files come and go, and that nobody waits for them."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.sql import SqlCatalog

from engine import few
from engine.aside import Aside, OutOfTime
from engine.cached import Cached
from engine.edition import Edition
from engine.few import Group
from engine.files import Stamp
from engine.needs import needs_of
from engine.opening import open_duckdb, open_engine
from semantic.model.dataset import Dataset, Dimension, DimensionType, Source, SourceFormat
from semantic.model.expression import Expression, Ref
from semantic.model.facts import FEW, Facts, Kind, Value
from semantic.model.identity import Identity
from semantic.model.model import Model
from semantic.model.money import Currency, Rates
from semantic.sql.statement import Statement
from tests.engine.support import NOW, events, learned, model, plain, rows, settled, statement, write


def split(*columns: str, **arguments: Any) -> Model:
    return model(events(dimensions=tuple(plain(column) for column in columns), **arguments))


@asynccontextmanager
async def opened(shop: Model, root: Path) -> Any:
    engine = open_duckdb(shop, root, NOW)
    try:
        yield engine
    finally:
        await engine.close()


async def values_of(shop: Model, root: Path) -> Mapping[str, tuple[Value, ...]]:
    async with opened(shop, root) as engine:
        return (await learned(engine)).values


async def test_values_are_sorted_and_without_null(tmp_path: Path) -> None:
    columns = {
        "channel": ["搜索", None, "", "b", "ä", "b", "𝒳"],
        "level": [3, 1, None, 3, 2**62, -1, 1],
        "vip": [True, None, None, True, None, None, None],
        "never": pa.array([None] * 7, pa.string()),
        "price": [1.5] * 7,
        "day": [date(2026, 1, 1)] * 7,
        "huge": pa.array([2**63] * 7, pa.uint64()),
        "unused": ["x"] * 7,
    }
    write(tmp_path / "events/a.parquet", columns)
    made = Dimension("upper", DimensionType.STRING, Expression('upper("unused")', (Ref((), "unused"),)))
    names = ("channel", "level", "never", "price", "day", "huge", "gone")
    dimensions = (*(plain(name) for name in names), plain("is_vip", "vip"), made)
    assert await values_of(model(events(dimensions=dimensions)), tmp_path) == {
        "channel": ("", "b", "ä", "搜索", "𝒳"),
        "level": (-1, 1, 3, 2**62),
        "vip": (False, True),
        "never": (),
    }


def test_columns_that_are_read_as_something_else_are_not_looked_at() -> None:
    made = Expression('"id"', (Ref((), "id"),))
    users = Dataset("users", Source("users.parquet"))
    currency = Currency("currency", ("cost",), Rates("rates", "currency", "rate"))
    dimensions = tuple(plain(name) for name in ("id", "visitor", "cost", "channel", "made"))
    dataset = events(
        dimensions=dimensions,
        entities=(("user", "id"), ("visitor", "visitor")),
        currency=currency,
        computed=(("made", made),),
    )
    rates = Dataset("rates", Source("rates.csv"), time_dimension="day")
    shop = replace(model(dataset, users, rates), identities={"user": Identity("user", "users", "anonymous_id", "id")})
    assert needs_of(shop, dataset).splits == ("visitor", "channel")


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ([f"{n}" for n in range(FEW)] * 2 + [None], True),
        ([f"{n}" for n in range(FEW + 1)], False),
        ([*range(FEW), None], True),
        ([None, *range(FEW + 1)], False),
        (["x" * few.LONGEST], True),
        (["x" * (few.LONGEST + 1)], False),
    ],
)
async def test_what_is_few(tmp_path: Path, values: list[Any], known: bool) -> None:
    write(tmp_path / "events/a.parquet", {"v": values})
    found = await values_of(split("v"), tmp_path)
    assert dict(found) == ({"v": tuple(sorted(set(values) - {None}))} if known else {})


async def test_many_values_are_counted_over_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few, "PIECE", 40)
    write(tmp_path / "events/a.parquet", {"v": range(40), "w": [1] * 40})
    write(tmp_path / "events/b.parquet", {"v": range(30, 70), "w": [2] * 40})
    async with opened(split("v", "w"), tmp_path) as engine:
        assert (await learned(engine)).values == {"w": (1, 2)}
        (tmp_path / "events/b.parquet").unlink()
        assert (await learned(engine)).values == {"v": tuple(range(40)), "w": (1,)}


TEXTS = st.lists(st.sampled_from([None, "", " ", "a", "A", "é", "é", "搜索", "𝒳", "it's", "x" * 201]), max_size=12)
MANY = st.integers(0, 80).map(lambda n: [f"v{i}" for i in range(n)])
NUMBERS = st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=12)
COLUMNS = {"text": st.one_of(TEXTS, MANY), "number": st.one_of(NUMBERS, st.integers(0, 80).map(lambda n: [*range(n)]))}
TYPES = {"text": pa.string(), "number": pa.int64(), "n": pa.int64()}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A file: with both columns or one, in any order, of up to 80 rows."""
    names = draw(st.permutations([*COLUMNS, "n"]))[: draw(st.integers(1, 3))]
    found = {name: draw(COLUMNS[name]) if name in COLUMNS else [0] for name in names}
    size = max(len(values) for values in found.values()) * draw(st.sampled_from([0, 1, 1, 1]))
    return pa.table({name: pa.array((values + [None] * size)[:size], TYPES[name]) for name, values in found.items()})


Step = tuple[int, pa.Table | None]
STEPS = st.lists(st.tuples(st.integers(0, 4), st.one_of(tables(), tables(), st.none())), min_size=1, max_size=6)


@settings(max_examples=15, deadline=None)
@given(STEPS, st.integers(1, 30))
def test_like_plain_python_whatever_comes_and_goes(steps: list[Step], piece: int) -> None:
    """Files are added, replaced and removed; after each step all values of the files there are, and no others."""

    async def check(root: Path) -> None:
        now: dict[int, pa.Table] = {}
        async with opened(split("text", "number"), root) as engine:
            for number, table in steps:
                path = root / f"events/{number}.parquet"
                if table is None and len(now) > 1 and now.pop(number, None) is not None:
                    path.unlink()
                elif table is not None:
                    now[number] = table
                    write(path, table, row_group_size=piece * 2)
                if now:
                    assert (await learned(engine)).values == by_hand(now.values())

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(few, "PIECE", piece)
        patch.setattr(few, "FIRST", 3)
        asyncio.run(check(Path(folder)))


def by_hand(files: Any) -> dict[str, tuple[Value, ...]]:
    found = {}
    for name in COLUMNS:
        columns = [table[name].to_pylist() for table in files if name in table.column_names]
        values = {value for column in columns for value in column if value is not None}
        if columns and len(values) <= FEW and all(isinstance(value, int) or len(value) <= 200 for value in values):
            found[name] = tuple(sorted(values))
    return found


class Spy(Aside):
    """Notes the statements."""

    asked: ClassVar[list[str]] = []

    def row(self, sql: str) -> tuple[Any, ...]:
        self.asked.append(sql)
        return super().row(sql)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    monkeypatch.setattr("engine.learning.Aside", Spy)
    Spy.asked.clear()
    yield Spy.asked
    Spy.asked.clear()


async def test_an_added_file_costs_only_itself(tmp_path: Path, asked: list[str]) -> None:
    for name in "abc":
        write(tmp_path / f"events/{name}.parquet", {"channel": [name], "id": range(1)})
    async with opened(split("channel"), tmp_path) as engine:
        assert (await learned(engine)).values == {"channel": ("a", "b", "c")}
        assert len(asked) == 1
        write(tmp_path / "events/d.parquet", {"channel": ["d"], "id": [1]})
        assert (await learned(engine)).values == {"channel": ("a", "b", "c", "d")}
        assert len(asked) == 2
        assert "d.parquet" in asked[1]
        assert "a.parquet" not in asked[1]


async def test_a_column_is_given_up_as_soon_as_it_has_many(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few, "PIECE", 1000)
    monkeypatch.setattr(few, "FIRST", 100)
    write(tmp_path / "events/a.parquet", {"id": range(3000), "channel": ["x"] * 3000})
    write(tmp_path / "events/b.parquet", {"id": [1], "channel": ["y"]})
    async with opened(split("id", "channel"), tmp_path) as engine:
        assert (await learned(engine)).values == {"channel": ("x", "y")}
    assert [('"id"' in sql, '"channel"' in sql) for sql in asked] == [(True, True)] + [(False, True)] * 4


async def test_repeated_rows_leave_nothing_out(tmp_path: Path) -> None:
    """The list may hold what only rows have that are left out; it lacks nothing."""
    write(tmp_path / "events/a.parquet", {"id": [1, 1, 2], "channel": ["a", "b", "c"]})
    async with opened(split("channel", primary_key=("id",)), tmp_path) as engine:
        assert {"a", "c"} <= set((await learned(engine)).values["channel"])
        assert await rows(engine, 'SELECT "channel" FROM "events" ORDER BY 1', "c") == [("a",), ("c",)]


async def test_partitions(tmp_path: Path) -> None:
    for channel in ("a%20b", "7", "__HIVE_DEFAULT_PARTITION__"):
        write(tmp_path / f"events/channel={channel}/level=3/part.parquet", {"n": [1]})
    assert await values_of(split("channel", "level"), tmp_path) == {"channel": ("7", "a b"), "level": (3,)}


async def test_a_partition_that_looks_otherwise_alone_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`7` is a number beside numbers, and a text beside others."""
    monkeypatch.setattr(few, "TOGETHER", 1)
    write(tmp_path / "events/code=7/part.parquet", {"n": [1]})
    async with opened(split("code", "n"), tmp_path) as engine:
        assert (await learned(engine)).values == {"code": (7,), "n": (1,)}
        write(tmp_path / "events/code=x/part.parquet", {"n": [1]})
        assert await rows(engine, 'SELECT "code" FROM "events" ORDER BY 1', "c") == [("7",), ("x",)]
        assert (await learned(engine)).values == {"n": (1,)}


async def test_a_column_of_nothing_in_some_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few, "TOGETHER", 1)
    write(tmp_path / "events/a.parquet", {"v": pa.array([None], pa.null()), "City": ["x"]})
    write(tmp_path / "events/b.parquet", {"v": ["y"], "city": ["z"]})
    assert await values_of(split("v", "City"), tmp_path) == {"v": ("y",), "City": ("x", "z")}


async def test_rows_whose_numbers_are_hidden(tmp_path: Path) -> None:
    write(tmp_path / "events/a.parquet", {"File_Row_Number": [5], "v": [1], "b": [True]})
    assert await values_of(split("v", "b"), tmp_path) == {"b": (False, True)}


async def test_csv(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events/a.csv").write_text("id,channel,level\n1,a,\n1,b,4\n2,,\n")
    (tmp_path / "events/b.csv").write_text("id,channel,level\n3,搜索,5\n")
    source = Source("events/*.csv", SourceFormat.CSV)
    dimensions = (plain("channel"), plain("level"))
    async with opened(model(Dataset("events", source, ("id",), dimensions=dimensions)), tmp_path) as engine:
        assert (await learned(engine)).values == {"channel": ("a", "搜索"), "level": (5,)}
        (tmp_path / "events/b.csv").write_text("id,channel,level\n3,c,x\n")
        assert (await learned(engine)).values == {"channel": ("a", "c"), "level": ("x",)}


async def test_delta(tmp_path: Path) -> None:
    folder = str(tmp_path / "events")
    columns = {"id": [1, 2, 3], "channel": ["a b", "7", None], "kind": ["x", "y", "y"]}
    write_deltalake(folder, pa.table(columns), partition_by=["channel"])
    dimensions = (plain("channel"), plain("kind"))
    async with opened(
        model(Dataset("events", Source("events", SourceFormat.DELTA), dimensions=dimensions)), tmp_path
    ) as engine:
        assert (await learned(engine)).values == {"channel": ("7", "a b"), "kind": ("x", "y")}
        DeltaTable(folder).delete("channel = '7'")
        assert (await learned(engine)).values["channel"] == ("a b",)


async def test_iceberg_columns_that_change_names(tmp_path: Path) -> None:
    """What was read of a file under a name is not what it has under that name later."""
    catalog = SqlCatalog("test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}")
    catalog.create_namespace("shop")
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])
    table = catalog.create_table("shop.events", schema=schema)
    table.append(pa.table({"a": ["1", "2"], "b": ["x", None]}, schema=schema))
    dimensions = (plain("a"), plain("b"))
    dataset = Dataset("events", Source("shop/events", SourceFormat.ICEBERG), dimensions=dimensions)
    async with opened(model(dataset), tmp_path) as engine:
        assert (await learned(engine)).values == {"a": ("1", "2"), "b": ("x",)}
        with table.update_schema() as change:
            change.rename_column("a", "was_a")
            change.rename_column("b", "a")
        assert (await learned(engine)).values == {"a": ("x",)}


async def test_what_is_learned_reaches_queries_and_changes_no_version(tmp_path: Path) -> None:
    """Facts of before and after are of one version, so that answers stay kept; statements are compiled anew."""
    write(tmp_path / "events/a.parquet", {"channel": ["a"]})
    engine = open_engine(split("channel"), tmp_path, replace(NOW, freshness_check=60))
    seen: list[Facts] = []

    def compiled(facts: Facts) -> Statement:
        seen.append(facts)
        sql = f'SELECT count(*) + {len(facts.datasets["events"].values)} FROM "events"'
        return statement(sql, {"n": Kind.INTEGER})

    try:
        before = await engine.facts(["events"])
        until = time.monotonic() + 5
        while not (await engine.facts(["events"])).learned and time.monotonic() < until:
            await asyncio.sleep(0.005)
        after = await engine.facts(["events"])
        assert (before.version, before.learned, after.learned) == (after.version, 0, 1)
        assert engine.known(["events"]) is after
        answer = await engine.answer(["events"], compiled)
        assert answer.table.to_pylist() == [{"n": 2}]
        assert answer.facts is after
        kept = engine.kept(["events"], compiled)
        assert kept is not None
        assert kept.cached
        assert set(map(id, seen)) == {id(after)}
    finally:
        await engine.close()


def known_values(edition: Edition, *values: str) -> Edition:
    return replace(edition, facts=replace(edition.facts, values={"channel": values}))


async def test_more_facts_that_come_while_a_question_is_compiled(tmp_path: Path) -> None:
    """The statement that ran is the one for the facts that the answer says it is of."""
    write(tmp_path / "events/a.parquet", {"channel": ["a"]})
    inner = open_duckdb(split(), tmp_path, NOW)
    shelf = inner._shelf

    def compiled(facts: Facts) -> Statement:
        known = len(facts.datasets["events"].values)
        edition = shelf._editions["events"]
        shelf._learned(edition, known_values(edition, "a"))
        return statement(f'SELECT count(*) + {known} FROM "events"', {"n": Kind.INTEGER})

    engine = Cached(inner, NOW)
    try:
        answer = await engine.answer(["events"], compiled)
        assert (answer.facts.learned, answer.table.to_pylist()) == (1, [{"n": 2}])
        assert answer.statement == compiled(answer.facts)
    finally:
        await engine.close()


async def test_what_is_learned_too_late_or_looked_up_meanwhile(tmp_path: Path) -> None:
    """Values stay with their edition: they don't reach a newer one, and a look that began before keeps them."""
    path = write(tmp_path / "events/a.parquet", {"channel": ["a"]})
    async with opened(split(), tmp_path) as engine:
        shelf = engine._shelf
        await engine.facts(["events"])
        old = shelf._editions["events"]
        shelf._learned(old, known_values(old, "a"))
        shelf._put("events", old)
        assert (await engine.facts(["events"])).datasets["events"].values == {"channel": ("a",)}
        assert await rows(engine, 'SELECT "channel" FROM "events"', "c") == [("a",)]
        write(path, {"channel": ["b"]})
        newer = (await engine.facts(["events"])).datasets["events"]
        shelf._learned(old, known_values(old, "a"))
        assert (await engine.facts(["events"])).datasets["events"] is newer
        assert await rows(engine, 'SELECT "channel" FROM "events"', "c") == [("b",)]


async def test_a_file_that_is_replaced_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values that were read are not taken for those of the file that was listed, nor for those of a later one."""
    path = write(tmp_path / "events/a.parquet", {"channel": ["old"]})
    write(tmp_path / "events/z.parquet", {"channel": ["z"]})

    class Swapping(Spy):
        def row(self, sql: str) -> tuple[Any, ...]:
            if len(self.asked) == 0:
                write(path, {"channel": ["new"]})
                row = super().row(sql)
                os.replace(write(path.with_name("b.parquet.next"), {"channel": ["newest"]}), path)
                return row
            return super().row(sql)

    monkeypatch.setattr("engine.learning.Aside", Swapping)
    Spy.asked.clear()
    async with opened(split("channel"), tmp_path) as engine:
        await engine.facts(["events"])
        await settled(engine)
        assert not engine._shelf._editions["events"].facts.values
        assert (await learned(engine)).values == {"channel": ("newest", "z")}
    assert len(Spy.asked) == 2


async def test_swapped_again_and_again_every_list_is_of_its_version(tmp_path: Path) -> None:
    """Each version has values of its own: facts never pair one with the values of another."""
    folder = tmp_path / "events"
    names = [f"{n}.parquet" for n in range(3)]

    def publish(version: int) -> None:
        for name in names:
            write(folder / name, {"v": [version], "w": [f"{version}"]})

    publish(0)
    stop = threading.Event()

    def swap() -> None:
        version = 0
        while not stop.wait(0.05):
            version += 1
            publish(version)

    thread = threading.Thread(target=swap)
    found: dict[str, tuple[Value, ...]] = {}
    async with opened(split("v", "w"), tmp_path) as engine:
        thread.start()
        try:
            until = time.monotonic() + 20
            while len(found) < 8 and time.monotonic() < until:
                answer = await engine.answer(["events"], lambda _: SPAN)
                (span,) = answer.table.to_pylist()
                facts = answer.facts.datasets["events"]
                for edition in (facts, engine._shelf._editions["events"].facts):
                    if edition.version == facts.version and edition.values:
                        assert edition.values["v"] == tuple(sorted(set(span["v"])))
                        assert set(edition.values["w"]) == {str(value) for value in span["v"]}
                        found[edition.version] = edition.values["v"]
                await asyncio.sleep(0.01)
        finally:
            stop.set()
            thread.join()
    assert len(found) >= 8, "too few versions were learned: the test tests nothing"


SPAN = statement('SELECT list(DISTINCT "v") AS v FROM "events"', {"v": Kind.OTHER})


def test_a_store_is_not_asked_for_many_files() -> None:
    stamps = [Stamp(f"s3://shop/events/{n}.parquet", 1, 0, 0, 0) for n in range(few.REMOTE_FILES + 1)]
    local = [Stamp(f"/shop/events/{n}.parquet", 1, 0, 0, 0) for n in range(1000)]
    assert few.is_expensive([Group(tuple(stamps), 1)])
    assert not few.is_expensive([Group((*stamps[1:], *local), 1)])


def test_statements_wait_for_gaps_but_not_for_ever_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.aside.PATIENCE", 0.1)
    monkeypatch.setattr("engine.aside.SECONDS", 0.001)
    looks: list[bool] = [True, True, False]
    cursor = duckdb.connect()
    aside = Aside(cursor, lambda: looks.pop(0), threading.Event())
    assert aside.row("SELECT 1, count(*) FROM range(5000000) WHERE range % 7 = 1") == (1, 714286)
    assert looks == []
    with pytest.raises(OutOfTime, match="more than"):
        aside.row("SELECT 1")
    began = time.monotonic()
    assert Aside(cursor, lambda: True, threading.Event()).row("SELECT 1") == (1,)
    assert time.monotonic() - began >= 0.1


async def test_what_was_read_when_time_was_up_is_not_read_again(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few, "TOGETHER", 1)
    monkeypatch.setattr("engine.aside.SECONDS", 1e-9)
    for name in "ab":
        write(tmp_path / f"events/{name}.parquet", {"channel": [name]})
    async with opened(split("channel"), tmp_path) as engine:
        assert not (await learned(engine)).values
        write(tmp_path / "events/c.parquet", {"channel": ["c"]})
        assert not (await learned(engine)).values
        monkeypatch.setattr("engine.aside.SECONDS", 10.0)
        (tmp_path / "events/c.parquet").unlink()
        assert (await learned(engine)).values == {"channel": ("a", "b")}
    assert [name for sql in asked for name in "abc" if f"/{name}.parquet" in sql] == ["a", "b", "b", "c"][: len(asked)]


async def test_closing_stops_what_is_under_way(tmp_path: Path) -> None:
    write(tmp_path / "events/a.parquet", {"channel": ["a"] * 1000})
    engine = open_duckdb(split("channel"), tmp_path, NOW)
    engine._shelf._learning._busy = lambda: True
    await engine.facts(["events"])
    await asyncio.sleep(0.01)
    began = time.monotonic()
    await engine.close()
    assert time.monotonic() - began < 0.5, "it waited for the gap"
