"""The root field `retention`, and the parts of its answer."""

from __future__ import annotations

import time
from dataclasses import replace

from api.resolvers import arguments
from api.resolvers.compiler import Question
from api.resolvers.context import Context
from api.resolvers.reports import Report, answer_report, meta
from api.resolvers.selection import Info, Selected, selected
from api.schema.retention import RetentionResolvers
from semantic.errors import Code, QueryError
from semantic.query.bound import BoundLifecycle, BoundRetention
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.retention import RetentionQuery
from semantic.report import lifecycle as lifecycles
from semantic.report import retention as report
from semantic.time import zone


async def retention(root: None, info: Info, **_arguments: object) -> Report:
    """Answer everything selected below `retention`."""
    started = time.perf_counter()
    context = info.context
    return await answer_report(context, retention_questions(context, selected(info.core)), started)


def retention_questions(context: Context, asked: Selected) -> dict[str, Question]:
    """The questions of the root field, by the response keys that need one."""
    given = asked.arguments
    timezone = given.get("timezone")
    tz = zone(context.model.timezone if timezone is None else timezone)
    base = RetentionQuery(
        retention=str(given["name"].value),
        time_range=arguments.time_range(given.get("timeRange"), tz),
        timezone=timezone,
        where=arguments.condition(context.names, given.get("where"), tz),
        segments=arguments.enum_values(given.get("segments")),
        periods=given.get("periods"),
    )
    breakdown = arguments.enum_values(given.get("breakdown"))
    found: dict[str, Question] = {}
    for child in asked.children:
        match child.name:
            case "cohorts" | "overall":
                found[child.key] = base
            case "groups" if breakdown:
                found[child.key] = replace(base, breakdown=breakdown)
            case "lifecycle":
                found[child.key] = _lifecycle(base, child)
    return found


def _lifecycle(base: RetentionQuery, child: Selected) -> LifecycleQuery:
    return LifecycleQuery(
        retention=base.retention,
        grain=arguments.grain(child.arguments.get("grain")),
        time_range=base.time_range,
        timezone=base.timezone,
        where=base.where,
        segments=base.segments,
    )


def cohorts(root: Report, info: Info) -> tuple[report.Cohort, ...]:
    """`cohorts`. LIMIT_EXCEEDED when the range has too many."""
    part = root.part(info.key, BoundRetention)
    assert part is not None
    bound, rows = part
    _check_size(root.context, len(report.periods(bound)) * len(bound.cells))
    return report.cohorts(bound, rows)


def overall(root: Report, info: Info) -> tuple[report.RetentionCell, ...]:
    """`overall`."""
    part = root.part(info.key, BoundRetention)
    assert part is not None
    return report.pooled(*part)


def groups(root: Report, info: Info) -> tuple[report.RetentionGroup, ...]:
    """`groups`: none without a breakdown. LIMIT_EXCEEDED when there are too many."""
    part = root.part(info.key, BoundRetention)
    if part is None:
        return ()
    bound, rows = part
    found = report.retention_groups(bound, rows)
    with_cohorts = any(child.name == "cohorts" for child in selected(info.core).children)
    cells = len(found) * len(bound.cells)
    _check_size(root.context, cells * len(report.periods(bound)) if with_cohorts else cells)
    return found


def _check_size(context: Context, cells: int) -> None:
    if cells > context.max_rows:
        raise QueryError(
            Code.LIMIT_EXCEEDED,
            f"There are {cells} cells: more than {context.max_rows}, the most that are served at once.",
            "Ask for a shorter range, for fewer `periods`, or for fewer groups.",
        )


def lifecycle(root: Report, info: Info, **_arguments: object) -> tuple[lifecycles.LifecyclePeriod, ...]:
    """`lifecycle`, under its response key."""
    part = root.part(info.key, BoundLifecycle)
    assert part is not None
    return lifecycles.lifecycle(*part)


RESOLVERS = RetentionResolvers(
    retention=retention, cohorts=cohorts, overall=overall, groups=groups, lifecycle=lifecycle, meta=meta
)
"""How `retention` and its fields are answered."""
