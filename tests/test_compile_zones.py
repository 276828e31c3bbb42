"""Zones as shifts, against Python's own zones: every piece of time, two zones in a row, hours, and as SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import duckdb
import pytest

from engine.needs import needs_of
from semantic.lower import shifts
from semantic.model.facts import Bounds, Kind
from semantic.plan.expr import Cast, Col, Expr, Shift
from semantic.sql.duckdb import DUCKDB
from semantic.sql.expression import render
from semantic.sql.fragment import Fragment
from semantic.time import Grain
from tests.compiling import questions

ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Asia/Shanghai",
        "America/New_York",
        "Europe/Berlin",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Australia/Adelaide",
        "America/Sao_Paulo",
    )
]
ALWAYS = Bounds(datetime(1970, 1, 1), datetime(2100, 1, 1))
zones = pytest.mark.parametrize("tz", ZONES, ids=str)


def moments(pieces: shifts.Pieces) -> Iterator[datetime]:
    """Around every change, and a few thousand more."""
    for start, _ in pieces[1:]:
        yield from (start, start - timedelta(microseconds=1), start + timedelta(minutes=29))
    random = Random(7)
    for _ in range(2000):
        yield datetime(1970, 1, 2) + timedelta(seconds=random.randrange(4_000_000_000))


def applied(pieces: shifts.Pieces, moment: datetime) -> datetime:
    held = [seconds for start, seconds in pieces[1:] if start <= moment]
    return moment + timedelta(seconds=held[-1] if held else pieces[0][1])


def local(instant: datetime, tz: ZoneInfo) -> datetime:
    return instant.replace(tzinfo=UTC).astimezone(tz).replace(tzinfo=None)


@zones
def test_utc_to_local(tz: ZoneInfo) -> None:
    pieces = shifts.to_local(tz, ALWAYS)
    for instant in moments(pieces):
        assert applied(pieces, instant) == local(instant, tz)


@zones
def test_local_to_utc(tz: ZoneInfo) -> None:
    """A wall time that comes twice is its first; every other one is found again."""
    pieces = shifts.to_utc(tz, ALWAYS)
    for instant in moments(shifts.to_local(tz, ALWAYS)):
        wall = local(instant, tz)
        assert applied(pieces, wall) == wall.replace(tzinfo=tz, fold=0).astimezone(UTC).replace(tzinfo=None)


@zones
@pytest.mark.parametrize("other", ZONES, ids=str)
def test_two_zones_in_a_row_are_one_shift(tz: ZoneInfo, other: ZoneInfo) -> None:
    there, back = shifts.to_utc(tz, ALWAYS), shifts.to_local(other, ALWAYS)
    whole = shifts.shifted(shifts.shifted(Col("at"), there), back)
    pieces = whole.pieces if isinstance(whole, Shift) else ((datetime(1970, 1, 1), 0),)
    assert isinstance(whole, Col) or whole.part == Col("at")  # type: ignore[union-attr]
    for wall in (*moments(there), *moments(pieces)):
        assert applied(pieces, wall) == applied(back, applied(there, wall))


def run(expr: Expr, instants: list[datetime]) -> list[datetime]:
    """An expression over a column `at`, in DuckDB."""
    text = render(expr, {"at": Fragment('"at"')}, DUCKDB)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        query = f'SELECT {text.text} FROM (SELECT unnest(CAST(? AS TIMESTAMP[])) AS "at")'
        return [row[0] for row in connection.execute(query, [*text.params, instants]).fetchall()]


@zones
def test_a_shift_as_sql(tz: ZoneInfo) -> None:
    pieces = shifts.to_local(tz, ALWAYS)
    instants = list(moments(pieces))
    got = run(shifts.shifted(Col("at"), pieces), instants)
    assert got == [local(instant, tz) for instant in instants]


@zones
@pytest.mark.parametrize("grain", [Grain.HOUR, Grain.MINUTE])
def test_a_bucket_as_sql(tz: ZoneInfo, grain: Grain) -> None:
    pieces = shifts.to_local(tz, Bounds(datetime(2018, 1, 1), datetime(2027, 1, 1)))
    instants = [moment for moment in moments(pieces) if 2018 <= moment.year < 2027]
    got = run(Cast(shifts.bucket(Col("at"), grain, pieces), Kind.TIMESTAMP), instants)
    for instant, bucket in zip(instants, got, strict=True):
        wall = local(instant, tz)
        begun = wall.replace(second=0, microsecond=0, minute=wall.minute if grain is Grain.MINUTE else 0)
        assert bucket == instant - (wall - begun)


def test_an_engine_is_asked_for_the_bounds_of_what_is_split_by_time() -> None:
    """Of columns; what is computed from several has no bounds that could be looked up."""
    mall, clinic = questions.model("mall"), questions.model("clinic")
    assert needs_of(mall, mall.datasets["orders"]).times == ("paid_at", "created_at")
    assert needs_of(mall, mall.datasets["users"]).times == ("joined_on",)
    assert needs_of(clinic, clinic.datasets["visits"]).times == ("arrived_at", "birth_day", "discharged_at")
