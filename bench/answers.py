"""Serving at the limit of the machine: kept answers and answers made anew from kept results."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey

from api.viewers.keys import new_key, write_keys
from bench.measure import Figure
from bench.serving import Server, cpu_of, serving

ROWS = "query Q($n: Int) { metrics(limit: $n) { rows { time(grain: HOUR) channel platform pv gmv } } }"
ANEW = ROWS.replace("gmv } }", "gmv } meta { cached } }")
"""It says whether it was cached, and so is never given as kept bytes."""
PLAIN = """
from pathlib import Path
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

BODY = Path({body!r}).read_bytes()

async def plain(request):
    await request.body()
    return Response(BODY, media_type="application/json")

app = Starlette(routes=[Route("/graphql", plain, methods=["POST"])])
"""
TURNS = 10
ISSUER = "https://bench.example/"


@dataclass(frozen=True, slots=True)
class Case:
    """A request that is sent again and again. `least`: what it is to reach, as a share of a plain route."""

    name: str
    request: bytes
    least: float = 1.0


def answering(folder: Path, threads: int, runs: int) -> Iterator[Figure]:
    """CPU of a request, beside that of a plain Starlette route that returns the same bytes, in turn."""
    with tempfile.TemporaryDirectory() as made:
        signing = _Signing(Path(made))
        with serving(folder, threads, HEADWATER_LOG_LEVEL="warning", **signing.settings) as server:
            yield from _beside_plain(server, list(_quiet(server.connection.port, signing)), runs)
            yield _large(server, runs)
        with serving(folder, threads) as server:
            yield from _beside_plain(server, [Case("the same, with the usual log", _request(ROWS, 100))], runs)
        with serving(folder, threads, HEADWATER_AUDIT_LOG=f"{made}/audit.jsonl") as server:
            yield from _beside_plain(server, [Case("and with an audit log", _request(ROWS, 100), 0)], runs)


def _quiet(port: int, signing: _Signing) -> Iterator[Case]:
    yield Case("a kept answer", _request(ROWS, 100))
    yield Case("the same, with an API key", _request(ROWS, 100, f"x-api-key: {signing.key}"))
    yield Case("the same, with a token", _request(ROWS, 100, f"authorization: Bearer {signing.token}"))
    yield Case("the same by GET, not changed since", _again(port))
    yield Case("a kept result written anew, 100 × 5", _request(ANEW, 100), 0.4)


def _beside_plain(server: Server, cases: list[Case], runs: int) -> Iterator[Figure]:
    port, times = server.connection.port, runs * 150
    with _plain(_post(port, ROWS, 100)) as (plain, plain_port):
        _until_idle(server)
        works = {case.name: (server.cpu, partial(_ask, port, case.request, times)) for case in cases}
        works["plain"] = partial(cpu_of, plain), partial(_ask, plain_port, _request(ROWS, 100), times)
        spent = _in_turn(works, times)
    for case in cases:
        speed, other = 1 / spent[case.name], 1 / spent["plain"]
        target = f">= {case.least} × a plain route" if case.least else ""
        yield Figure(f"{case.name}: requests", speed, "per CPU ms", other, target, speed >= case.least * other)


def _large(server: Server, runs: int) -> Figure:
    _ask(server.connection.port, _request(ANEW, 10_000), 3)
    began = server.cpu()
    _ask(server.connection.port, _request(ANEW, 10_000), runs * 5)
    took = (server.cpu() - began) * 1000 / (runs * 5)
    return Figure("a kept result written anew, 10,000 × 5", took, "ms CPU", None, "<= 5 ms", took <= 5)


class _Signing:
    """An API key and a token, and the settings under which they are taken."""

    def __init__(self, folder: Path) -> None:
        self.key, record = new_key("bench", {"team": "growth"})
        write_keys(folder / "keys.json", (record,))
        secret = RSAKey.generate_key(2048, {"kid": "bench", "use": "sig"})
        (folder / "jwks.json").write_text(json.dumps({"keys": [secret.as_dict(private=False)]}), encoding="utf-8")
        claims = {"iss": ISSUER, "aud": "headwater", "sub": "bench", "exp": int(time.time()) + 3600, "team": "growth"}
        self.token = jwt.encode({"alg": "RS256", "kid": "bench"}, claims, secret)
        self.settings = {
            "HEADWATER_ANONYMOUS": "1",
            "HEADWATER_KEYS": str(folder / "keys.json"),
            "HEADWATER_JWKS": str(folder / "jwks.json"),
            "HEADWATER_JWT_ISSUER": ISSUER,
            "HEADWATER_JWT_AUDIENCE": "headwater",
        }


def _until_idle(server: Server) -> None:
    """Until what it does after its start (kernels are compiled) is done."""
    before = -1.0
    while server.cpu() - before > 0.05:
        before = server.cpu()
        time.sleep(1)


def _in_turn(things: dict[str, tuple[Callable[[], float], Callable[[], None]]], times: int) -> dict[str, float]:
    """Mean CPU milliseconds of one request of each, in turns after one unmeasured."""
    spent = dict.fromkeys(things, 0.0)
    for turn in range(-1, TURNS):
        for name, (clock, work) in things.items():
            before = clock()
            work()
            if turn >= 0:
                spent[name] += (clock() - before) * 1000 / times / TURNS
    return {name: max(value, 0.001) for name, value in spent.items()}


def _request(query: str, rows: int, *headers: str) -> bytes:
    body = json.dumps({"query": query, "variables": {"n": rows}}).encode()
    return _head("POST /graphql", "content-type: application/json", f"content-length: {len(body)}", *headers) + body


def _again(port: int) -> bytes:
    """A GET of what its sender has already."""
    address = urlencode({"query": ROWS, "variables": '{"n": 100}'})
    asked = f"GET /graphql?{address}", "accept: application/json"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head, _ = _exchanged(connection, _head(*asked))
    (tag,) = (line for line in head.decode().split("\r\n") if line.startswith("etag: "))
    return _head(*asked, f"if-none-match: {tag.removeprefix('etag: ')}")


def _head(asked: str, *headers: str) -> bytes:
    return "\r\n".join([f"{asked} HTTP/1.1", "host: x", *headers, "", ""]).encode()


def _post(port: int, query: str, rows: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        return _exchanged(connection, _request(query, rows))[1]


def _ask(port: int, request: bytes, times: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(times):
            _exchanged(connection, request)


def _exchanged(connection: socket.socket, request: bytes) -> tuple[bytes, bytes]:
    """The head and the body of what is answered."""
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(1 << 16)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    pieces, size = [body], len(body)
    while size < sum(lengths):
        pieces.append(connection.recv(1 << 20))
        size += len(pieces[-1])
    return head, b"".join(pieces)


@contextmanager
def _plain(body: bytes) -> Iterator[tuple[int, int]]:
    """A plain route that returns these bytes, on the server ours runs on: its process and port."""
    with tempfile.TemporaryDirectory() as made, socket.socket() as free:
        answer = Path(made) / "body.json"
        answer.write_bytes(body)
        (Path(made) / "plain.py").write_text(PLAIN.format(body=str(answer)), encoding="utf-8")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [sys.executable, "-m", "uvicorn", "plain:app", "--app-dir", made, "--port", str(port)]
        with subprocess.Popen([*command, "--no-access-log", "--log-level", "error"]) as process:
            try:
                _until_open(port)
                yield process.pid, port
            finally:
                process.terminate()


def _until_open(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
        time.sleep(0.05)
