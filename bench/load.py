"""Callers in a process of their own: `python -m bench.load KIND PORT SECONDS CONNECTIONS RATE`, and figures as JSON.

`kept` asks for one answer that is kept, at a steady rate however long answers take (open loop): what a caller waits is
counted from the moment the request was due. `anew` asks likewise for a kept result that is written anew, `long` for one
of 2,000 rows, which costs the server far more than the callers. `heavy` asks for what was never asked before, each
connection the next one as soon as it is answered.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import count

from bench.answers import ANEW, ROWS

HEAVY = (
    "metrics({}) {{ rows {{ time(grain: DAY) uv7 uv28 }} }}",
    "metrics({}) {{ rows {{ channel platform uv gmv }} }}",
    "metrics({}) {{ rows {{ time(grain: DAY) channel uv pv gmv }} totals {{ uv }} }}",
)
"""Distinct people over 10 million events, in three ways."""


def heavy() -> Iterator[bytes]:
    """Requests that nobody asked before."""
    began = time.time_ns()
    for number in count():
        where = f'where: {{platform: {{ne: "x{began + number}"}}}}, limit: 1000'
        yield _request("{ " + HEAVY[number % len(HEAVY)].format(where) + " }")


class Caller(asyncio.Protocol):
    """One connection, which waits for each answer before it asks again."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = bytearray()
        self._length = 0
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be free to ask."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._load.free(self)

    def ask(self, request: bytes, due: float) -> None:
        """Send a request that was due at a time."""
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Note what was waited for, once the whole answer is here."""
        self._received += data
        if not self._length:
            head, found, _ = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            lines = bytes(head).lower().split(b"\r\n")
            assert b" 200 " in lines[0], bytes(self._received)
            (size,) = (int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            self._length = len(head) + 4 + size
        if len(self._received) >= self._length:
            self._received.clear()
            self._length = 0
            if not self._load.is_over:
                self._load.waited.append(time.perf_counter() - self._due)
            self._load.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        """That must not be."""
        assert self._load.is_over, error


class Load:
    """Requests of several connections. `rate`: a second, of all together; 0 is as soon as one is free."""

    def __init__(self, requests: Iterator[bytes], rate: float) -> None:
        self._requests = requests
        self._rate = rate
        self._free: deque[Caller] = deque()
        self._due: deque[float] = deque()
        self.is_over = False
        self.waited: list[float] = []
        self.late: list[float] = []

    def free(self, caller: Caller) -> None:
        """A connection can ask."""
        self._free.append(caller)
        if not self._rate:
            self._due.append(time.perf_counter())
        self._go()

    def _go(self) -> None:
        while self._free and self._due and not self.is_over:
            self._free.popleft().ask(next(self._requests), self._due.popleft())

    async def run(self, port: int, seconds: float, connections: int) -> None:
        """Ask for so long."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            await loop.create_connection(lambda: Caller(self), "127.0.0.1", port)
        began = time.perf_counter()
        if not self._rate:
            await asyncio.sleep(seconds)
        for number in range(int(seconds * self._rate)):
            due = began + number / self._rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self.late.append(time.perf_counter() - due)
            self._due.append(due)
            self._go()
        while self._rate and len(self._free) < connections:  # whoever waits longest counts, too
            await asyncio.sleep(0.01)
        self.is_over = True


def main() -> None:
    """Ask, and print how many answers a second there were, what was waited for them, and what asking cost; how late it
    was is the callers' own part of it.
    """
    kind, port, seconds, connections, rate = sys.argv[1], *map(float, sys.argv[2:])
    requests = {
        "kept": lambda: _same(ROWS),
        "anew": lambda: _same(ANEW),
        "long": lambda: _same(ANEW, 2000),
        "heavy": heavy,
    }[kind]()
    load = Load(requests, rate)
    asyncio.run(load.run(int(port), seconds, int(connections)))
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "a_second": len(load.waited) / seconds,
        "p50": _share(load.waited, 0.5),
        "p99": _share(load.waited, 0.99),
        "late": _share(load.late, 0.99),
        "cpu_each": (used.ru_utime + used.ru_stime) * 1000 / max(1, len(load.waited)),
    }
    print(json.dumps(figures))


def _share(seconds: list[float], share: float) -> float:
    """Milliseconds that such a share of them is not longer than."""
    return sorted(seconds)[int(len(seconds) * share)] * 1000 if seconds else 0.0


def _same(query: str, rows: int = 100) -> Iterator[bytes]:
    whole = _request(query, n=rows)
    while True:
        yield whole


def _request(query: str, **variables: object) -> bytes:
    body = json.dumps({"query": query, "variables": variables}).encode()
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    main()
