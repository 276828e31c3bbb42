"""Credited GMV by channel over HTTP, against the best SQL by hand that we know: two ASOF joins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from bench.measure import Figure, Timed, in_turn
from bench.serving import serving

QUERY = "{ metrics { rows { channel creditedGmv } } }"
BY_HAND = """
WITH earned AS (SELECT user_id, event_time, channel FROM events WHERE channel <> 'quick_entry'),
direct AS (SELECT user_id, event_time, channel FROM events WHERE channel = 'quick_entry'),
one AS (
  SELECT o.user_id, o.paid_at, o.amount, e.event_time AS earned_at, e.channel AS earned_by
  FROM orders AS o ASOF LEFT JOIN earned AS e ON o.user_id = e.user_id AND o.paid_at >= e.event_time),
both_ways AS (
  SELECT one.*, d.event_time AS direct_at, d.channel AS direct_by
  FROM one ASOF LEFT JOIN direct AS d ON one.user_id = d.user_id AND one.paid_at >= d.event_time)
SELECT CASE WHEN earned_at >= paid_at - INTERVAL 30 DAY THEN earned_by
  WHEN direct_at >= paid_at - INTERVAL 30 DAY THEN direct_by END AS channel, sum(amount)
FROM both_ways GROUP BY 1 ORDER BY 1
"""
MOST = 2.0
UNCACHED = {"HEADWATER_CACHE_BYTES": "0", "HEADWATER_DEADLINE": "600"}


def credit(folder: Path, threads: int, runs: int) -> Iterator[Figure]:
    """The last touch that is not direct, in the thirty days before each order; every event is a touch."""
    with duckdb.connect(config={"threads": threads}) as connection:
        for name, path in {"events": "events/**/*.parquet", "orders": "orders.parquet"}.items():
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder}/data/{path}')")
        with serving(folder, threads, **UNCACHED) as server:
            served = Timed(lambda run: server.ask(QUERY), server.cpu)
            by_hand = Timed(lambda run: connection.execute(BY_HAND).fetchall(), time.process_time)
            ours, hand = in_turn(served, by_hand, runs)
    target = f"≤ {MOST:g} × by hand"
    yield Figure("credited GMV by channel", ours.cpu, "ms CPU", hand.cpu, target, ours.cpu <= MOST * hand.cpu)
    yield Figure("  by the clock", ours.wall, "ms", hand.wall, "", True)
