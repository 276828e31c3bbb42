"""Many who stay: subscribers by the hundred, readers who never read, viewers who want every place, silent sockets."""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import socket as sockets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from websockets.sync.client import connect

import api.socket
from api.connections import end_when_stalled
from api.seats import Seats
from api.settings import Settings
from api.viewers.keys import FILE_NAME, new_key, write_keys
from bench.crowd import Events, all_leave, all_next, events, gather, may_open, socket
from semantic.errors import Overloaded, RateLimited
from tests.api.test_overload import asked, served_alone
from tests.api.test_subscriptions import (
    GMV,
    PROTOCOL,
    change,
    closed_with,
    receive,
    send,
    streaming,
    totals,
    wait_until,
)
from tests.api.test_subscriptions import socket as socket_of
from tests.live import LiveServer
from tests.shop import make_project, write_table

MANY = 200
"""Subscribers of each kind. `make soak` has ten times as many."""
KEPT = "{ metrics { totals { orders } } }"


@dataclass(frozen=True, slots=True)
class Alone:
    """A server in a process of its own."""

    port: int
    pid: int
    stop: Callable[[], float]

    @property
    def files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @property
    def memory(self) -> int:
        """Resident, in bytes."""
        (found,) = (
            line.split()[1] for line in Path(f"/proc/{self.pid}/status").read_text().splitlines() if "VmRSS" in line
        )
        return int(found) * 1024


