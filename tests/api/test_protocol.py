"""Requests as they come over a connection: whole or in pieces, one after the other or at once, answered in order."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import pytest

from api.front import Front
from api.settings import Settings
from tests.live import LiveServer
from tests.shop import make_project

KNOWN, OTHER, WRONG = "{ metrics { totals { gmv } } }", "{ metrics { totals { orders } } }", "{ nothing }"
GMV, ORDERS = {"gmv": 70}, {"orders": 3}


@pytest.fixture
def shop(live: LiveServer, tmp_path: Path) -> Iterator[LiveServer]:
    with live.serving(Settings(model=make_project(tmp_path), reload=False, freshness_check=60)):
        for _ in range(2):
            live.ask(KNOWN)
        yield live


def post(query: str, *headers: str, version: str = "1.1") -> bytes:
    body = json.dumps({"query": query, "variables": None}).encode()
    lines = ["host: x", "content-type: application/json", f"content-length: {len(body)}", *headers]
    return f"POST /graphql HTTP/{version}\r\n".encode() + "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: x\r\naccept: application/json\r\n\r\n".encode()


class Wire:
    """A connection whose replies are read one by one."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self._file = self.socket.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)

    def reply(self, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        return status, headers, self._file.read(int(headers["content-length"])) if has_body else b""

    def totals(self) -> object:
        status, _, body = self.reply()
        assert status == 200
        return json.loads(body).get("data", {"metrics": None})["metrics"]["totals"]

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def is_closed(self) -> bool:
        return self._file.read() == b""


@pytest.fixture
def wire(shop: LiveServer) -> Iterator[Wire]:
    wire = Wire(shop.port)
    yield wire
    wire.close()


def test_several_at_once_are_answered_in_order(wire: Wire) -> None:
    orders = {KNOWN: GMV, OTHER: ORDERS}
    asked = [KNOWN, KNOWN, OTHER, KNOWN, OTHER, OTHER, KNOWN]
    for _ in range(2):
        wire.send(b"".join(post(query) for query in asked))
        assert [wire.totals() for _ in asked] == [orders[query] for query in asked]
    wire.send(post(KNOWN) + get("/healthz") + post(KNOWN))
    assert wire.totals() == GMV
    assert json.loads(wire.reply()[2]) == {"status": "ok"}
    assert wire.totals() == GMV


@pytest.mark.parametrize("query", [KNOWN, OTHER])
def test_in_pieces(wire: Wire, query: str) -> None:
    wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    whole = post(query)
    body = whole.index(b"\r\n\r\n") + 4
    for cuts in ((5,), (body,), (body - 2,), (body + 3, body + 9), (len(whole) - 1,), range(0, len(whole), 7)):
        for piece in (whole[start:end] for start, end in pairwise((0, *cuts, len(whole)))):
            wire.send(piece)
        assert wire.totals() == {KNOWN: GMV, OTHER: ORDERS}[query]
    size = f"{len(whole) - body:x}".encode()
    head = whole[: whole.index(b"content-length")] + b"transfer-encoding: chunked\r\n\r\n"
    wire.send(head, size + b"\r\n", whole[body:] + b"\r\n", b"0\r\n\r\n")
    assert wire.totals() == {KNOWN: GMV, OTHER: ORDERS}[query]


@pytest.mark.parametrize(("version", "header"), [("1.1", "connection: close"), ("1.0", "x: y")])
def test_the_last_one_of_a_connection(wire: Wire, version: str, header: str) -> None:
    wire.send(post(KNOWN))
    assert wire.totals() == GMV
    wire.send(post(KNOWN, header, version=version))
    assert wire.totals() == GMV
    assert wire.is_closed()


def test_a_body_that_waits_to_be_asked_for(wire: Wire) -> None:
    whole = post(KNOWN, "expect: 100-continue")
    body = whole.index(b"\r\n\r\n") + 4
    wire.send(whole[:body])
    assert wire.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(whole[body:])
    assert wire.totals() == GMV


def test_what_is_no_http_ends_the_connection(wire: Wire) -> None:
    wire.send(post(KNOWN) + b"nonsense\r\n\r\n")
    assert wire.totals() == GMV
    assert wire.reply()[0] == 400
    assert wire.is_closed()


def test_a_head_has_no_body(wire: Wire) -> None:
    path = "/graphql?query=%7Bmetrics%7Btotals%7Bgmv%7D%7D%7D"
    for _ in range(3):
        wire.send(get(path))
        tag = wire.reply()[1]["etag"]
        wire.send(get(path).replace(b"GET", b"HEAD"))
        assert wire.reply(has_body=False)[1]["etag"] == tag
        wire.send(get(path).replace(b"accept:", f"if-none-match: {tag}\r\naccept:".encode()))
        assert wire.reply(has_body=False)[0] == 304


def test_only_what_is_not_kept_enters_the_application(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(*_: object) -> None:
        raise AssertionError("entered")

    monkeypatch.setattr(Front, "__call__", call)
    for _ in range(3):
        wire.send(post(KNOWN))
        assert wire.totals() == GMV
    wire.send(post(WRONG))
    assert wire.reply()[0] == 500


def chunked(query: str, end: bytes) -> bytes:
    whole = post(query)
    body = whole.index(b"\r\n\r\n") + 4
    head = whole[: whole.index(b"content-length")] + b"transfer-encoding: chunked\r\n\r\n"
    return head + f"{len(whole) - body:x}\r\n".encode() + whole[body:] + b"\r\n0\r\n" + end


def test_what_follows_a_body_is_no_header(live: LiveServer, tmp_path: Path) -> None:
    """A proxy that replaces headers may pass on what comes after the body, from whoever asks."""
    proxies = (ip_network("127.0.0.0/8"),)
    settings = Settings(model=make_project(tmp_path), reload=False, trusted_proxies=proxies)
    with live.serving(settings):
        wire = Wire(live.port)
        wire.send(chunked(KNOWN, b"x-headwater-viewer: boss\r\n\r\n"))
        assert wire.reply()[0] == 401
        wire.send(post("{ viewer { id } }", "x-headwater-viewer: ann"))
        assert json.loads(wire.reply()[2])["data"]["viewer"]["id"] == "ann"
        wire.close()


@pytest.mark.parametrize("field", [b"x: y\r\n", b"y"])
def test_what_follows_a_body_ends(wire: Wire, field: bytes) -> None:
    wire.send(chunked(KNOWN, b"x: " + field))
    wire.socket.settimeout(10)
    with pytest.raises(OSError, match=r"reset|[Bb]roken"):
        wire.send(*[field * 2000] * 50_000)  # far more than any buffer between the two holds
    wire.close()
