"""One machine for many, over real sockets: nobody starves, whoever goes stops their query, equal questions run once."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI

from api.load import load_snapshot
from api.resolvers import compiler
from api.settings import Settings
from api.viewers.keys import FILE_NAME, new_key, write_keys
from engine.caller import CALLER, Caller
from engine.engine import Answer, Compile
from engine.limited import Limited
from engine.load import load_of
from semantic.compile import Compiled, compile_query
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.query.query import ANONYMOUS, MetricField, MetricQuery, Viewer
from semantic.query.visible import Question
from tests.api.test_running import SOON, wait_until
from tests.api.test_subscriptions import receive, socket
from tests.api.test_subscriptions import send as say
from tests.live import LiveServer
from tests.shop import SLOW_QUERY, make_project, make_slow_project

QUICK = "{ metrics { totals { words } } }"
TABLE = '{ table(metrics: [ODD], where: {word: {startsWith: "a"}}) { rows pageInfo { hasNextPage } } }'
MANY = 12


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_slow_project(tmp_path_factory.mktemp("slow"))


@pytest.fixture
def app(live: LiveServer, slow: Path) -> Iterator[FastAPI]:
    """One query at a time: one that is not stopped keeps every other waiting."""
    settings = Settings(model=slow, threads=1, concurrency=1, reload=False, deadline=60, drain=0, batch=5)
    with live.serving(settings) as app:
        yield app


def body_of(*queries: str) -> bytes:
    asked = [{"query": query} for query in queries]
    return json.dumps(asked if len(asked) > 1 else asked[0]).encode()


@contextmanager
def request(live: LiveServer, method: str, path: str, body: bytes = b"", **headers: str) -> Iterator[None]:
    """A request whose caller is gone when the block ends."""
    lines = [f"{method} {path} HTTP/1.1", "host: x", f"content-length: {len(body)}"]
    if body:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with sockets.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        yield


# --- nobody starves ---------------------------------------------------------------------------------------------------


def heavy(number: int) -> str:
    """Half a second or more."""
    return f'{{ metrics(where: {{word: {{startsWith: "{number:x}"}}}}) {{ totals {{ odd }} }} }}'


def test_one_who_asks_for_a_lot_holds_nobody_up(live: LiveServer, tmp_path: Path) -> None:
    folder = make_slow_project(tmp_path)
    keys = [new_key(name, {}) for name in ("greedy", "modest")]
    write_keys(folder / FILE_NAME, tuple(record for _, record in keys))
    greedy, modest = (f"Bearer {text}" for text, _ in keys)
    settings = Settings(model=folder, threads=1, concurrency=1, reload=False, deadline=60, drain=0)
    with live.serving(settings) as app, ExitStack() as asked:

        def waiting() -> int:
            return load_of(app.state.served.snapshot.engine).waiting

        for number in range(MANY):
            asked.enter_context(request(live, "POST", "/graphql", body_of(heavy(number)), authorization=greedy))
        wait_until(lambda: waiting() >= MANY - 2)
        before = waiting()
        assert live.ask(QUICK, authorization=modest).status == 200
        assert before - waiting() <= 3, "the others of the greedy one wait behind it"


async def test_questions_are_compiled_for_callers_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []

    def noted(model: Model, question: Question, facts: Facts, viewer: Viewer) -> Compiled:
        compiled.append(question)
        return compile_query(model, question, facts, viewer)

    monkeypatch.setattr(compiler, "compile_query", noted)
    snapshot = await load_snapshot(Settings(model=make_project(tmp_path)))

    async def prepare(caller: str, question: Question) -> None:
        CALLER.set(Caller(caller))
        await snapshot.compiler.prepare(question, snapshot.facts, ANONYMOUS)

    greedy = [MetricQuery((MetricField("gmv", "gmv"),), limit=number + 1) for number in range(MANY)]
    modest = MetricQuery((MetricField("orders", "orders"),))
    tasks = [asyncio.create_task(prepare("greedy", question)) for question in greedy]
    await asyncio.sleep(0)
    await asyncio.gather(prepare("modest", modest), *tasks)
    await snapshot.engine.close()
    assert compiled.index(modest) == 1
    assert [question for question in compiled if question != modest] == greedy


# --- whoever goes -----------------------------------------------------------------------------------------------------


@contextmanager
def over_socket(live: LiveServer, query: str, *, completed: bool) -> Iterator[None]:
    """An operation that is completed when the block ends, or its connection closed."""
    with socket(live) as connection:
        say(connection, id="1", type="subscribe", payload={"query": query})
        yield
        if completed:
            say(connection, id="1", type="complete")
            say(connection, type="ping")
            assert receive(connection) == {"type": "pong"}


Door = Callable[[LiveServer], AbstractContextManager[None]]
EVENTS = "text/event-stream"
DOORS: dict[str, Door] = {
    "a request": lambda live: request(live, "POST", "/graphql", body_of(SLOW_QUERY)),
    "an address": lambda live: request(live, "GET", f"/graphql?query={quote(SLOW_QUERY)}"),
    "a list": lambda live: request(live, "POST", "/graphql", body_of(SLOW_QUERY, heavy(1))),
    "a table": lambda live: request(live, "GET", "/v1/table.csv?metrics=odd"),
    "events": lambda live: request(live, "POST", "/graphql", body_of(SLOW_QUERY), accept=EVENTS),
    "a subscription": lambda live: request(
        live, "POST", "/graphql", body_of(f"subscription {SLOW_QUERY}"), accept=EVENTS
    ),
    "a socket's operation": lambda live: over_socket(live, SLOW_QUERY, completed=True),
    "a socket's subscription": lambda live: over_socket(live, f"subscription {SLOW_QUERY}", completed=True),
    "a socket": lambda live: over_socket(live, f"subscription {SLOW_QUERY}", completed=False),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_who_goes_takes_the_query_along(live: LiveServer, app: FastAPI, door: Door) -> None:
    def running() -> bool:
        return load_of(app.state.served.snapshot.engine).running == 1

    with door(live):
        wait_until(running)
        time.sleep(0.2)  # now it is DuckDB that runs
        assert running()
    began = time.monotonic()
    wait_until(lambda: not running())
    assert live.ask(QUICK).json == {"data": {"metrics": {"totals": {"words": 500000}}}}
    assert time.monotonic() - began < SOON
    assert len(app.state.running) == len(app.state.subscriptions) == 0


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One for each statement that is given to the queue."""
    found, answer = list[None](), Limited.answer

    async def noted(self: Limited, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        found.append(None)
        return await answer(self, datasets, compile_statement)

    monkeypatch.setattr(Limited, "answer", noted)
    return found


@contextmanager
def held_up(live: LiveServer, app: FastAPI) -> Iterator[Callable[[], int]]:
    """Nothing else runs for as long as the block does. How many callers of all queries there are then."""
    engine = app.state.served.snapshot.engine

    def callers() -> int:
        return sum(flight.waiting for flight in engine._flights._flights.values())

    with request(live, "POST", "/graphql", body_of(SLOW_QUERY)):
        wait_until(lambda: load_of(engine).running == 1)
        yield callers


def test_who_goes_leaves_the_query_to_others(live: LiveServer, app: FastAPI, ran: list[None]) -> None:
    with ThreadPoolExecutor(1) as pool:
        with held_up(live, app) as callers:
            with request(live, "POST", "/graphql", body_of(QUICK), accept=EVENTS):
                wait_until(lambda: callers() == 2)
                other = pool.submit(live.ask, QUICK)
                wait_until(lambda: callers() == 3)
            wait_until(lambda: callers() == 2)
        assert other.result().json["data"]["metrics"]["totals"]["words"] > 0
    assert len(ran) == 2


# --- equal questions --------------------------------------------------------------------------------------------------


def test_a_stampede_through_every_door_runs_once(live: LiveServer, app: FastAPI, ran: list[None]) -> None:
    where = quote('{"word": {"startsWith": "a"}}')
    ways: list[Callable[[], int]] = [
        lambda: live.ask(TABLE).status,
        lambda: live.get(f"/graphql?query={quote(TABLE)}").status,
        lambda: live.ask(TABLE, accept=EVENTS).status,
        lambda: live.get(f"/v1/table.csv?metrics=odd&where={where}").status,
        lambda: live.get(f"/v1/table.arrow?metrics=odd&where={where}").status,
    ]
    with ThreadPoolExecutor(100) as pool:
        with held_up(live, app) as callers:
            with request(live, "POST", "/graphql", body_of(TABLE)):  # whoever begins it does not stay
                wait_until(lambda: callers() == 2)
                asked = [pool.submit(ways[number % len(ways)]) for number in range(100)]
                wait_until(lambda: callers() > 50, within=20)
            wait_until(lambda: callers() == 101, within=20)
        assert {one.result() for one in asked} == {200}
    assert len(ran) == 2
