"""Hot reload: a real folder, a real server."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api import reload as reloading
from api.context import Snapshot
from api.load import load_snapshot
from api.served import Served
from api.settings import Settings
from semantic.errors import ModelError
from tests.live import LiveServer
from tests.shop import MODEL, make_project, write_table

WITHIN = 10.0  # seconds; a change is usually seen within half of one
GMV = "{ metrics { totals { gmv } } }"
BUYERS = "{ metrics { totals { buyers } } }"
WITH_BUYERS = MODEL + "  - {name: buyers, type: simple, dataset: orders, agg: count_distinct, expr: user_id}\n"
BROKEN = MODEL.replace("expr: amount", "expr: amuont")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def shop(live: LiveServer, project: Path) -> Iterator[LiveServer]:
    with live.serving(Settings(model=project)):
        time.sleep(0.2)  # the watch has begun
        yield live


def save(path: Path, text: str) -> None:
    """As editors do: a new file takes the old one's name."""
    part = path.with_name(f".{path.name}.tmp")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def answered(shop: LiveServer, query: str) -> bool:
    return "errors" not in shop.ask(query).json


def warnings(shop: LiveServer) -> list[str]:
    found = shop.get("/readyz").json["warnings"]
    assert isinstance(found, list)
    return found


def test_a_changed_model_takes_effect(shop: LiveServer, project: Path) -> None:
    assert not answered(shop, BUYERS)
    save(project / "shop.yml", WITH_BUYERS)
    until(lambda: answered(shop, BUYERS))
    assert shop.ask(BUYERS).json == {"data": {"metrics": {"totals": {"buyers": 2}}}}
    assert "buyers" in shop.get("/schema.graphql").body.decode()
    (project / "shop.yml").write_text(MODEL, encoding="utf-8")  # in place, too
    until(lambda: not answered(shop, BUYERS))


def test_a_new_file_and_a_removed_one_take_effect(shop: LiveServer, project: Path) -> None:
    more = project / "more" / "buyers.yaml"
    more.parent.mkdir()
    more.write_text("metrics:\n  - {name: buyers, type: simple, dataset: orders, agg: count_distinct, expr: user_id}\n")
    until(lambda: answered(shop, BUYERS))
    more.unlink()
    until(lambda: not answered(shop, BUYERS))


def test_a_broken_model_is_reported_and_the_old_one_stays(
    shop: LiveServer, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "headwater")
    save(project / "shop.yml", BROKEN)
    until(lambda: bool(warnings(shop)))
    assert shop.get("/readyz").status == 200
    assert shop.ask(GMV).json == {"data": {"metrics": {"totals": {"gmv": 70}}}}
    assert "shop.yml:" in warnings(shop)[0]
    assert "amuont" in warnings(shop)[0]
    assert "the earlier one stays in service" in caplog.text
    save(project / "shop.yml", "version: 1\nmetrics: [")
    until(lambda: "YAML_SYNTAX" in str(warnings(shop)))
    save(project / "shop.yml", WITH_BUYERS)
    until(lambda: answered(shop, BUYERS))
    assert warnings(shop) == []


def test_a_model_whose_columns_the_data_lacks_stays_out(shop: LiveServer, project: Path) -> None:
    save(project / "shop.yml", MODEL.replace("paid_on", "payed_on"))
    until(lambda: "UNKNOWN_COLUMN" in str(warnings(shop)))
    assert answered(shop, GMV)


def test_a_folder_that_goes_and_comes_back(shop: LiveServer, project: Path) -> None:
    aside = project.with_name("aside")
    project.rename(aside)
    until(lambda: bool(warnings(shop)))
    assert answered(shop, GMV)
    save(aside / "shop.yml", WITH_BUYERS)
    aside.rename(project)
    until(lambda: answered(shop, BUYERS))
    assert warnings(shop) == []


def test_others_are_told_no_detail(live: LiveServer, project: Path) -> None:
    with live.serving(Settings(model=project, show_sql=False)):
        time.sleep(0.2)
        save(project / "shop.yml", BROKEN)
        until(lambda: bool(warnings(live)))
        assert "amuont" not in live.get("/readyz").body.decode()


def test_without_reload_nothing_changes(live: LiveServer, project: Path) -> None:
    with live.serving(Settings(model=project, reload=False)):
        save(project / "shop.yml", WITH_BUYERS)
        time.sleep(0.5)
        assert not answered(live, BUYERS)


