"""The root field `scores`, and the parts of its answer."""

from __future__ import annotations

import time
from datetime import date

from api.resolvers import arguments
from api.resolvers.compiler import Question
from api.resolvers.context import Context
from api.resolvers.reports import Report, answer_report, meta
from api.resolvers.selection import Info, Selected, selected
from api.schema.language import choose, locales_of
from api.schema.score import ScoreResolvers
from semantic.errors import Code, QueryError
from semantic.query.bound import BoundScore
from semantic.query.score import ScoreQuery
from semantic.report import score as report
from semantic.report.group import Row
from semantic.time import zone


async def scores(root: None, info: Info, **_arguments: object) -> Report:
    """Answer everything selected below `scores`."""
    started = time.perf_counter()
    context = info.context
    return await answer_report(context, score_questions(context, selected(info.core)), started)


def score_questions(context: Context, asked: Selected) -> dict[str, Question]:
    """The questions of the root field, by the response keys that need one."""
    given = asked.arguments
    timezone = given.get("timezone")
    tz = zone(context.model.timezone if timezone is None else timezone)
    question = ScoreQuery(
        score=str(given["name"].value),
        entities=tuple(dict.fromkeys(given.get("entities") or ())),
        time_range=arguments.time_range(given.get("timeRange"), tz),
        timezone=timezone,
        where=arguments.condition(context.names, given.get("where"), tz),
        limit=100 if given["limit"] is None else given["limit"],
        offset=given["offset"] or 0,
    )
    needs = {"version", "asOf", "entities"} if context.may_see_entities else set[str]()
    return {child.key: question for child in asked.children if child.name in needs}


def _part(root: Report, info: Info) -> tuple[BoundScore, list[Row]]:
    part = root.part(info.key, BoundScore)
    if part is None:
        raise QueryError(
            Code.FORBIDDEN,
            "You may not see who the entities are.",
            "Ask for metrics by the score's dimensions, which count them.",
        )
    return part


def version(root: Report, info: Info) -> str:
    """`version`."""
    return _part(root, info)[0].definition.version


def as_of(root: Report, info: Info) -> date | None:
    """`asOf`."""
    return _part(root, info)[0].as_of


def entities(root: Report, info: Info) -> tuple[report.ScoredEntity, ...]:
    """`entities`. FORBIDDEN for viewers who may not see entities."""
    return report.scored_entities(*_part(root, info), choose(root.context.locale, locales_of(root.context.model)))


RESOLVERS = ScoreResolvers(scores=scores, version=version, as_of=as_of, entities=entities, meta=meta)
"""How `scores` and its fields are answered."""
