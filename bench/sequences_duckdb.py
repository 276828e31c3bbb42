"""The same questions by hand in DuckDB, in plain SQL: the best shapes known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

_STEPS = ("exposure", "click", "detail_view", "add_to_cart", "order")
_CODES = " ".join(f"WHEN '{name}' THEN {step}" for step, name in enumerate(_STEPS, start=1))


def _level(step: int) -> str:
    """Later events, each with the latest start that reached this step before it, inside the window."""
    source = "packed" if step == 1 else f"level{step - 1}"
    start = "p" if step == 1 else "l"
    return f"""level{step} AS (
    SELECT u, p, l
    FROM (
        SELECT u, p, last_value(CASE WHEN p & 15 = {step} THEN {start} END IGNORE NULLS) OVER w AS l
        FROM {source} WINDOW w AS (PARTITION BY u ORDER BY p ROWS UNBOUNDED PRECEDING)
    )
    WHERE p & 15 > {step} AND (p >> 4) - (l >> 4) <= 604800000000
)"""


FUNNEL = f"""
WITH packed AS (
    SELECT user_id AS u, (epoch_us(event_time) << 4) | step AS p
    FROM (SELECT user_id, event_time, CASE event {_CODES} END AS step FROM events)
    WHERE step IS NOT NULL
), {", ".join(_level(step) for step in range(1, 5))}
SELECT (SELECT count(DISTINCT u) FROM packed WHERE p & 15 = 1),
    {", ".join(f"(SELECT count(DISTINCT u) FROM level{step} WHERE p & 15 = {step + 1})" for step in range(1, 5))}
"""
_DAY = "(CAST(event_time AS DATE) - DATE '2026-08-22')"
_CELLS = ", ".join(f"sum(((m >> {day}) & 1) * c) AS d{day}" for day in range(31))
RETENTION = f"""
WITH users AS (
    SELECT min(CAST(event_time AS DATE)) AS first, bit_or(1::HUGEINT << {_DAY}) AS seen FROM events GROUP BY user_id
), patterns AS (
    SELECT first, ((seen >> (first - DATE '2026-08-22')) & 2147483647)::BIGINT AS m, count(*) AS c
    FROM users GROUP BY ALL
)
SELECT first, sum(c) AS size, {_CELLS} FROM patterns GROUP BY first ORDER BY first
"""


def _window(days: int) -> str:
    mask = f"(((1::HUGEINT << {days}) - 1) << greatest(i - {days - 1}, 0)::INT) & ((1::HUGEINT << (i + 1)::INT) - 1)"
    return f"sum(c) FILTER (WHERE seen & {mask} <> 0) AS users{days}"


ROLLING = f"""
WITH patterns AS (
    SELECT seen, count(*) AS c
    FROM (SELECT bit_or(1::HUGEINT << {_DAY}) AS seen FROM events GROUP BY user_id) GROUP BY seen
)
SELECT DATE '2026-08-22' + i::INT AS day, {_window(7)}, {_window(28)}
FROM patterns, range(91) t(i) GROUP BY i ORDER BY i
"""


def database(folder: Path, threads: int) -> Callable[[str], object]:
    """Asks DuckDB, in this process, about the project's events."""
    connection = duckdb.connect(config={"threads": threads})
    files = f"read_parquet('{folder}/data/events/**/*.parquet')"
    connection.execute(f"CREATE VIEW events AS SELECT * FROM {files}")
    return lambda sql: connection.execute(sql).fetchall()