def test_questions_are_answered_all_through_a_reload(shop: LiveServer, project: Path) -> None:
    wrong: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answer = shop.ask(GMV).json
            if answer != {"data": {"metrics": {"totals": {"gmv": 70}}}}:
                wrong.append(answer)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    for text in (WITH_BUYERS, BROKEN, MODEL, WITH_BUYERS):
        save(project / "shop.yml", text)
        time.sleep(0.4)
    until(lambda: answered(shop, BUYERS))
    stop.set()
    for asker in askers:
        asker.join()
    assert wrong == []


def test_polling_sees_what_nothing_tells_of(live: LiveServer, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(reloading, "_is_model_file", lambda *_: False)  # as on a mount without events
    with live.serving(Settings(model=project)):
        save(project / "shop.yml", WITH_BUYERS)
        until(lambda: answered(live, BUYERS))


def test_a_folder_that_cannot_be_watched_is_polled(
    live: LiveServer, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_watches(*_: object, **__: object) -> object:
        raise OSError("no more watches")

    monkeypatch.setattr(reloading, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(reloading, "awatch", no_watches)
    with live.serving(Settings(model=project)):
        save(project / "shop.yml", WITH_BUYERS)
        until(lambda: answered(live, BUYERS))


def test_other_files_are_no_reason(project: Path) -> None:
    before = reloading.folder_digest(project)
    (project / "notes.txt").write_text("x")
    (project / ".shop.yml.swp").write_text("x")
    os.utime(project / "shop.yml")
    assert reloading.folder_digest(project) == before
    shutil.rmtree(project)
    assert reloading.folder_digest(project).startswith("unreadable")


def test_columns_that_change_their_kind_make_a_new_schema(live: LiveServer, tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    with live.serving(Settings(model=folder, freshness_check=0)):
        assert "gmv" in live.get("/schema.graphql").body.decode()
        assert kind(live) == "Long"
        write_table(
            tmp_path,
            "orders",
            "select 'o1' as order_id, 'a' as user_id, date '2026-11-01' as paid_on, 'ads' as channel, 1.25 as amount",
        )
        until(lambda: answered(live, GMV) and kind(live) == "Decimal")
        assert live.ask(GMV).json == {"data": {"metrics": {"totals": {"gmv": 1.25}}}}


def kind(shop: LiveServer) -> str:
    """The type of `gmv` in the schema."""
    answer = shop.ask('{ __type(name: "Row") { fields { name type { name } } } }').json
    return str(next(one["type"]["name"] for one in answer["data"]["__type"]["fields"] if one["name"] == "gmv"))


async def test_a_bug_of_ours_ends_no_watch(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    loads = 0

    async def load(settings: Settings) -> Snapshot:
        nonlocal loads
        loads += 1
        if loads == 2:
            raise ZeroDivisionError("oops")
        return await load_snapshot(settings)

    served = Served(Settings(model=project), load)
    await served.open()
    save(project / "shop.yml", WITH_BUYERS)
    assert await served.reload() is False
    assert "oops" in caplog.text
    problem = served.problem
    assert problem is not None
    assert await served.reload() is True
    assert served.problem is None
    await served.close()


# --- the swap --------------------------------------------------------------------------------------------------------


class Closing:
    """An engine that remembers whether it was closed, around a real one."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.inner, self.closed = snapshot.engine, False

    async def close(self) -> None:
        self.closed = True
        await self.inner.close()


async def test_a_request_keeps_its_snapshot_and_its_engine(project: Path) -> None:
    from dataclasses import replace

    engines: list[Closing] = []

    async def load(settings: Settings) -> Snapshot:
        snapshot = await load_snapshot(settings)
        engines.append(Closing(snapshot))
        return replace(snapshot, engine=engines[-1])  # type: ignore[arg-type]

    served = Served(Settings(model=project), load)
    await served.open()
    await served.open()
    assert len(engines) == 1
    with served.lease() as old:
        save(project / "shop.yml", WITH_BUYERS)
        assert await served.reload() is True
        assert served.snapshot is not old
        await asyncio.sleep(0)
        assert [engine.closed for engine in engines] == [False, False]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert engines[0].closed
    assert await served.reload() is False  # the same text
    assert [engine.closed for engine in engines] == [True, False, True]
    save(project / "shop.yml", BROKEN)
    assert await served.reload() is False
    assert isinstance(served.problem, ModelError)
    await served.close()
    assert engines[1].closed
