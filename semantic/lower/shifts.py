"""Zones as shifts: what is added to UTC to make local time, and to local time to make UTC, piece by piece of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from semantic.model.facts import Bounds, Kind
from semantic.plan.expr import Binary, Case, Expr, Param, Shift, Truncate
from semantic.plan.operators import BinaryOp
from semantic.time import Grain, utc_offsets

DAY, EDGE = timedelta(days=1), timedelta(days=4)
Pieces = tuple[tuple[datetime, int], ...]
"""(from, seconds) in order; the first holds for all that is earlier too."""


def to_local(tz: ZoneInfo, bounds: Bounds) -> Pieces:
    """From UTC to a zone's wall time, for instants within the bounds."""
    return utc_offsets(tz, *instants(bounds))


def to_utc(tz: ZoneInfo, bounds: Bounds) -> Pieces:
    """From a zone's wall time to UTC, for instants within the bounds. An hour that comes twice is its first."""
    low, high = instants(bounds)
    offsets = utc_offsets(tz, low - timedelta(days=2), high + timedelta(days=2))
    pieces = [(low - timedelta(days=2), -offsets[0][1])]
    for (_, before), (instant, after) in pairwise(offsets):
        pieces.append((instant + timedelta(seconds=max(before, after)), -after))
    return tuple(pieces)


def shifted(part: Expr, pieces: Pieces) -> Expr:
    """A timestamp shifted. Two shifts in a row become one, and none where they cancel each other."""
    if isinstance(part, Shift):
        return shifted(part.part, _composed(part.pieces, pieces))
    return part if all(seconds == 0 for _, seconds in pieces) else Shift(part, pieces)


def _composed(first: Pieces, second: Pieces) -> Pieces:
    found: list[tuple[datetime, int]] = []
    for start, seconds in _pairs(first, second):
        if not found or found[-1][1] != seconds:
            found.append((start, seconds))
    return tuple(found)


def _pairs(first: Pieces, second: Pieces) -> Iterator[tuple[datetime, int]]:
    """The sum of both shifts, wherever either changes; in terms of what the first is given."""
    ends = [start for start, _ in first[1:]] + [None]
    for index, ((start, seconds), end) in enumerate(zip(first, ends, strict=True)):
        move = timedelta(seconds=seconds)
        begins = [at for at, _ in second[1:] if index > 0 and at <= start + move]
        yield start, seconds + second[len(begins)][1]
        for at, more in second[1 + len(begins) :]:
            if end is None or at < end + move:
                yield at - move, seconds + more


def bucket(utc: Expr, grain: Grain, pieces: Pieces) -> Expr:
    """The hour or minute of local time that a UTC timestamp lies in, by the UTC timestamp at which it begins."""
    size = 60 if grain is Grain.MINUTE else 3600
    parts = {seconds % size for _, seconds in pieces}
    if len(parts) == 1:
        (part,) = parts
        there, back = ((pieces[0][0], part),), ((pieces[0][0], -part),)
        return shifted(Truncate(shifted(utc, there), grain), back)
    whens = []
    for instant, seconds in reversed(pieces):
        there, back = ((instant, seconds),), ((instant, -seconds),)
        value = shifted(Truncate(shifted(utc, there), grain), back)
        whens.append((Binary(BinaryOp.GTE, utc, Param(instant, Kind.TIMESTAMP)), value))
    default = whens.pop()[1]
    return Case(tuple(whens), default)


def instants(bounds: Bounds) -> tuple[datetime, datetime]:
    """Bounds as instants; of dates, such that their midnights in every zone lie between."""
    first, last = bounds.first, bounds.last
    if isinstance(first, datetime) and isinstance(last, datetime):
        return first, last
    return _midnight(max(first, date.min + EDGE)) - DAY, _midnight(min(last, date.max - EDGE)) + DAY


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
