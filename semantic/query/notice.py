"""Notices: what a reader of the answer should know although the answer is right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from semantic.model.facts import Facts
from semantic.model.metric import Attribution, Cumulative
from semantic.model.model import Model
from semantic.model.reach import credit_time
from semantic.model.reads import metrics_inside
from semantic.model.sequence import CreditTime
from semantic.query.access import row_policies
from semantic.query.bound import BoundQuery
from semantic.query.period import Span, bounds_of, local_day
from semantic.query.query import Viewer
from semantic.query.warning import QueryWarning, WarningCode
from semantic.time import day_begin, period_end, period_start, shift, zone


def notices(bound: BoundQuery) -> BoundQuery:
    """The same query with its warnings."""
    return replace(bound, warnings=tuple(dict.fromkeys(_all(bound))))


def _all(bound: BoundQuery) -> Iterator[QueryWarning]:
    for metric in bound.metrics:
        if metric.absent:
            yield QueryWarning(
                WarningCode.UNALLOCATED, f'"{metric.metric.name}" can\'t be split as asked, and is null here.'
            )
    if bound.span is not None or bound.time_keys:
        yield from incomplete(bound.span, bound.days, bound.data_through)
        yield from _growing(bound)
    yield from _partial(bound)
    yield from _windows(bound)
    for name in sorted(bound.facts.datasets):
        for text in bound.facts.datasets[name].warnings:
            yield QueryWarning(WarningCode.DATA, text)


def incomplete(span: Span | None, days: tuple[date, date] | None, through: date | None) -> Iterator[QueryWarning]:
    """A warning when a range (None: all days with data) holds data that is not complete yet."""
    if through is None or days is None:
        return
    last = min(span.last_day, days[1]) if span else days[1]
    if last > through:
        yield QueryWarning(WarningCode.INCOMPLETE_DATA, f"Days after {through} are incomplete.")


def _growing(bound: BoundQuery) -> Iterator[QueryWarning]:
    """A warning when credit is of touches that conversions may still follow within the lookback."""
    if bound.data_through is None or bound.days is None:
        return
    last = min(bound.span.last_day, bound.days[1]) if bound.span else bound.days[1]
    for metric in bound.metrics:
        for name in () if metric.absent else metrics_inside(bound.model, metric.metric):
            inside = bound.model.metrics[name]
            if not isinstance(inside, Attribution) or credit_time(bound.model, inside) is not CreditTime.TOUCH:
                continue
            lookback = bound.model.attributions[inside.attribution].lookback
            settled = bound.data_through - timedelta(days=-(-(lookback.seconds or 0) // 86_400))
            if last > settled:
                text = f'"{name}" of touches after {settled} will still grow, for as long as {lookback}.'
                yield QueryWarning(WarningCode.INCOMPLETE_DATA, text)


def _partial(bound: BoundQuery) -> Iterator[QueryWarning]:
    if bound.span is None:
        return
    for key in bound.time_keys:
        if key.grain.is_clock:
            continue
        first = period_start(bound.span.first_day, key.grain, bound.week_start)
        last = period_start(bound.span.last_day, key.grain, bound.week_start)
        ends = period_end(last, key.grain) - timedelta(days=1)
        if first < bound.span.first_day or ends > bound.span.last_day:
            yield QueryWarning(
                WarningCode.PARTIAL_PERIOD,
                f"The time range cuts the first or last {key.grain}: its numbers are of a part of it.",
            )


def _windows(bound: BoundQuery) -> Iterator[QueryWarning]:
    if bound.days is None:
        return
    first = bound.span.first_day if bound.span else bound.days[0]
    for metric in bound.metrics:
        window = metric.frame.window or (metric.metric.window if isinstance(metric.metric, Cumulative) else None)
        if window is None or (window.days is None and window.months is None):
            continue
        if shift(first + timedelta(days=1), window, -1) < bound.days[0]:
            yield QueryWarning(
                WarningCode.WINDOW_BEFORE_DATA, f"`{metric.key}`: the first windows begin before the data does."
            )


def stale(model: Model, viewer: Viewer, facts: Facts, datasets: Iterable[str], now: datetime) -> Iterator[QueryWarning]:
    """A warning for each dataset whose newest row is older than its `freshness` allows. `now`: naive UTC. Of which day
    that row is, a viewer who may not see every row is not told.
    """
    for name in datasets:
        dataset = model.datasets[name]
        bounds = bounds_of(facts.datasets[name], dataset.time_dimension)
        allowed = dataset.warn_after.seconds if dataset.warn_after else None
        if bounds is None or allowed is None:
            continue
        newest = bounds.last
        ended = newest if isinstance(newest, datetime) else day_begin(newest + timedelta(days=1), zone(model.timezone))
        if now - ended > timedelta(seconds=allowed):
            age = f"of {local_day(newest, zone(model.timezone))}, more than {dataset.warn_after} ago"
            if row_policies(model, viewer, name):
                age = f"more than {dataset.warn_after} old"
            yield QueryWarning(WarningCode.STALE_DATA, f'The newest row of "{name}" is {age}.')
