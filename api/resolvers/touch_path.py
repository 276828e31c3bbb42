"""The root field `touchPaths`, and the parts of its answer."""

from __future__ import annotations

import time
from decimal import Decimal

from api.resolvers import arguments
from api.resolvers.arguments import Given
from api.resolvers.compiler import Question
from api.resolvers.context import Context
from api.resolvers.reports import Report, answer_report, meta
from api.resolvers.selection import Info, Selected, selected
from api.schema.touch_path import TouchPathResolvers
from semantic.query.bound import BoundTouchPaths
from semantic.query.touch_path import TouchPathQuery
from semantic.report import touch_path as report
from semantic.report.group import Row
from semantic.time import zone


async def touch_paths(root: None, info: Info, **_arguments: object) -> Report:
    """Answer everything selected below `touchPaths`."""
    started = time.perf_counter()
    context = info.context
    return await answer_report(context, touch_path_questions(context, selected(info.core)), started)


def touch_path_questions(context: Context, asked: Selected) -> dict[str, Question]:
    """The one question of the root field, under the response keys that need it."""
    question = _question(context, asked.arguments)
    return {child.key: question for child in asked.children if child.name in ("conversions", "value", "paths")}


def _question(context: Context, given: Given) -> TouchPathQuery:
    timezone = given.get("timezone")
    tz = zone(context.model.timezone if timezone is None else timezone)
    return TouchPathQuery(
        attribution=str(given["attribution"].value),
        by=arguments.enum_value(given.get("by")),
        metric=arguments.enum_value(given.get("metric")),
        steps=10 if given["steps"] is None else given["steps"],
        repeats=bool(given["repeats"]),
        time_range=arguments.time_range(given.get("timeRange"), tz),
        timezone=timezone,
        where=arguments.condition(context.names, given.get("where"), tz),
        segments=arguments.enum_values(given.get("segments")),
        limit=20 if given["limit"] is None else given["limit"],
    )


def _part(root: Report, info: Info) -> tuple[BoundTouchPaths, list[Row]]:
    part = root.part(info.key, BoundTouchPaths)
    assert part is not None
    return part


def conversions(root: Report, info: Info) -> int:
    """`conversions`."""
    return report.path_conversions(_part(root, info)[1])


def value(root: Report, info: Info) -> int | float | Decimal | None:
    """`value`."""
    return report.path_value(_part(root, info)[1])


def paths(root: Report, info: Info) -> tuple[report.TouchPath, ...]:
    """`paths`."""
    return report.touch_paths(*_part(root, info))


RESOLVERS = TouchPathResolvers(touch_paths=touch_paths, conversions=conversions, value=value, paths=paths, meta=meta)
"""How `touchPaths` and its fields are answered."""
