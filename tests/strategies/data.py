"""Rows: small pools with ties, nulls, repeated keys, Chinese and awkward strings, times around the edges of days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from tests.reference.world import Table
from tests.strategies.choices import Choices

ZONES = (
    "UTC",
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
)
ANCHORS = (
    date(2024, 3, 31),  # Berlin springs forward, at the end of a month
    date(2024, 2, 29),
    date(2024, 3, 10),  # New York springs forward
    date(2024, 4, 7),  # Lord Howe falls back by half an hour
    date(2024, 10, 6),  # Lord Howe springs forward
    date(2024, 10, 27),  # Berlin falls back
    date(2018, 11, 4),  # São Paulo skips midnight; New York falls back
    date(2025, 1, 1),
    date(2026, 11, 1),  # New York falls back; Shanghai's month begins
)
"""Days around which the rows of a world lie."""

CHANNELS = ("ads", "search", "Ads")
CITIES = ("北京", "上海", "O'Brien 100%", "a_b", "")
SHOPS = (1, 12, 2**53 + 1, -(2**63))
LEVELS = ("gold", "silver")
REGIONS = ("华东", "华北")

_MINUTES = (720, 0, 1, 29, 30, 59, 60, 90, 120, 150, 180, 330, 331, 719, 930, 960, 990, 1095, 1320, 1410, 1439)
_SHIFTS = (0, 0, 0, 0, 0, 1, -1, 1, -1, 2, -2, 3, 6, -7, 7, -30, 30, 31, -31)
_SECONDS = (0, 0, 0, 30, 59)

Pools = dict[str, Sequence[Any]]


def _days(anchor: date) -> list[date]:
    """Local days, mostly near the anchor."""
    return [anchor + timedelta(days=shift) for shift in _SHIFTS]


def _instants(anchor: date) -> list[datetime]:
    """Naive times near an hour, a half hour or the edge of a day."""
    return [
        datetime(day.year, day.month, day.day) + timedelta(minutes=minutes, seconds=seconds)
        for day in _days(anchor)
        for minutes in _MINUTES
        for seconds in _SECONDS
    ]


def _times(kind: str, anchor: date) -> list[Any]:
    """Values of a time column of that type, a few of them null."""
    found: list[Any]
    match kind:
        case "DATE":
            found = list(_days(anchor))
        case "TIMESTAMP":
            found = list(_instants(anchor))
        case _:
            found = [moment.replace(tzinfo=UTC) for moment in _instants(anchor)]
    return [*found, *([None] * (len(found) // 20 + 1))]


def _amounts(kind: str) -> list[Any]:
    """Non-negative numbers whose sums are exact in binary, so that no rounding blurs a comparison."""
    quarters = (40, 0, 1, 2, 4, 10, 41, 43, 60, 80, 120, 160)
    match kind:
        case "BIGINT":
            found: list[Any] = [number // 4 for number in quarters]
        case "DOUBLE":
            found = [number / 4 for number in quarters]
        case _:
            found = [Decimal(number) / 4 for number in quarters]
    return [*found, None, None]


@cache
def _fact_pools(anchor: date, time_kind: str, amount_kind: str) -> Pools:
    return {
        "id": (*range(1, 13), None),
        "user_id": ("u1", "u2", "u3", "u4", None),
        "at": _times(time_kind, anchor),
        "channel": (*CHANNELS, None),
        "city": (*CITIES, None),
        "amount": _amounts(amount_kind),
        "quantity": (1, 0, 2, 4, None),
        "flag": (True, False, None),
        "day": (*_days(anchor), None),
        "seen": (*_instants(anchor), *([None] * 100)),
        "shop": (*SHOPS, None),
        "received_at": (*_instants(anchor)[:10], None),
    }


FACT_COLUMNS = {
    "id": "BIGINT",
    "user_id": "VARCHAR",
    "at": "TIMESTAMP",
    "channel": "VARCHAR",
    "city": "VARCHAR",
    "amount": "BIGINT",
    "quantity": "INTEGER",
    "flag": "BOOLEAN",
    "day": "DATE",
    "seen": "TIMESTAMP",
    "shop": "BIGINT",
}
USER_COLUMNS = {
    "user_id": "VARCHAR",
    "level": "VARCHAR",
    "bonus": "INTEGER",
    "region_id": "BIGINT",
    "joined": "TIMESTAMP",
}
USER_POOLS: Pools = {
    "user_id": ("u1", "u2", "u3", None),
    "level": (*LEVELS, None),
    "bonus": (0, 1, 2, 4, None),
    "region_id": (1, 2, 3, None),
}
REGION_COLUMNS = {"region_id": "BIGINT", "region": "VARCHAR"}
REGION_POOLS: Pools = {"region_id": (1, 2, None), "region": (*REGIONS, None)}


def _table(choices: Choices, kinds: dict[str, str], pools: Pools, most: int) -> Table:
    """Rows of independent cells; a primary key is drawn from so few values that it repeats."""
    count = choices.pick((most // 2, most, most, most // 3, 1, 0))
    rows = [{column: choices.pick(pools[column]) for column in kinds} for _ in range(count)]
    cuts = [choices.below(count + 1)] if choices.chance(3) else []
    return Table(kinds, rows, tuple(cuts))


def facts(choices: Choices, anchor: date) -> Table:
    """A table of events: who, when, how much, and what it can be split by."""
    time_kind = choices.pick(("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DATE"))
    amount_kind = choices.pick(("BIGINT", "DOUBLE", "DECIMAL(12,2)"))
    kinds = FACT_COLUMNS | {"at": time_kind, "amount": amount_kind}
    if choices.chance(3):
        kinds["received_at"] = "TIMESTAMP"
    return _table(choices, kinds, _fact_pools(anchor, time_kind, amount_kind), 16)


def people(choices: Choices, anchor: date) -> dict[str, Table]:
    """Who the facts' users are and where they live; some are missing, some are there twice."""
    return {
        "users": _table(choices, USER_COLUMNS, {**USER_POOLS, "joined": (*_instants(anchor), None)}, 5),
        "regions": _table(choices, REGION_COLUMNS, REGION_POOLS, 3),
    }
