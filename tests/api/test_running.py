"""Requests in flight: they stop when their caller goes, when the deadline passes, and when the server stops."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from api.running import Gone, Running, Stopping
from api.settings import Settings
from engine.load import load_of
from tests.live import LiveServer
from tests.shop import SLOW_QUERY, make_slow_project

SOON = 4.0  # seconds; the slow query takes far longer


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One thread and one query at a time: a query that is not stopped keeps every other waiting."""
    folder = make_slow_project(tmp_path_factory.mktemp("slow"))
    return Settings(model=folder, threads=1, concurrency=1, reload=False, deadline=60, drain=0.3)


def send(live: LiveServer, query: str) -> socket.socket:
    body = json.dumps({"query": query}).encode()
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", live.port))
    connection.sendall(head.encode() + body)
    return connection


def wait_until(true: object, within: float = SOON) -> None:
    assert callable(true)
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_caller_that_goes_takes_its_query_with_it(live: LiveServer, slow: Settings) -> None:
    with live.serving(slow) as app:
        running = app.state.running
        with send(live, SLOW_QUERY):
            wait_until(lambda: len(running) == 1)
            time.sleep(0.5)  # now it is DuckDB that runs
            assert len(running) == 1
        began = time.monotonic()
        wait_until(lambda: len(running) == 0)
        assert live.ask("{ metrics { totals { words } } }").json == {"data": {"metrics": {"totals": {"words": 500000}}}}
        assert time.monotonic() - began < SOON


def test_a_query_that_takes_too_long_is_stopped(live: LiveServer, slow: Settings) -> None:
    with live.serving(replace(slow, deadline=0.5, linger=0)):
        began = time.monotonic()
        reply = live.ask(SLOW_QUERY)
        assert [error["extensions"]["code"] for error in reply.json["errors"]] == ["TIMEOUT"]
        assert reply.json["errors"][0]["extensions"]["fault"] == "ours"
        assert live.ask("{ metrics { totals { words } } }").json["data"]["metrics"]["totals"]["words"] == 500000
        assert time.monotonic() - began < SOON


def test_a_query_that_takes_too_long_goes_on_for_whoever_asks_again(live: LiveServer, slow: Settings) -> None:
    with live.serving(replace(slow, deadline=0.3, linger=60)) as app:
        reply = live.ask(SLOW_QUERY)
        (error,) = reply.json["errors"]
        assert (reply.status, reply.headers["retry-after"], error["extensions"]["code"]) == (504, "5", "TIMEOUT")
        assert "goes on" in error["message"]
        assert "Ask again in 5 s" in error["extensions"]["suggestion"]
        assert load_of(app.state.served.snapshot.engine).running == 1
        assert live.get("/v1/table.csv?metrics=odd").status == 504


def test_a_server_that_stops_waits_for_a_query_but_not_long(live: LiveServer, slow: Settings) -> None:
    with ExitStack() as open_things:
        server = open_things.enter_context(ExitStack())
        app = server.enter_context(live.serving(slow))
        connection = open_things.enter_context(send(live, SLOW_QUERY))
        wait_until(lambda: len(app.state.running) == 1)
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < SOON
        answer = connection.recv(10_000).decode()
    assert answer.startswith("HTTP/1.1 503")
    assert "CANCELLED" in answer


# --- the same without a server ---------------------------------------------------------------------------------------


class Line:
    """A connection that can be hung up."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.closed.wait()
        return {"type": "http.disconnect"}


class Work:
    """Work that goes on until it is cancelled, and says so."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.cancelled = False

    async def __call__(self) -> str:
        self.began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "done"


async def test_work_that_ends_is_answered() -> None:
    async def work() -> str:
        return "done"

    running = Running()
    assert await running.answer(work(), Line().receive) == "done"
    assert len(running) == 0


async def test_work_that_fails_fails() -> None:
    async def work() -> str:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await Running().answer(work(), Line().receive)


async def test_gone() -> None:
    running, line, work = Running(), Line(), Work()
    answer = asyncio.ensure_future(running.answer(work(), line.receive))
    await work.began.wait()
    line.closed.set()
    with pytest.raises(Gone):
        await answer
    assert work.cancelled
    assert len(running) == 0


async def test_stopping() -> None:
    running, work = Running(), Work()
    answer = asyncio.ensure_future(running.answer(work(), Line().receive))
    await work.began.wait()
    running.stop()
    with pytest.raises(Stopping):
        await answer
    assert work.cancelled
    with pytest.raises(Stopping):
        await running.answer(Work()(), Line().receive)


async def test_draining_waits_for_what_runs_and_takes_nothing_new() -> None:
    running = Running()

    async def short() -> str:
        await asyncio.sleep(0.2)
        return "done"

    answer = asyncio.ensure_future(running.answer(short(), Line().receive))
    await asyncio.sleep(0)
    draining = asyncio.ensure_future(running.drain(10.0))
    await asyncio.sleep(0.01)
    assert running.is_stopping
    with pytest.raises(Stopping):
        await running.answer(Work()(), Line().receive)
    assert not draining.done()
    await draining
    assert await answer == "done"


@pytest.mark.parametrize(("seconds", "hurry"), [(0.05, False), (60.0, True)])
async def test_draining_ends_in_time(seconds: float, hurry: bool) -> None:
    running, work = Running(), Work()
    answer = asyncio.ensure_future(running.answer(work(), Line().receive))
    await work.began.wait()
    await running.drain(seconds, lambda: hurry)
    with pytest.raises(Stopping):
        await answer
    assert work.cancelled


async def test_a_cancelled_request_cancels_its_work() -> None:
    running, work = Running(), Work()
    answer = asyncio.ensure_future(running.answer(work(), Line().receive))
    await work.began.wait()
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    assert work.cancelled
