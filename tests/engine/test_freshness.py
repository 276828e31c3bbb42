"""Every answer comes from one version of the files, however they are replaced, and changes are seen in time."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine import Engine
from engine.files import Changing, LocalFiles, Stamp
from engine.opening import open_duckdb
from engine.places import pattern_of
from semantic.errors import DataError
from semantic.model.dataset import Dataset, Source, SourceFormat
from semantic.model.facts import Facts, Kind
from semantic.sql.statement import Statement
from tests.engine.support import NOW, ask, events, model, opened, rows, statement, write

SHOP = model(events("events/*.parquet"))
FILES = 40
SPAN = 'SELECT min("v"), max("v"), count(DISTINCT "n"), count(*) FROM "events"'
COUNT = statement('SELECT count(*), min("v") FROM "events"', {"n": Kind.INTEGER, "v": Kind.INTEGER})


def nothing() -> None:
    """No change."""


def parquet(version: int, size: int = 5000) -> bytes:
    """A file whose every row says its version; of one length whatever the version."""
    sink = io.BytesIO()
    table = pa.table({"v": pa.array([version] * size, pa.int64()), "n": range(size)})
    pq.write_table(table, sink, compression="none", use_dictionary=False)
    return sink.getvalue()


def publish(folder: Path, version: int, files: int = FILES) -> None:
    """All files written aside, then renamed over the old ones."""
    folder.mkdir(exist_ok=True)
    for index in range(files):
        (folder / f".{index:02}.new").write_bytes(parquet(version))
    for index in range(files):
        os.replace(folder / f".{index:02}.new", folder / f"{index:02}.parquet")


@contextmanager
def swapping(folder: Path, pause: float) -> Iterator[None]:
    """Another version again and again, for as long as the block runs."""
    stop = threading.Event()

    def swap() -> None:
        version = 1
        while not stop.wait(pause):
            version += 1
            publish(folder, version)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def test_files_swapped_under_running_scans(tmp_path: Path) -> None:
    """Until swaps have hit scans several times, and several versions were seen."""
    publish(tmp_path / "events", 1)
    settings = replace(NOW, settle_seconds=0.03, cache_bytes=0, read_attempts=10)
    seen: list[int] = []
    compiled = 0
    until = time.monotonic() + 30

    def compile_statement(_: Facts) -> Statement:
        nonlocal compiled
        compiled += 1
        return statement(SPAN, dict.fromkeys(("low", "high", "n", "rows"), Kind.INTEGER))

    async def client(engine: Engine) -> None:
        while (len(set(seen)) < 5 or compiled - len(seen) < 5) and time.monotonic() < until:
            with suppress(Changing):
                answer = await engine.answer(["events"], compile_statement)
                low, high, n, count = answer.table.to_pylist()[0].values()
                assert (high, n, count) == (low, 5000, FILES * 5000)
                seen.append(low)

    async with opened(SHOP, tmp_path, settings) as engine:
        with swapping(tmp_path / "events", 0.05):
            await asyncio.gather(client(engine), client(engine))
    assert len(set(seen)) >= 5
    assert compiled - len(seen) >= 5, "too few swaps hit a scan: the test tests nothing"


async def test_without_the_check_a_swap_would_be_mixed(tmp_path: Path) -> None:
    """What the check is against: half of the files replaced between two looks gives rows of two versions."""
    publish(tmp_path / "events", 1)
    async with opened(SHOP, tmp_path, replace(NOW, freshness_check=60)) as engine:
        await engine.facts(["events"])
        publish(tmp_path / "events", 2, files=FILES // 2)
        assert (await rows(engine, SPAN, "low", "high", "n", "rows"))[0][:2] == (1, 2)


def once(change: Callable[[], object]) -> Callable[[Facts], Statement]:
    """A compile step during which the files change, the first time."""
    changes = [change]

    def compile_statement(_: Facts) -> Statement:
        if changes:
            changes.pop()()
        return COUNT

    return compile_statement


async def answer_with(engine: Engine, change: Callable[[], object]) -> list[object]:
    answer = await engine.answer(["events"], once(change))
    assert answer.facts.version == (await engine.facts(["events"])).version
    return list(answer.table.to_pylist()[0].values())


async def test_a_file_rewritten_in_place_with_its_size_and_time_kept(tmp_path: Path) -> None:
    publish(tmp_path / "events", 1, files=2)

    def overwrite() -> None:
        for path in (tmp_path / "events").glob("*.parquet"):
            before = path.stat()
            with path.open("r+b") as file:
                file.write(parquet(2))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)

    async with opened(SHOP, tmp_path) as engine:
        assert await answer_with(engine, nothing) == [10000, 1]
        overwrite()
        assert await answer_with(engine, nothing) == [10000, 2]


async def test_a_file_torn_while_it_is_written(tmp_path: Path) -> None:
    """The writer is in the middle of the file when it is read, and done a little later."""
    publish(tmp_path / "events", 1, files=1)
    path = tmp_path / "events/00.parquet"
    new = parquet(2, size=8000)

    def finish() -> None:
        time.sleep(0.05)
        path.write_bytes(new)

    writer = threading.Thread(target=finish)

    def tear() -> None:
        path.write_bytes(new[: len(new) // 2])
        writer.start()

    async with opened(SHOP, tmp_path, replace(NOW, settle_seconds=0.15)) as engine:
        assert await answer_with(engine, tear) == [8000, 2]
    writer.join()


async def test_a_file_deleted_and_all_files_deleted(tmp_path: Path) -> None:
    publish(tmp_path / "events", 1, files=3)
    async with opened(SHOP, tmp_path) as engine:
        assert await answer_with(engine, (tmp_path / "events/02.parquet").unlink) == [10000, 1]
        for path in (tmp_path / "events").glob("*.parquet"):
            path.unlink()
        with pytest.raises(DataError, match="no file matches its source"):
            await answer_with(engine, nothing)
        publish(tmp_path / "events", 4, files=1)
        assert await answer_with(engine, nothing) == [5000, 4]


async def test_data_that_never_rests_fails_cleanly(tmp_path: Path) -> None:
    publish(tmp_path / "events", 1, files=1)
    version = 1

    def compile_statement(_: Facts) -> Statement:
        nonlocal version
        version += 1
        publish(tmp_path / "events", version, files=1)
        return COUNT

    async with opened(SHOP, tmp_path) as engine:
        with pytest.raises(DataError, match='data of "events" kept changing'):
            await engine.answer(["events"], compile_statement)


async def test_a_young_file_is_waited_for(tmp_path: Path) -> None:
    publish(tmp_path / "events", 1, files=1)
    async with opened(SHOP, tmp_path, replace(NOW, settle_seconds=0.2)) as engine:
        began = time.monotonic()
        await engine.facts(["events"])
        assert time.monotonic() - began > 0.1


class Restless(LocalFiles):
    """Files of which one is replaced whenever they are looked at."""

    def _stamps(self) -> tuple[Stamp, ...]:
        publish(Path(self.pattern.base), 2, files=1)
        return LocalFiles._stamps(self)


class Growing(LocalFiles):
    """Files to which one is added whenever they are looked at."""

    def _stamps(self) -> tuple[Stamp, ...]:
        folder = Path(self.pattern.base)
        write(folder / f"{len(list(folder.iterdir())):03}.parquet", {"v": [1], "n": [1]})
        return LocalFiles._stamps(self)


def test_endless_replacements_are_refused_and_additions_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.files.SETTLE_ROUNDS", 2)
    pattern = pattern_of("events/*.parquet", tmp_path)
    with pytest.raises(DataError, match='data of "events" kept changing'):
        Restless("events", pattern, 0.7).listing()
    assert len(Growing("events", pattern, 0.7).listing().stamps) == 4


async def test_an_added_file_is_seen_after_the_freshness_check(tmp_path: Path) -> None:
    publish(tmp_path / "events", 1, files=1)
    async with opened(SHOP, tmp_path, replace(NOW, freshness_check=0.3)) as engine:
        assert await rows(engine, 'SELECT count(*) FROM "events"', "n") == [(5000,)]
        publish(tmp_path / "events", 1, files=2)
        assert await rows(engine, 'SELECT count(*) FROM "events"', "n") == [(5000,)]
        await asyncio.sleep(0.35)
        assert await rows(engine, 'SELECT count(*) FROM "events"', "n") == [(10000,)]


async def test_a_replaced_csv_file(tmp_path: Path) -> None:
    shop = model(Dataset("events", Source("events.csv", SourceFormat.CSV)))
    path = tmp_path / "events.csv"
    path.write_text("v\n1\n")
    async with opened(shop, tmp_path) as engine:
        assert await answer_with(engine, lambda: path.write_text("v\n7\n8\n")) == [2, 7]


async def test_old_editions_are_dropped_when_nobody_reads_them(tmp_path: Path) -> None:
    publish(tmp_path / "events", 1, files=1)
    shop = model(events("events/*.parquet", primary_key=("v",)))
    engine = open_duckdb(shop, tmp_path, NOW)
    try:
        for version in range(2, 8):
            publish(tmp_path / "events", version, files=1)
            await ask(engine, 'SELECT count(*) FROM "events"', {"n": Kind.INTEGER})
        await asyncio.sleep(0.2)
        found = engine._connection.execute(
            "SELECT count(*) FILTER (table_schema LIKE 'e%'), count(*) FILTER (table_schema = 'repeats')"
            " FROM information_schema.tables"
        ).fetchone()
        assert found == (1, 1)
    finally:
        await engine.close()
