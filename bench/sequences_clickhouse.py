"""The same questions by hand in ClickHouse, in its own functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

FUNNEL = """
SELECT depth, count()
FROM (
    SELECT windowFunnel(604800000000)(
        toUInt64(toUnixTimestamp64Micro(event_time)),
        event = 'exposure', event = 'click', event = 'detail_view', event = 'add_to_cart', event = 'order'
    ) AS depth
    FROM events
    WHERE event IN ('exposure', 'click', 'detail_view', 'add_to_cart', 'order')
    GROUP BY user_id
)
GROUP BY depth ORDER BY depth
"""
_DAYS = ", ".join(f"toDate(event_time) = first + {day}" for day in range(31))
RETENTION = f"""
SELECT cohort, sumForEach(back)
FROM (
    SELECT any(first) AS cohort, retention({_DAYS}) AS back
    FROM events AS e
    INNER JOIN (SELECT user_id, min(toDate(event_time)) AS first FROM events GROUP BY user_id) AS f USING (user_id)
    GROUP BY user_id
)
GROUP BY cohort ORDER BY cohort
"""


ROLLING = """
SELECT day, uniqExactIf(user_id, ago < 7), uniqExact(user_id)
FROM (
    SELECT user_id, arrayJoin(range(28)) AS ago, seen + ago AS day
    FROM (SELECT DISTINCT user_id, toDate(event_time) AS seen FROM events)
)
GROUP BY day ORDER BY day
"""
"""Each day of a user stands for the days whose windows hold it: exact, whatever the users are called."""


def database(folder: Path, threads: int) -> Callable[[str], object]:
    """Asks ClickHouse, in this process, about the project's events."""
    from chdb.session import Session

    session = Session()
    # Columns are as they are stored: without nulls to look for, which it is faster at.
    settings = f"max_threads = {threads}, schema_inference_make_columns_nullable = 0"
    source = f"file('{folder}/data/events/**/*.parquet', Parquet)"
    return lambda sql: session.query(f"WITH events AS (SELECT * FROM {source}) {sql} SETTINGS {settings}")
