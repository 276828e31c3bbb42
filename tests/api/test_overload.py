"""Too much at once, over real sockets: told quickly, fairly, and with nothing lost or kept for ever."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from fastapi import FastAPI

from api.rates import Rates
from api.resolvers.limits import Limits
from api.settings import Settings
from engine.load import load_of
from semantic.errors import RateLimited
from semantic.query.query import Viewer
from tests.api.test_running import SOON, send, wait_until
from tests.api.test_subscriptions import receive, socket, streaming
from tests.api.test_subscriptions import send as say
from tests.live import LiveServer
from tests.shop import SLOW_QUERY, make_project, make_slow_project, write_table

OTHER_SLOW_QUERY = SLOW_QUERY.replace("{ metrics", '{ metrics(where: {word: {ne: ""}})')
QUICK = "{ metrics { totals { words } } }"


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_slow_project(tmp_path_factory.mktemp("slow"))


def test_a_full_queue_is_told_at_once(live: LiveServer, slow: Path) -> None:
    settings = Settings(model=slow, threads=1, concurrency=1, queue=1, reload=False, deadline=60, drain=0)
    with live.serving(settings) as app, ExitStack() as open_things:
        for query in (SLOW_QUERY, OTHER_SLOW_QUERY):
            open_things.enter_context(send(live, query))
        wait_until(lambda: len(app.state.running) == 2)
        time.sleep(0.3)  # now one runs and one waits
        began = time.monotonic()
        reply = live.ask(QUICK)
        assert time.monotonic() - began < SOON
        assert reply.status == 503
        assert int(reply.headers["retry-after"]) >= 1
        (error,) = reply.json["errors"]
        assert error["extensions"]["code"] == "OVERLOADED"
        assert "1 others wait already, which is the limit" in error["message"]
        assert reply.json["data"] == {"metrics": None}
        partly = live.ask("{ metrics { totals { words } } catalog { metrics { name } } }")
        assert partly.status == 200
        assert partly.json["data"]["catalog"]


@contextmanager
def full_queue(live: LiveServer, app: FastAPI) -> Iterator[None]:
    """One query runs and one waits, for as long as the block runs."""
    with ExitStack() as opened:
        for query in (SLOW_QUERY, OTHER_SLOW_QUERY):
            opened.enter_context(send(live, query))
        wait_until(lambda: (load := load_of(app.state.served.snapshot.engine)).running == load.waiting == 1)
        time.sleep(0.3)  # now it is DuckDB that runs
        yield


def test_a_full_queue_is_told_at_every_door(live: LiveServer, slow: Path) -> None:
    settings = Settings(model=slow, threads=1, concurrency=1, queue=1, reload=False, deadline=60, drain=0, batch=2)
    with live.serving(settings) as app, full_queue(live, app):
        began = time.monotonic()
        table = live.get("/v1/table.csv?metrics=words")
        assert (table.status, int(table.headers["retry-after"]) >= 1) == (503, True)
        for query in (QUICK, f"subscription {QUICK}"):
            stream = live.ask(query, accept="text/event-stream")
            assert (stream.status, int(stream.headers["retry-after"]) >= 1) == (503, True)
            assert stream.json["errors"][0]["extensions"]["code"] == "OVERLOADED"
            with socket(live) as opened:
                say(opened, id="1", type="subscribe", payload={"query": query})
                message = receive(opened)
                assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "OVERLOADED")
        assert time.monotonic() - began < SOON
        assert len(app.state.subscriptions) == 0


def test_a_subscriber_is_not_told_that_there_is_too_much_to_do(live: LiveServer, tmp_path: Path) -> None:
    folder = make_slow_project(tmp_path)
    settings = Settings(
        model=folder, threads=1, concurrency=1, queue=1, reload=False, deadline=60, drain=0, freshness_check=0.1
    )
    with live.serving(settings) as app, streaming(live, f"subscription {QUICK}") as stream:
        assert stream.event()[1]["data"]["metrics"]["totals"]["words"] == 500_000
        with full_queue(live, app):
            write_table(tmp_path, "words", "select md5(n::varchar) as word from range(10) as t(n)")
            time.sleep(1.5)  # so long that it was refused a place
        assert stream.event()[1] == {"data": {"metrics": {"totals": {"words": 10}}}}


def test_a_stampede_of_equal_questions_is_one_query(live: LiveServer, tmp_path: Path) -> None:
    folder = make_slow_project(tmp_path)
    settings = Settings(model=folder, concurrency=1, queue=1, reload=False, deadline=60)
    medium = '{ metrics(where: {word: {contains: "aa"}}) { totals { words } meta { cached } } }'
    with live.serving(settings), ThreadPoolExecutor(100) as pool:
        replies = list(pool.map(lambda _: live.ask(medium), range(100)))
        assert {reply.status for reply in replies} == {200}
        assert len({json.dumps(reply.json["data"]["metrics"]["totals"]) for reply in replies}) == 1


def served_alone(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], int]:
    """`headwater serve` in a process of its own, and its port."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADWATER_")}
    serve = ["-c", "from api.cli import main; main()", "serve", "--model", str(folder), "--port", "0", *options]
    process = subprocess.Popen(
        [sys.executable, *serve], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    assert process.stdout is not None
    for line in process.stdout:
        if b"GraphiQL" in line:
            return process, int(line.decode().split(":")[-1].split("/")[0])
    raise AssertionError(process.wait())


def asked(port: int, query: str) -> object:
    body = json.dumps({"query": query}).encode()
    request = Request(f"http://127.0.0.1:{port}/graphql", body, {"content-type": "application/json"})
    with urlopen(request, timeout=30) as reply:
        return json.load(reply)


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_a_killed_server_loses_nothing(tmp_path: Path, processes: list[subprocess.Popen[bytes]]) -> None:
    folder = make_project(tmp_path)
    query = "{ metrics { rows { channel gmv } } }"
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    answers = []
    for _ in range(2):
        process, port = served_alone(folder)
        processes.append(process)
        answers.append(asked(port, query))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert answers[0] == answers[1] != {}
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


# --- rates ----------------------------------------------------------------------------------------------------------


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_by_itself() -> None:
    clock = Clock()
    rates = Rates(clock)
    limits = Limits(rate=2, burst=3)
    for _ in range(3):
        rates.take(Viewer("a"), limits)
    with pytest.raises(RateLimited, match="2 requests a second are answered, 3 at once") as caught:
        rates.take(Viewer("a"), limits)
    assert caught.value.retry_after == pytest.approx(0.5)
    rates.take(Viewer("b"), limits)  # a bucket of its own
    clock.now += 0.5
    rates.take(Viewer("a"), limits)
    with pytest.raises(RateLimited):
        rates.take(Viewer("a"), limits)
    clock.now += 60
    for _ in range(3):
        rates.take(Viewer("a"), limits)
    with pytest.raises(RateLimited):
        rates.take(Viewer("a"), limits)


def test_without_a_rate_nobody_is_counted() -> None:
    rates = Rates(Clock())
    for _ in range(1000):
        rates.take(Viewer("a"), Limits())


def test_asking_too_often(live: LiveServer, tmp_path: Path) -> None:
    settings = Settings(model=make_project(tmp_path), reload=False, rate=0.01, burst=2)
    with live.serving(settings):
        assert [live.ask("{ __typename }").status for _ in range(2)] == [200, 200]
        reply = live.ask("{ __typename }")
        assert reply.status == 429
        assert 90 < int(reply.headers["retry-after"]) <= 100
        (error,) = reply.json["errors"]
        assert (error["extensions"]["code"], error["extensions"]["fault"]) == ("RATE_LIMITED", "user")
        assert live.get("/v1/table.csv?metrics=gmv").status == 429
        assert live.get("/healthz").status == 200
