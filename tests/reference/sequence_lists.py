"""What else is told of funnels and retention: how long it took, who left where, how the active ones change."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from semantic.time import Grain
from tests.reference import funnel, retention
from tests.reference.clock import ONE_DAY, bucket_day, last_day
from tests.reference.refused import Unspecified
from tests.reference.timeline import EPOCH, shown

Answer = dict[str, Any]


def time_to_convert(report: funnel.Report, step: int | None, buckets: int) -> list[Answer]:
    """How many took how long from step 1 to a step: equal parts of the window, whose end is in the last. A day has the
    parts of the longest one, of 25 hours.
    """
    window = funnel.window_of(report.followed.funnel) or 25 * 3600 * funnel.MICROS
    place = (step or len(report.followed.steps)) - 1
    counts = [0] * buckets
    for path in report.paths().values():
        if len(path.times) > place:
            waited = path.times[place] - path.times[0]
            counts[min(waited * buckets // window, buckets - 1)] += 1
    edges = [window * n / buckets / funnel.MICROS for n in range(buckets + 1)]
    return [{"fromSeconds": edges[n], "toSeconds": edges[n + 1], "count": count} for n, count in enumerate(counts)]


def drop_offs(report: funnel.Report, step: int, limit: int, offset: int) -> list[Answer]:
    """Whose chosen attempt ended at a step, and when it was filled; latest first."""
    ended = [(path.times[-1], entity) for entity, path in report.paths().items() if len(path.times) == step]
    ended.sort(key=lambda pair: (-pair[0], pair[1]))
    zone = report.timeline.zone
    return [{"entity": entity, "lastSeen": _local(time, zone)} for time, entity in ended[offset : offset + limit]]


def _local(micros: int, zone: ZoneInfo) -> str:
    return (EPOCH + timedelta(microseconds=micros)).astimezone(zone).isoformat()


def lifecycle(report: retention.Report, grain: Grain | None) -> list[Answer]:
    """Of the cohort's events: who is active for the first time, again, after a break, and who no longer."""
    grain = grain or report.followed.retention.grain
    week_start = report.timeline.model.week_start
    active: dict[date, set[str]] = {}
    inside: dict[date, set[str]] = {}
    first: dict[str, date] = {}
    for entity, events in report.followed.qualifying.items():
        for one in filter(report.passes, events):
            period = bucket_day(one.when.day, grain, week_start)
            active.setdefault(period, set()).add(entity)
            first[entity] = min(period, first.get(entity, period))
            if report.in_range(one):
                inside.setdefault(period, set()).add(entity)
    days = report.timeline.days(report.range, [report.followed.retention.cohort.dataset])
    found = []
    for period in report.timeline.periods(days, grain):
        here = active.get(period, set())
        if here != inside.get(period, set()):
            raise Unspecified("who is active in a part of a period")
        before = active.get(bucket_day(period - ONE_DAY, grain, week_start), set())
        new = {entity for entity in here if first[entity] == period}
        found.append(
            {
                "time": shown(period, report.timeline.zone),
                "mature": report.followed.through is not None and last_day(period, grain) <= report.followed.through,
                "active": len(here),
                "new": len(new),
                "returning": len(here & before - new),
                "resurrected": len(here - before - new),
                "dormant": len(before - here),
            }
        )
    return found
