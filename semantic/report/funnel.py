"""Funnel reports (semantics.md §1).

A step's `conversion` is its share of step 1 (of step 1 itself: 1); `step_conversion` and `drop_off` are of the step
before, and so null at step 1. Shares of nothing are null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from semantic.lower.funnel_report import bucket_micros, longest_seconds
from semantic.lower.step_events import window_seconds
from semantic.model.sequence import Step
from semantic.query.bound import BoundFunnel
from semantic.report.group import KeyPart, Row, group_key, share, shown
from semantic.time import Grain, day_begin, period_end, to_local

_CLOCK = {Grain.MINUTE: timedelta(minutes=1), Grain.HOUR: timedelta(hours=1)}


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many entities reached a step (`index` from 1), and how long those took since the step before."""

    name: str
    label: str
    index: int
    count: int
    conversion: float | None
    step_conversion: float | None
    drop_off: int | None
    average_seconds: float | None
    median_seconds: float | None


@dataclass(frozen=True, slots=True)
class FunnelGroup:
    """The steps of the entities whose chosen attempt opened with these values."""

    key: tuple[KeyPart, ...]
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class FunnelPeriod:
    """The steps of the attempts that opened in a period; `mature`: all of them have had their whole window."""

    time: date | datetime
    mature: bool
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class TimeBucket:
    """How many entities took from `from_seconds` to less than `to_seconds`; in the last bucket that is included."""

    from_seconds: float
    to_seconds: float
    count: int


@dataclass(frozen=True, slots=True)
class DropOff:
    """An entity whose chosen attempt ended at a step, and when it was there."""

    entity: str
    last_seen: datetime


def funnel_steps(bound: BoundFunnel, row: Row, locale: str | None = None) -> tuple[FunnelStep, ...]:
    """The steps that a row counts; without counts in it, nobody reached any."""
    counts = [int(row.get(f"count{index}") or 0) for index in range(1, len(bound.funnel.steps) + 1)]
    found = []
    for index, step in enumerate(bound.funnel.steps, 1):
        before = counts[index - 2] if index > 1 else None
        count = counts[index - 1]
        found.append(
            FunnelStep(
                name=step.name,
                label=_label(step, locale),
                index=index,
                count=count,
                conversion=share(count, counts[0]),
                step_conversion=None if before is None else share(count, before),
                drop_off=None if before is None else before - count,
                average_seconds=row.get(f"average{index}"),
                median_seconds=row.get(f"median{index}"),
            )
        )
    return tuple(found)


def whole(bound: BoundFunnel, rows: Sequence[Row]) -> Row:
    """One row of all entities: the only one, or the groups' counts added up, without times."""
    if not bound.dimensions:
        return rows[0] if rows else {}
    names = [f"count{index}" for index in range(1, len(bound.funnel.steps) + 1)]
    return {name: sum(int(row[name] or 0) for row in rows) for name in names}


def _label(step: Step, locale: str | None) -> str:
    return step.label.get(locale) or step.name


def funnel_groups(bound: BoundFunnel, rows: Iterable[Row], locale: str | None = None) -> tuple[FunnelGroup, ...]:
    """A group for each row of a question with a breakdown."""
    return tuple(
        FunnelGroup(group_key(bound.dimensions, row, bound.zone), funnel_steps(bound, row, locale)) for row in rows
    )


def funnel_periods(bound: BoundFunnel, rows: Iterable[Row], locale: str | None = None) -> tuple[FunnelPeriod, ...]:
    """A period for each row of a question with a grain."""
    found = []
    for row in rows:
        time = shown(row["period"], bound.zone)
        assert isinstance(time, date)
        found.append(FunnelPeriod(time, is_mature(bound, time), funnel_steps(bound, row, locale)))
    return tuple(found)


def is_mature(bound: BoundFunnel, period: date | datetime) -> bool:
    """Whether even an attempt that opened last in the period has had its whole window by the last complete day."""
    through = bound.data_through
    if through is None:
        return False
    ends = _ends(bound, period)
    if bound.funnel.window is None:
        return to_local(ends - timedelta(microseconds=1), bound.zone).date() <= through
    complete = day_begin(through + timedelta(days=1), bound.zone)
    return ends <= complete - timedelta(seconds=window_seconds(bound.funnel.window))


def _ends(bound: BoundFunnel, period: date | datetime) -> datetime:
    """The instant (naive UTC) at which a period of the question's grain has ended."""
    assert bound.grain is not None
    if isinstance(period, datetime):
        return period.astimezone(UTC).replace(tzinfo=None) + _CLOCK[bound.grain]
    return day_begin(period_end(period, bound.grain), bound.zone)


def time_buckets(bound: BoundFunnel, rows: Iterable[Row]) -> tuple[TimeBucket, ...]:
    """Every bucket of a histogram, also those that nobody is in."""
    counts = {int(row["bucket"]): int(row["count"]) for row in rows}
    width = bucket_micros(bound)
    edges = [min(place * width / 1_000_000, longest_seconds(bound)) for place in range(bound.buckets + 1)]
    return tuple(TimeBucket(edges[place], edges[place + 1], counts.get(place, 0)) for place in range(bound.buckets))


def drop_offs(bound: BoundFunnel, rows: Iterable[Row]) -> tuple[DropOff, ...]:
    """Who left, in the order of the rows."""
    found = []
    for row in rows:
        last_seen = shown(row["last_seen"], bound.zone)
        assert isinstance(last_seen, datetime)
        found.append(DropOff(row["entity"], last_seen))
    return tuple(found)
