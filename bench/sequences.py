"""Funnels, retention and rolling distinct users over HTTP, against the same by hand in ClickHouse or in DuckDB.

ClickHouse (chDB, the extra `witness`) is the peer where it is installed, else DuckDB. No answer is kept, so that every
run computes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from bench.measure import Figure, Timed, in_turn
from bench.serving import Server, serving

FUNNEL = "{ funnel(name: CHECKOUT) { steps { count conversion } } }"
SPLIT = (
    "{ funnel(name: CHECKOUT, breakdown: [CHANNEL]) "
    "{ steps { count conversion } groups { key { value } steps { count conversion } } } }"
)
RETENTION = "{ retention(name: VISITORS) { cohorts { time size cells { count rate } } } }"
ROLLING = "{ metrics { rows { time(grain: DAY) uv7 uv28 } } }"
MEMORY = 4096.0
SLOW = {"HEADWATER_CACHE_BYTES": "0", "HEADWATER_DEADLINE": "600"}


def sequences(folder: Path, threads: int, runs: int) -> Iterator[Figure]:
    """CPU of the server against the peer's, the server's own growth with a breakdown, and the memory it took."""
    peer, ask, questions = _peer(folder, threads)
    with serving(folder, threads, **SLOW) as server:
        for name, query, sql, most in questions:
            by_hand = Timed(lambda run: ask(sql), time.process_time)  # noqa: B023
            ours, hand = in_turn(_asked(server, query), by_hand, runs)
            yield Figure(name, ours.cpu, "ms CPU", hand.cpu, f"≤ {most} × {peer}", ours.cpu <= most * hand.cpu)
            yield Figure("  by the clock", ours.wall, "ms", hand.wall, "", True)
        split, plain = in_turn(_asked(server, SPLIT), _asked(server, FUNNEL), runs)
        yield Figure("funnel by channel", split.cpu, "ms CPU", plain.cpu, "≤ 1.3 × plain", split.cpu <= 1.3 * plain.cpu)
        used = server.peak()
        yield Figure("most memory of these", used, "MB", None, f"< {MEMORY:.0f} MB", used < MEMORY)


def _asked(server: Server, query: str) -> Timed:
    return Timed(lambda run: server.ask(query), server.cpu)


Questions = tuple[tuple[str, str, str, float], ...]
"""Name, GraphQL, the peer's SQL, how many times the peer's CPU it may take."""


def _peer(folder: Path, threads: int) -> tuple[str, Callable[[str], object], Questions]:
    if find_spec("chdb") is None:
        from bench import sequences_duckdb as duck

        asked = (duck.FUNNEL, 0.6), (duck.RETENTION, 1.1), (duck.ROLLING, 1.1)
        return "DuckDB", duck.database(folder, threads), _questions(asked)
    from bench import sequences_clickhouse as click

    asked = (click.FUNNEL, 0.8), (click.RETENTION, 0.4), (click.ROLLING, 0.3)
    return "ClickHouse", click.database(folder, threads), _questions(asked)


def _questions(asked: tuple[tuple[str, float], ...]) -> Questions:
    names = ("funnel: 5 steps, 7 days", "retention: 30 days", "rolling 7 and 28 days")
    ours = zip(names, (FUNNEL, RETENTION, ROLLING), asked, strict=True)
    return tuple((name, query, sql, most) for name, query, (sql, most) in ours)
