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
from pathlib import Path

from bench.measure import Figure
from bench.serving import TICKS, serving

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


def answering(folder: Path, threads: int, runs: int) -> Iterator[Figure]:
    """CPU of a request, beside that of a plain Starlette route that returns the same bytes, in turn."""
    with serving(folder, threads, HEADWATER_LOG_LEVEL="warning") as server:
        port = server.connection.port
        body = _post(port, ROWS, 100)
        with _plain(body) as (plain, plain_port):
            asked = {"kept": _request(ROWS, 100), "anew": _request(ANEW, 100)}
            spent = _in_turn(
                {
                    "plain": (_clock(plain), lambda: _ask(plain_port, asked["kept"], runs * 60)),
                    "kept": (server.cpu, lambda: _ask(port, asked["kept"], runs * 60)),
                    "anew": (server.cpu, lambda: _ask(port, asked["anew"], runs * 60)),
                },
                runs * 60,
            )
        for name, least in (("kept", 1.0), ("anew", 0.4)):
            speed, other = 1 / spent[name], 1 / spent["plain"]
            met = speed >= least * other
            what = {"kept": "a kept answer", "anew": "a kept result written anew, 100 × 5"}[name]
            yield Figure(f"{what}: requests", speed, "per CPU ms", other, f">= {least} × a plain route", met)
        _ask(port, _request(ANEW, 10_000), 3)
        began = server.cpu()
        _ask(port, _request(ANEW, 10_000), runs * 5)
        took = (server.cpu() - began) * 1000 / (runs * 5)
        yield Figure("a kept result written anew, 10,000 × 5", took, "ms CPU", None, "<= 5 ms", took <= 5)


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


def _request(query: str, rows: int) -> bytes:
    body = json.dumps({"query": query, "variables": {"n": rows}}).encode()
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _post(port: int, query: str, rows: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        return _exchange(connection, _request(query, rows))


def _ask(port: int, request: bytes, times: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(times):
            _exchange(connection, request)


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(1 << 16)
    head, _, body = received.partition(b"\r\n\r\n")
    (length,) = (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    pieces, size = [body], len(body)
    while size < length:
        pieces.append(connection.recv(1 << 20))
        size += len(pieces[-1])
    return b"".join(pieces)


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


def _clock(process: int) -> Callable[[], float]:
    """The CPU seconds of a process."""

    def spent() -> float:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    return spent
