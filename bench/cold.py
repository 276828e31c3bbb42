"""Cold queries over HTTP against the same question by hand in DuckDB, in turn, over the same files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from bench.measure import Figure, Timed, in_turn
from bench.serving import Server

# (name, a selection of `metrics` whose limit makes each run a question of its own, SQL by hand)
QUESTIONS = (
    (
        "rows by day",
        "{ metrics(limit: $limit) { rows { time(grain: DAY) pv } } }",
        "SELECT CAST(event_time AS DATE) AS d, count(*) FROM events GROUP BY 1 ORDER BY 1",
    ),
    (
        "sum by day and channel",
        "{ metrics(limit: $limit) { rows { time(grain: DAY) channel gmv } } }",
        "SELECT CAST(event_time AS DATE) AS d, channel, sum(amount) FROM events GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    (
        "UV by day",
        "{ metrics(limit: $limit) { rows { time(grain: DAY) uv } } }",
        "SELECT CAST(event_time AS DATE) AS d, count(DISTINCT user_id) FROM events GROUP BY 1 ORDER BY 1",
    ),
    (
        "UV by day in Shanghai",
        '{ metrics(timezone: "Asia/Shanghai", limit: $limit) { rows { time(grain: DAY) uv } } }',
        "SELECT CAST(event_time + INTERVAL 8 HOUR AS DATE) AS d, count(DISTINCT user_id) FROM events "
        "GROUP BY 1 ORDER BY 1",
    ),
    (
        "UV by day and channel",
        "{ metrics(limit: $limit) { rows { time(grain: DAY) channel uv } } }",
        "SELECT CAST(event_time AS DATE) AS d, channel, count(DISTINCT user_id) FROM events "
        "GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    (
        "one day, one channel",
        '{ metrics(timeRange: {dates: {from: "2026-11-01", to: "2026-11-01"}}, '
        'where: {channel: {eq: "search"}}, limit: $limit) '
        "{ rows { platform uv } } }",
        "SELECT platform, count(DISTINCT user_id) FROM events WHERE event_time >= TIMESTAMP '2026-11-01' "
        "AND event_time < TIMESTAMP '2026-11-02' AND channel = 'search' GROUP BY 1 ORDER BY 1",
    ),
    (
        "two facts: ROAS by channel",
        "{ metrics(limit: $limit) { rows { channel gmv spend roas } } }",
        "SELECT channel, gmv, spend, gmv / nullif(spend, 0) "
        "FROM (SELECT channel, sum(amount) AS gmv FROM events GROUP BY 1) "
        "FULL JOIN (SELECT channel, sum(cost) AS spend FROM ad_spend GROUP BY 1) USING (channel) ORDER BY 1",
    ),
)
ABSOLUTE_MS, RATIO, LONG_MS = 3.0, 1.1, 100.0


def cold(server: Server, folder: Path, threads: int, runs: int) -> Iterator[Figure]:
    """One figure for each question: at most 3 ms over the hand SQL, and at most 1.1 times it beyond 100 ms."""
    with duckdb.connect(config={"threads": threads}) as connection:
        files = {"events": "events/**/*.parquet", "ad_spend": "ad_spend.parquet"}
        for name, path in files.items():
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder}/data/{path}')")
        for place, (name, query, sql) in enumerate(QUESTIONS):
            first = 1000 + place * 1000
            document = f"query ($limit: Int!) {query}"  # parsed once, as a dashboard's is
            served = Timed(lambda run: server.ask(document, {"limit": first + run + 1}), server.cpu)  # noqa: B023
            by_hand = Timed(lambda run: connection.execute(sql).fetchall(), time.process_time)  # noqa: B023
            ours, hand = in_turn(served, by_hand, runs)
            allowed = hand.cpu * RATIO if hand.wall > LONG_MS else hand.cpu + ABSOLUTE_MS
            target = f"≤ {RATIO} ×" if hand.wall > LONG_MS else f"≤ +{ABSOLUTE_MS:g} ms"
            yield Figure(f"cold: {name}", ours.cpu, "ms CPU", hand.cpu, target, ours.cpu <= allowed)
            yield Figure("  by the clock", ours.wall, "ms", hand.wall, "", True)
