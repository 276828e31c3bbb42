"""`meta` and `pageInfo`: how an answer came about, and which part of the rows it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, datetime

from api.resolvers.answers import Answered, data_version
from api.resolvers.context import Context
from api.resolvers.pages import Cut
from api.resolvers.questions import Page
from api.schema.results import Meta, Notice, PageInfo
from api.schema.scalars import Day, Long
from semantic.query.period import data_through
from semantic.sql.statement import Parameter, Statement
from semantic.time import zone


async def meta(context: Context, answers: Sequence[Answered], started: float, titles: Sequence[str]) -> Meta:
    """How answers came about. Without any, what is true of all the model's data. `titles` say what each answer is."""
    if not answers:
        return await _of_the_model(context, started)
    through = [answered.compiled.data_through for answered in answers]
    known = [day for day in through if day is not None]
    notices = dict.fromkeys(warning for answered in answers for warning in answered.compiled.warnings)
    return Meta(
        sql=_sql(answers, titles) if context.may_see_sql else None,
        cached=all(answered.answer.cached for answered in answers),
        data_version=data_version(answered.answer.facts for answered in answers),
        data_through=Day(min(known)) if known else None,
        duration_ms=_milliseconds(started),
        rollup=None,
        warnings=[Notice(code=notice.code.value, message=notice.message) for notice in notices],
    )


async def _of_the_model(context: Context, started: float) -> Meta:
    facts = await context.engine.facts(tuple(sorted(context.model.datasets)))
    tz = zone(context.model.timezone)
    days = [data_through(context.model.datasets[name], found, tz) for name, found in facts.datasets.items()]
    known = [day for day in days if day is not None]
    return Meta(
        sql=None,
        cached=False,
        data_version=facts.version,
        data_through=Day(min(known)) if known else None,
        duration_ms=_milliseconds(started),
        rollup=None,
        warnings=[],
    )


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


def _sql(answers: Sequence[Answered], titles: Sequence[str]) -> str:
    """What was run: where it was several statements, each under a comment that says what it is for."""
    texts = [_shown(answered.compiled.statement) for answered in answers]
    if len(texts) == 1:
        return texts[0]
    return "\n\n".join(f"-- {title}\n{text}" for title, text in zip(titles, texts, strict=True))


def _shown(statement: Statement) -> str:
    if not statement.params:
        return statement.sql
    return f"{statement.sql}\n-- parameters: {', '.join(_literal(value) for value in statement.params)}"


def _literal(value: Parameter) -> str:
    match value:
        case tuple():
            return f"[{', '.join(_literal(item) for item in value)}]"
        case str():
            text = value.replace("'", "''").replace("\n", "\\n").replace("\r", "\\r")
            return f"'{text}'"
        case datetime():
            return f"TIMESTAMP '{value.isoformat(' ')}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case None:
            return "NULL"
        case _:
            return str(value)


def page_info(page: Page, part: Cut) -> PageInfo:
    """Which part of the rows was returned."""
    returned = part.table.num_rows
    return PageInfo(
        has_next_page=part.more if part.total is None else page.offset + returned < part.total,
        has_previous_page=page.offset > 0,
        offset=page.offset,
        limit=page.limit,
        total_count=None if part.total is None else Long(part.total),
    )
