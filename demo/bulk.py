"""Many events, fast: a plain clickstream for benchmarks, without the shop's stories."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from demo import channels, write
from demo.batch import Array, draw
from demo.log import event_ids, part_path
from demo.stories import DAY, midnight
from demo.words import PLATFORM_WEIGHTS, PLATFORMS

EVENTS = ("exposure", "click", "detail_view", "add_to_cart", "order", "pay")
EVENT_WEIGHTS = np.array([0.72, 0.145, 0.09, 0.026, 0.012, 0.007])
EVENTS_PER_USER = 22
FULL_PART = 2_000_000


def events_only(out: Path, rows: int, *, days: int = 90, seed: int = 7, end: date = date(2026, 11, 20)) -> None:
    """Write `rows` events over `days` whole days to `out/data/events/dt=…/part-N.parquet`, in order of time.

    Columns: event_id BIGINT (unique), user_id BIGINT (Zipf-like, about 22 events each), event_time TIMESTAMP (UTC),
    event, channel (12 of them) and platform VARCHAR, amount DOUBLE (null except for pay). A day is a Shanghai day.
    Events already in `out` are replaced. Raises ValueError when `rows` or `days` is below 1.
    """
    if rows < 1 or days < 1:
        raise ValueError("at least one row and one day are needed")
    folder = out / "data" / "events"
    shutil.rmtree(folder, ignore_errors=True)
    users = max(1, rows // EVENTS_PER_USER)
    for index in range(days):
        day = end - timedelta(days=days - 1 - index)
        count = rows * (index + 1) // days - rows * index // days
        rng = np.random.default_rng([seed, 4, index])
        parts = max(1, -(-count // FULL_PART))
        for part in range(parts):
            first, stop = count * part // parts, count * (part + 1) // parts
            if stop > first:
                begin = midnight(day) + DAY * part // parts
                table = _table(rng, event_ids(day, first, stop - first), begin, DAY // parts, users)
                write.write_parquet(table, part_path(folder, day, part))


def _table(rng: np.random.Generator, ids: Array, begin: int, span: int, users: int) -> dict[str, Any]:
    count = len(ids)
    event = draw(rng, EVENT_WEIGHTS, count)
    cents = rng.lognormal(9.2, 0.8, count).astype(np.int64)
    return {
        "event_id": pa.array(ids),
        "user_id": pa.array(_users(rng, users, count)),
        "event_time": write.timestamps(_sorted_times(rng, begin, span, count)),
        "event": write.coded(event, EVENTS),
        "channel": write.coded(draw(rng, 1 / np.arange(2.0, 2 + len(channels.NAMES)), count), channels.NAMES),
        "platform": write.coded(draw(rng, PLATFORM_WEIGHTS, count), PLATFORMS),
        "amount": pa.array(cents / 100, mask=event != len(EVENTS) - 1),
    }


def _users(rng: np.random.Generator, users: int, count: int) -> Array:
    """User ids, few of them very active; neighbouring ids have nothing in common."""
    rank = (users * rng.random(count) ** 2.2).astype(np.int64)
    return 1_000_000 + rank * 2_654_435_761 % _prime_above(users)


def _prime_above(number: int) -> int:
    """The smallest prime above a number: multiplying modulo it scatters ranks without collisions."""
    candidate = number + 1
    while any(candidate % factor == 0 for factor in range(2, int(candidate**0.5) + 1)):
        candidate += 1
    return candidate


def _sorted_times(rng: np.random.Generator, begin: int, span: int, count: int) -> Array:
    """Uniform instants within the span, already in order: normalised sums of exponential gaps."""
    passed = np.cumsum(rng.exponential(1.0, count + 1))
    times: Array = begin + (passed[:-1] / passed[-1] * (span // 1000)).astype(np.int64) * 1000
    return times
