"""What others wait for while heavy questions run, and how many answers a second there are: with one worker and two."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.measure import Figure
from bench.serving import Server, serving

RATE, CALLERS = 200, 8
"""Requests a second at a steady rate, and the connections they come over."""
ASKERS = 4
"""Connections that ask heavy questions, each the next one as soon as it is answered."""
EACH = 0.5
"""Seconds of measuring for each of the runs that are asked for."""
MOST = 10
"""Milliseconds that one of a hundred kept answers may take longer than."""
KINDS = {
    "kept": "kept answers",
    "anew": "kept results written anew, 100 × 5",
    "long": "kept results written anew, 2,000 × 5",
}
PATIENCE = 120
"""Seconds that a start may take."""


def steady(folder: Path, threads: int, runs: int) -> Iterator[Figure]:
    """How long kept answers take while heavy questions run, and answers a second.

    The callers run on the same machine and wait for a core, too: how late they were themselves is shown beside.
    """
    for workers in (1, 2):
        each = max(1, threads // workers)
        with serving(folder, each, HEADWATER_LOG_LEVEL="error", HEADWATER_WORKERS=str(workers)) as server:
            _wait_for(server, "workers", workers)
            for kind in KINDS:
                _answers(server, kind, EACH, CALLERS)
            _wait_for(server, "query_seconds_count", 2 * workers)  # each has computed both results, and keeps them
            yield from _of(server, f"{workers} worker{'' if workers == 1 else 's'}", runs * EACH)


def _of(server: Server, workers: str, seconds: float) -> Iterator[Figure]:
    with _asking(server, "heavy", seconds + 4 * EACH, ASKERS, 0) as heavy:
        time.sleep(2 * EACH)
        found = _answers(server, "kept", seconds, CALLERS, RATE)
        heavy.communicate()
    late = f"callers late by {found['late']:.1f}"
    what = f"a kept answer while heavy questions run, {workers}"
    yield Figure(f"{what}: median", found["p50"], "ms", None, "", True)
    yield Figure(f"{what}: 99 of 100", found["p99"], "ms", None, f"< {MOST} ms; {late}", found["p99"] < MOST)
    for kind, name in KINDS.items():
        found = _answers(server, kind, seconds, 2 * CALLERS)
        asking = f"asking takes {found['cpu_each']:.3f} ms CPU"
        yield Figure(f"{name}, {workers}", found["a_second"], "a second", None, asking, True)


def _answers(server: Server, kind: str, seconds: float, connections: int, rate: float = 0) -> Any:
    with _asking(server, kind, seconds, connections, rate) as asking:
        return json.loads(asking.communicate()[0])


@contextmanager
def _asking(
    server: Server, kind: str, seconds: float, connections: int, rate: float
) -> Iterator[subprocess.Popen[bytes]]:
    """Callers in a process of their own: see bench.load."""
    asked = map(str, (kind, server.connection.port, seconds, connections, rate))
    with subprocess.Popen([sys.executable, "-m", "bench.load", *asked], stdout=subprocess.PIPE) as process:
        yield process


def _wait_for(server: Server, metric: str, value: int) -> None:
    until = time.monotonic() + PATIENCE
    while not _is(server, metric, value):
        assert time.monotonic() < until
        time.sleep(0.1)


def _is(server: Server, metric: str, value: int) -> bool:
    """Whether a metric of the server has this value."""
    with closing(HTTPConnection("127.0.0.1", server.connection.port)) as connection:
        connection.request("GET", "/metricsz")
        return f"\nheadwater_{metric} {value}.0\n" in connection.getresponse().read().decode()
