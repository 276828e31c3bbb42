"""The earliest and the latest value of time columns, and which have values that are in no calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb

from engine.quote import identifier
from semantic.model.facts import Bounds, Kind
from semantic.time import zone

_CASTS = {
    Kind.DATE: ("DATE", "DATE '0001-01-02'", "DATE '9999-12-30'"),
    Kind.TIMESTAMP: ("TIMESTAMP", "TIMESTAMP '0001-01-03'", "TIMESTAMP '9999-12-30'"),
    Kind.TIMESTAMPTZ: ("TIMESTAMP", "TIMESTAMPTZ '0001-01-03 00:00:00+00'", "TIMESTAMPTZ '9999-12-30 00:00:00+00'"),
}
"""What a kind's values are read as, and the calendar's ends: infinity and years beyond are no bounds."""


class Times(NamedTuple):
    """`bounds`: dates, or naive UTC datetimes, of each column that has a value. `beyond`: columns with others, too."""

    bounds: Mapping[str, Bounds] = MappingProxyType({})
    beyond: frozenset[str] = frozenset()


def read_times(cursor: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, Kind], timezone: str) -> Times:
    """What is true of time columns. Zone-less timestamps are in `timezone`."""
    timed = {name: kind for name, kind in columns.items() if kind in _CASTS}
    if not timed:
        return Times()
    ends = ", ".join(_ends(name, kind) for name, kind in timed.items())
    row: Sequence[Any]
    (row,) = cursor.execute(f"SELECT {ends} FROM {relation}").fetchall()
    found: dict[str, Bounds] = {}
    for index, (name, kind) in enumerate(timed.items()):
        first, last, _ = row[3 * index : 3 * index + 3]
        if first is not None and last is not None:
            local = kind is Kind.TIMESTAMP and timezone != "UTC"
            found[name] = _instants(first, last, zone(timezone)) if local else Bounds(first, last)
    beyond = frozenset(name for index, name in enumerate(timed) if row[3 * index + 2])
    return Times(MappingProxyType(found), beyond)


def _ends(name: str, kind: Kind) -> str:
    column = identifier(name)
    type_name, low, high = _CASTS[kind]
    usable = f"FILTER (WHERE {column} BETWEEN {low} AND {high})"
    ends = [f"CAST({end}({column}) {usable} AS {type_name})" for end in ("min", "max")]
    return ", ".join([*ends, f"min({column}) < {low} OR max({column}) > {high}"])


def _instants(first: date | datetime, last: date | datetime, tz: ZoneInfo) -> Bounds:
    """Wall times as instants. One that the clock shows twice, or skips, may be either: the bounds hold both."""
    return Bounds(min(_readings(first, tz)), max(_readings(last, tz)))


def _readings(wall: date | datetime, tz: ZoneInfo) -> list[datetime]:
    assert isinstance(wall, datetime)
    both = (wall.replace(tzinfo=tz, fold=fold) for fold in (0, 1))
    return [moment.astimezone(UTC).replace(tzinfo=None) for moment in both]
