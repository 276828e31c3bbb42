"""A server of its own process to measure: ask it over HTTP, read its CPU time and memory."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Server:
    """A running `headwater serve`, and one kept-alive connection to it."""

    process: subprocess.Popen[bytes]
    connection: HTTPConnection
    started_in: float

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.connection.port

    def files(self) -> int:
        """How many are open, connections among them."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The answer's `data`. RuntimeError when it has errors."""
        answer = json.loads(self._post(json.dumps({"query": query, "variables": variables})))
        if "errors" in answer:
            raise RuntimeError(str(answer["errors"])[:500])
        return answer["data"]

    def _post(self, body: str) -> bytes:
        for attempt in (1, 2):  # a connection that was idle for long is closed by the server
            try:
                self.connection.request("POST", "/graphql", body, {"content-type": "application/json"})
                return self.connection.getresponse().read()
            except (BrokenPipeError, ConnectionResetError, RemoteDisconnected):
                self.connection.close()
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def cpu(self) -> float:
        """CPU seconds the process has used so far, all threads."""
        return cpu_of(self.process.pid)

    def settle(self) -> None:
        """Wait until it does nothing by itself any more: proving keys, learning values (a minute at most)."""
        until = time.monotonic() + 60
        quiet = 0
        while quiet < 3 and time.monotonic() < until:
            before = self.cpu()
            time.sleep(0.3)
            quiet = quiet + 1 if self.cpu() - before < 0.01 else 0

    def memory(self) -> float:
        """Resident memory in MB."""
        return self._status("VmRSS")

    def peak(self) -> float:
        """The most resident memory so far, in MB."""
        return self._status("VmHWM")

    def _status(self, name: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        (found,) = (int(line.split()[1]) for line in lines if line.startswith(name))
        return found / 1024


def cpu_of(process: int) -> float:
    """CPU seconds a process has used so far, all threads: its own clock, whose number Linux makes of the process'.

    /proc tells hundredths of a second only, in which hundreds of kept answers are given.
    """
    return time.clock_gettime((~process << 3) | 2)


@contextmanager
def serving(folder: Path, threads: int, **settings: str) -> Iterator[Server]:
    """A server of a project folder, ready to answer. `settings`: more variables of its environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("headwater")), "serve", "--model", str(folder), "--port", str(port)]
    environment = {**os.environ, "HEADWATER_THREADS": str(threads), "HEADWATER_FRESHNESS_CHECK": "60", **settings}
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            connection = _ready(port)
            yield Server(process, connection, time.perf_counter() - began)
        finally:
            process.terminate()


def _ready(port: int) -> HTTPConnection:
    until = time.monotonic() + 120
    while True:
        connection = HTTPConnection("127.0.0.1", port)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().read() and time.monotonic() < until:
                return connection
        except OSError:
            if time.monotonic() > until:
                raise
        time.sleep(0.05)