@contextmanager
def alone(folder: Path, *options: str) -> Iterator[Alone]:
    process, port = served_alone(folder, "--freshness-check", "0.1", "--concurrency", "1", *options)

    def stop() -> float:
        began = time.monotonic()
        process.terminate()
        assert process.wait(20) in (0, -signal.SIGTERM)
        return time.monotonic() - began

    try:
        yield Alone(port, process.pid, stop)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def test_hundreds_of_subscribers_hold(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    may_open(2 * MANY + 100)
    with alone(folder) as server:
        asked(server.port, KEPT)
        files = server.files
        for before in (70, 6):
            crowd = [
                *await gather(lambda: events(server.port, GMV), MANY),
                *await gather(lambda: socket(server.port, GMV), MANY),
            ]
            assert await all_next(crowd) == [totals(before)] * len(crowd)
            memory = server.memory
            for gmv in (5, 6):
                change(folder, gmv)
                waiting = asyncio.ensure_future(all_next(crowd))
                took = [await asyncio.to_thread(timed, server.port) for _ in range(20)]
                assert await waiting == [totals(gmv)] * len(crowd)
                assert median(took) < 0.25  # of kept answers, while everybody is told
            assert server.memory - memory < 20_000_000
            await all_leave(crowd)
            await asyncio.to_thread(wait_until, lambda: server.files <= files)
        crowd = [
            *await gather(lambda: events(server.port, GMV), 50),
            *await gather(lambda: socket(server.port, GMV), 50),
        ]
        await all_next(crowd)
        assert await asyncio.to_thread(server.stop) < 5
        await all_leave(crowd)


def timed(port: int) -> float:
    began = time.monotonic()
    asked(port, KEPT)
    return time.monotonic() - began


async def test_who_never_reads_holds_nobody_up(tmp_path: Path) -> None:
    def rows(amount: int) -> str:
        columns = f"'u' as user_id, date '2026-11-01' as paid_on, 'c' || i as channel, {amount} as amount"
        return f"select 'o' || i as order_id, {columns} from range(40000) as t(i)"

    folder = make_project(tmp_path, orders=rows(0))
    query = "subscription { metrics(limit: 100000) { rows { channel gmv } } }"
    with alone(folder) as server:
        stalled = [await events(server.port, query, room=65_536) for _ in range(5)]
        for one in stalled:  # from here on they take nothing more
            one.writer.transport.pause_reading()  # type: ignore[attr-defined]
        reading = await socket(server.port, query)
        await reading.next()
        memory = server.memory
        for amount in range(1, 9):
            write_table(tmp_path, "orders", rows(amount))
            assert newest(await reading.next()) == amount
        assert server.memory - memory < 40_000_000  # all answers of all of them are above 60 MB
        for one in stalled:
            one.writer.transport.resume_reading()  # type: ignore[attr-defined]
        for one in stalled:
            seen = await until(one, 8)
            assert len(seen) < 8, "what it missed is not given to it"
        for one in stalled:
            one.writer.transport.pause_reading()  # type: ignore[attr-defined]
        write_table(tmp_path, "orders", rows(9))
        assert newest(await reading.next()) == 9
        assert await asyncio.to_thread(server.stop) < 10
        await all_leave([reading, *stalled])


def newest(answer: Any) -> int:
    amount: int = answer["data"]["metrics"]["rows"][0]["gmv"]
    return amount


async def until(one: Events, amount: int) -> list[int]:
    seen: list[int] = []
    while amount not in seen:
        seen.append(newest(await one.next()))
    return seen


def test_a_connection_that_takes_nothing_ends() -> None:
    with sockets.socket() as listening:
        end_when_stalled(listening, 0.5)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with sockets.create_connection(listening.getsockname()), listening.accept()[0] as served:
            served.settimeout(20)
            with pytest.raises(TimeoutError) as caught:
                send_for_ever(served)
            assert caught.value.errno == errno.ETIMEDOUT  # the system's own, long before the 20 s


def send_for_ever(to: sockets.socket) -> None:
    while True:
        to.send(b"x" * 65536)


@pytest.mark.parametrize(("size", "status"), [(50_000, b"HTTP/1.1 200"), (200_000, b"HTTP/1.1 400")])
def test_headers_do_not_go_on_for_ever(live: LiveServer, tmp_path: Path, size: int, status: bytes) -> None:
    with (
        live.serving(Settings(model=make_project(tmp_path), reload=False)),
        sockets.create_connection(("127.0.0.1", live.port)) as connection,
    ):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ")
        with suppress(ConnectionError):  # the server has hung up already
            for _ in range(size // 10_000):
                connection.sendall(b"x" * 10_000)
                time.sleep(0.01)
            connection.sendall(b"\r\n\r\n")
        assert connection.recv(12) == status


async def test_who_leaves_a_table_leaves_nothing_behind(live: LiveServer, tmp_path: Path) -> None:
    columns = "'u' as user_id, date '2026-11-01' as paid_on, 'c' || i as channel, i as amount"
    folder = make_project(tmp_path, orders=f"select i as order_id, {columns} from range(90000) as t(i)")
    with live.serving(Settings(model=folder, reload=False)) as app:
        before = tasks(live)
        for ending in ("csv", "json"):
            with sockets.socket() as connection:
                connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
                connection.connect(("127.0.0.1", live.port))
                path = f"/v1/table.{ending}?metrics=gmv&dimensions=channel&limit=100000"
                connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
                assert connection.recv(12) == b"HTTP/1.1 200"  # and of what follows nothing is read
                assert tasks(live) > before
            await asyncio.to_thread(wait_until, lambda: tasks(live) <= before)
        assert len(app.state.running) == 0


def tasks(live: LiveServer) -> int:
    """How many tasks there are in the server."""

    async def count() -> int:
        return len(asyncio.all_tasks())

    return live.await_(count())


# --- places -----------------------------------------------------------------------------------------------------------


def take(held: ExitStack, seats: Seats, viewer: str, limit: int = 0, leave: Callable[[], object] = list) -> None:
    held.enter_context(seats.held(viewer, limit, leave))


def test_places_are_given_back() -> None:
    seats = Seats(2)
    with ExitStack() as held:
        for _ in range(2):
            take(held, seats, "a")
        with pytest.raises(Overloaded, match="2 subscriptions are open"):
            take(held, seats, "a")
        assert len(seats) == 2
    assert len(seats) == 0
    assert seats._held == {}


def test_one_viewer_s_own_limit() -> None:
    seats = Seats(10)
    with ExitStack() as held:
        for viewer in "ab":
            take(held, seats, viewer, limit=1)
        with pytest.raises(RateLimited, match="1 subscriptions of yours are open, which is your limit"):
            take(held, seats, "a", limit=1)
        take(held, seats, "a", limit=2)
        assert len(seats) == 3


def test_who_has_most_gives_the_latest_back() -> None:
    seats, told = Seats(4), list[str]()
    with ExitStack() as held:
        for name in ("a1", "a2", "a3", "a4"):
            take(held, seats, "a", leave=partial(told.append, name))
        for viewer, left in (("b", ["a4"]), ("c", ["a4", "a3"]), ("d", ["a4", "a3", "a2"])):
            take(held, seats, viewer)
            assert told == left
            with pytest.raises(Overloaded):
                take(held, seats, "a")
        with pytest.raises(Overloaded):  # nobody has two more than who comes
            take(held, seats, "e")
        assert len(seats) == 4
    assert len(seats) == 0
    assert seats._held == {}


@pytest.fixture
def signed_in(live: LiveServer, tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """Three keys, the last of somebody who may have one subscription only, of a server with four places."""
    folder = make_project(tmp_path)
    keys = [new_key("ann", {}), new_key("bob", {}), new_key("eve", {"limit_subscriptions": 1})]
    write_keys(folder / FILE_NAME, tuple(record for _, record in keys))
    with live.serving(Settings(model=folder, reload=False, subscribers=4)):
        ann, bob, eve = (f"Bearer {text}" for text, _ in keys)
        yield ann, bob, eve


def test_a_viewer_with_fewer_subscriptions_gets_a_place(live: LiveServer, signed_in: tuple[str, str, str]) -> None:
    ann, bob, eve = signed_in
    with ExitStack() as opened:
        streams = [opened.enter_context(streaming(live, GMV, authorization=ann)) for _ in range(3)]
        assert [stream.event() for stream in streams] == [("next", totals(70))] * 3
        over = opened.enter_context(socket_of(live, {"Authorization": ann}))
        send(over, id="1", type="subscribe", payload={"query": GMV})
        assert receive(over)["type"] == "next"
        for _ in range(2):
            mine = opened.enter_context(streaming(live, GMV, authorization=bob))
            assert mine.event() == ("next", totals(70))
        refused = receive(over)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "OVERLOADED")
        event, body = streams[2].event()
        assert (event, body["errors"][0]["extensions"]["code"]) == ("next", "OVERLOADED")
        assert streams[2].event() == ("complete", None)
        third = opened.enter_context(streaming(live, GMV, authorization=bob))
        assert (third.response.status, third.response.getheader("content-type")) == (
            503,
            "application/json; charset=utf-8",
        )
        assert opened.enter_context(streaming(live, GMV, authorization=eve)).event() == ("next", totals(70))


def test_a_claim_limits_subscriptions(live: LiveServer, signed_in: tuple[str, str, str]) -> None:
    _, _, eve = signed_in
    with ExitStack() as opened:
        assert opened.enter_context(streaming(live, GMV, authorization=eve)).event() == ("next", totals(70))
        more = opened.enter_context(streaming(live, GMV, authorization=eve))
        assert (more.response.status, more.response.getheader("retry-after")) == (429, "5")
        assert "which is your limit" in json.loads(more.response.read())["errors"][0]["message"]
        first = opened.enter_context(socket_of(live, {"Authorization": eve}))
        send(first, id="1", type="subscribe", payload={"query": GMV})
        assert receive(first)["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        second = opened.enter_context(connect(address(live), subprotocols=[PROTOCOL]))  # type: ignore[list-item]
        send(second, type="connection_init", payload={"Authorization": eve})
        assert closed_with(second) == 1013


def test_a_viewer_with_fewer_sockets_gets_a_place(live: LiveServer, signed_in: tuple[str, str, str]) -> None:
    ann, bob, _ = signed_in
    with ExitStack() as opened:
        held = [opened.enter_context(socket_of(live, {"Authorization": ann})) for _ in range(4)]
        opened.enter_context(socket_of(live, {"Authorization": bob}))
        assert closed_with(held[3]) == 1013
        send(held[2], type="ping")
        assert receive(held[2]) == {"type": "pong"}


def address(live: LiveServer) -> str:
    return f"ws://127.0.0.1:{live.port}/graphql"


def test_a_socket_that_says_nothing(live: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.socket, "PATIENCE", 0.3)
    with (
        live.serving(Settings(model=make_project(tmp_path), reload=False)) as app,
        connect(address(live), subprotocols=[PROTOCOL]) as opened,  # type: ignore[list-item]
    ):
        send(opened, type="ping")
        assert receive(opened) == {"type": "pong"}  # that is not who it is
        assert closed_with(opened) == 4408
        wait_until(lambda: len(app.state.sockets) == 0)


def test_silent_sockets_keep_nobody_out(live: LiveServer, tmp_path: Path) -> None:
    settings = Settings(model=make_project(tmp_path), reload=False, subscribers=2)
    with live.serving(settings) as app, ExitStack() as opened:
        silent = [
            opened.enter_context(connect(address(live), subprotocols=[PROTOCOL]))  # type: ignore[list-item]
            for _ in range(2)
        ]
        with socket_of(live) as who:
            send(who, id="1", type="subscribe", payload={"query": GMV})
            assert receive(who)["payload"] == totals(70)
            assert closed_with(silent[0]) == 4408
            send(silent[1], type="connection_init")
            assert receive(silent[1]) == {"type": "connection_ack"}
        silent[1].close()
        wait_until(lambda: len(app.state.sockets) == 0)
