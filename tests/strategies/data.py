"""Rows: small pools with ties, nulls, repeated keys, Chinese and awkward strings, times around the edges of days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.reference.world import Table

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
    date(2026, 11, 1),  # New York and Lord Howe change their clocks in these weeks, Shanghai's month begins
    date(2024, 2, 29),
    date(2024, 3, 10),  # New York springs forward
    date(2024, 3, 31),  # Berlin springs forward, at the end of a month
    date(2024, 4, 7),  # Lord Howe falls back by half an hour
    date(2024, 10, 6),  # Lord Howe springs forward
    date(2024, 10, 27),  # Berlin falls back
    date(2018, 11, 4),  # São Paulo skips midnight; New York falls back
    date(2025, 1, 1),
)
"""Days around which the rows of a world lie."""

CITIES = ("北京", "上海", "O'Brien 100%", "a_b", "")
CHANNELS = ("ads", "search", "Ads")
SHOPS = (1, 12, 2**53 + 1, -(2**63))
LEVELS = ("gold", "silver")
REGIONS = ("华东", "华北")

_MINUTES = (0, 1, 29, 30, 59, 60, 90, 120, 150, 180, 330, 331, 719, 720, 930, 960, 990, 1095, 1320, 1410, 1439)
_SHIFTS = (0, 0, 0, 0, 1, -1, 1, -1, 2, -2, 3, 6, -7, 7, -30, 30, 31, -31)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, sometimes null."""
    return st.one_of(strategy, strategy, strategy, st.none())


def days(anchor: date) -> st.SearchStrategy[date]:
    """A local day, mostly near the anchor."""
    return st.sampled_from(_SHIFTS).map(lambda shift: anchor + timedelta(days=shift))


def instants(anchor: date) -> st.SearchStrategy[datetime]:
    """A naive time near an hour, a half hour or the edge of a day."""
    return st.builds(
        lambda day, minutes, seconds: (
            datetime(day.year, day.month, day.day) + timedelta(minutes=minutes, seconds=seconds)
        ),
        days(anchor),
        st.sampled_from(_MINUTES),
        st.sampled_from((0, 0, 0, 30, 59)),
    )


def times(kind: str, anchor: date) -> st.SearchStrategy[Any]:
    """Values of a time column of that type."""
    match kind:
        case "DATE":
            return days(anchor)
        case "TIMESTAMP":
            return instants(anchor)
        case _:
            return instants(anchor).map(lambda moment: moment.replace(tzinfo=UTC))


def amounts(kind: str) -> st.SearchStrategy[Any]:
    """Non-negative numbers whose sums are exact in binary, so that no rounding blurs a comparison."""
    quarters = st.integers(0, 160)
    make: Mapping[str, Callable[[int], Any]] = {
        "BIGINT": lambda n: n // 4,
        "DOUBLE": lambda n: n / 4,
        "DECIMAL(12,2)": lambda n: Decimal(n) / 4,
    }
    return quarters.map(make[kind])


@st.composite
def tables(draw: st.DrawFn, columns: dict[str, st.SearchStrategy[Any]], kinds: dict[str, str], most: int) -> Table:
    """Rows of independent columns; a primary key is drawn from so few values that it repeats."""
    least = draw(st.sampled_from((0, most // 2)))
    rows = draw(st.lists(st.fixed_dictionaries(columns), min_size=least, max_size=most))
    cuts = draw(st.lists(st.integers(0, most), max_size=2)) if rows else []
    return Table(kinds, rows, tuple(cuts))


def facts(draw: st.DrawFn, anchor: date, received: bool) -> Table:
    """A table of events: who, when, how much, and what it can be split by."""
    time_kind = draw(st.sampled_from(("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DATE")))
    amount_kind = draw(st.sampled_from(("BIGINT", "DOUBLE", "DECIMAL(12,2)")))
    kinds = {
        "id": "BIGINT",
        "user_id": "VARCHAR",
        "at": time_kind,
        "channel": "VARCHAR",
        "city": "VARCHAR",
        "amount": amount_kind,
        "quantity": "INTEGER",
        "flag": "BOOLEAN",
        "day": "DATE",
        "seen": "TIMESTAMP",
        "shop": "BIGINT",
    }
    columns: dict[str, st.SearchStrategy[Any]] = {
        "id": maybe(st.integers(1, 12)),
        "user_id": maybe(st.sampled_from(("u1", "u2", "u3", "u4"))),
        "at": st.one_of(*[times(time_kind, anchor)] * 9, st.none()),
        "channel": maybe(st.sampled_from(CHANNELS)),
        "city": maybe(st.sampled_from(CITIES)),
        "amount": maybe(amounts(amount_kind)),
        "quantity": maybe(st.sampled_from((0, 1, 2, 4))),
        "flag": maybe(st.booleans()),
        "day": maybe(days(anchor)),
        "seen": maybe(instants(anchor)),
        "shop": maybe(st.sampled_from(SHOPS)),
    }
    if received:
        kinds["received_at"] = "TIMESTAMP"
        columns["received_at"] = maybe(instants(anchor))
    return draw(tables(columns, kinds, 14))


def users(draw: st.DrawFn) -> Table:
    """Who the facts' users are; some are missing, some are there twice."""
    kinds = {"user_id": "VARCHAR", "level": "VARCHAR", "bonus": "INTEGER", "region_id": "BIGINT"}
    columns = {
        "user_id": maybe(st.sampled_from(("u1", "u2", "u3"))),
        "level": maybe(st.sampled_from(LEVELS)),
        "bonus": maybe(st.integers(0, 4)),
        "region_id": maybe(st.integers(1, 3)),
    }
    return draw(tables(columns, kinds, 5))


def regions(draw: st.DrawFn) -> Table:
    """Where users live."""
    kinds = {"region_id": "BIGINT", "region": "VARCHAR"}
    columns: dict[str, st.SearchStrategy[Any]] = {
        "region_id": maybe(st.integers(1, 3)),
        "region": maybe(st.sampled_from(REGIONS)),
    }
    return draw(tables(columns, kinds, 3))
