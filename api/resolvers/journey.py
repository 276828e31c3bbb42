"""The root field `paths`, and the parts of its answer."""

from __future__ import annotations

import time
from dataclasses import replace

from api.resolvers import arguments
from api.resolvers.arguments import Given
from api.resolvers.compiler import Question
from api.resolvers.context import Context
from api.resolvers.reports import Report, answer_report, meta
from api.resolvers.selection import Info, Selected, selected
from api.schema.journey import JourneyResolvers
from semantic.errors import Code, QueryError
from semantic.query.bound import BoundJourney
from semantic.query.journey import ONE_DAY, JourneyQuery, JourneyReport
from semantic.query.query import And
from semantic.report import journey as report
from semantic.report.group import Row
from semantic.time import zone


async def paths(root: None, info: Info, **_arguments: object) -> Report:
    """Answer everything selected below `paths`."""
    started = time.perf_counter()
    context = info.context
    return await answer_report(context, journey_questions(context, selected(info.core)), started)


def journey_questions(context: Context, asked: Selected) -> dict[str, Question]:
    """The questions of the root field, by the response keys that need one."""
    base = _base(context, asked.arguments)
    found: dict[str, Question] = {}
    for child in asked.children:
        match child.name:
            case "count" | "nodes" | "links":
                found[child.key] = base
            case "sequences":
                limit = child.arguments["limit"]
                limit = 20 if limit is None else limit
                found[child.key] = replace(base, report=JourneyReport.SEQUENCES, limit=limit)
    return found


def _base(context: Context, given: Given) -> JourneyQuery:
    """Everything that the questions have in common. BAD_ARGUMENT when both ends are meant, or none."""
    after, before = given.get("from"), given.get("to")
    if (after is None) == (before is None):
        said = "neither is" if after is None else "both are"
        raise QueryError(
            Code.BAD_ARGUMENT,
            f"Paths begin with an event, `from`, or end with one, `to`; {said} given.",
            'Give exactly one, such as `from: {event: {eq: "app_launch"}}`.',
        )
    timezone = given.get("timezone")
    tz = zone(context.model.timezone if timezone is None else timezone)
    return JourneyQuery(
        by=str(given["by"].value),
        anchor=arguments.condition(context.names, before if after is None else after, tz) or And(()),
        backward=after is None,
        dataset=arguments.enum_value(given.get("dataset")),
        entity=arguments.enum_value(given.get("entity")),
        steps=_or(given["steps"], 3),
        time_range=arguments.time_range(given.get("timeRange"), tz),
        timezone=timezone,
        where=arguments.condition(context.names, given.get("where"), tz),
        segments=arguments.enum_values(given.get("segments")),
        within=arguments.duration(given.get("within")) or ONE_DAY,
        gap=arguments.duration(given.get("gap")),
        repeats=bool(given["repeats"]),
        limit=_or(given["limit"], 10),
    )


def _or(given: int | None, default: int) -> int:
    return default if given is None else given


def _part(root: Report, info: Info) -> tuple[BoundJourney, list[Row]]:
    part = root.part(info.key, BoundJourney)
    assert part is not None
    return part


def count(root: Report, info: Info) -> int:
    """`count`."""
    return report.path_count(_part(root, info)[1])


def nodes(root: Report, info: Info) -> tuple[report.PathNode, ...]:
    """`nodes`."""
    return report.path_nodes(*_part(root, info))


def links(root: Report, info: Info) -> tuple[report.PathLink, ...]:
    """`links`."""
    return report.path_links(*_part(root, info))


def sequences(root: Report, info: Info, **_arguments: object) -> tuple[report.PathSequence, ...]:
    """`sequences`, under its response key."""
    return report.path_sequences(*_part(root, info))


RESOLVERS = JourneyResolvers(paths=paths, count=count, nodes=nodes, links=links, sequences=sequences, meta=meta)
"""How `paths` and its fields are answered."""
