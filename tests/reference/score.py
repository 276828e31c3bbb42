"""Scores by looping over the purchases of one entity after the other, from docs/numbers.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Bought:
    """A row that is (a part of) a purchase, on a local day."""

    who: str | None
    purchase: str | None
    day: date
    amount: float | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of somebody by the end of a day."""

    first_day: date
    last_day: date
    recency_days: int
    frequency: int
    purchase_days: int
    monetary: float | None
    median_gap_days: float | None
    overdue: float | None


def numbers(rows: Iterable[Bought], as_of: date) -> dict[str, Numbers]:
    """By who: everybody with a purchase up to that day."""
    people: dict[str, list[Bought]] = {}
    for row in rows:
        if row.who is not None and row.purchase is not None and row.day <= as_of:
            people.setdefault(row.who, []).append(row)
    return {who: _of(own, as_of) for who, own in people.items()}


def _of(rows: list[Bought], as_of: date) -> Numbers:
    began: dict[str | None, date] = {}
    for row in rows:
        began[row.purchase] = min(row.day, began.get(row.purchase, row.day))
    days = sorted(set(began.values()))
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    gap = float(statistics.median(gaps)) if gaps else None
    recency = (as_of - days[-1]).days
    amounts = [row.amount for row in rows if row.amount is not None]
    return Numbers(
        first_day=days[0],
        last_day=days[-1],
        recency_days=recency,
        frequency=len(began),
        purchase_days=len(days),
        monetary=sum(amounts) if amounts else None,
        median_gap_days=gap,
        overdue=None if gap is None else recency / gap,
    )


def rising(value: float | None, cuts: Sequence[float]) -> int:
    """1, and one more for each cut reached."""
    return 1 + sum(value is not None and value >= cut for cut in cuts)


def falling(value: float, cuts: Sequence[float]) -> int:
    """1, and one more for each cut not passed."""
    return 1 + sum(value <= cut for cut in cuts)


def p_alive(r: float, alpha: float, a: float, b: float, repeats: int, last: float, age: float) -> float:
    """The probability of being alive of Fader, Hardie and Lee (2008), equation 3 solved for the BG/NBD model."""
    if repeats == 0:
        return 1.0
    odds: float = (a / (b + repeats - 1)) * ((alpha + age) / (alpha + last)) ** (r + repeats)
    return 1 / (1 + odds)
