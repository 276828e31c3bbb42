"""`meta` and `pageInfo`: how an answer came about, and which part of the rows it is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from api.resolvers.answers import Answered, audit, data_version
from api.resolvers.context import Context
from api.resolvers.pages import Cut
from api.resolvers.questions import Page
from api.schema.results import Notice, PageInfo
from api.schema.scalars import Long
from semantic.query.notice import stale
from semantic.query.period import data_through
from semantic.query.warning import QueryWarning
from semantic.sql.statement import Parameter, Statement
from semantic.time import zone


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """`meta`. Its attributes are the fields of the GraphQL type; SQL is only put into words when it is selected."""

    answers: Mapping[str, Answered]
    may_see_sql: bool
    data_version: str
    data_through: date | None
    duration_ms: float
    warnings: tuple[Notice, ...] = ()
    rollup: str | None = None

    @property
    def sql(self) -> str | None:
        """What was run: where it was several statements, each under a comment that says what it is for."""
        texts = {title: _shown(answered.compiled.statement) for title, answered in self.answers.items()}
        if not texts or not self.may_see_sql:
            return None
        if len(texts) == 1:
            return next(iter(texts.values()))
        return "\n\n".join(f"-- {title}\n{text}" for title, text in texts.items())

    @property
    def cached(self) -> bool:
        """Whether everything came from the cache."""
        return bool(self.answers) and all(answered.answer.cached for answered in self.answers.values())


async def about(context: Context, answers: Mapping[str, Answered], started: float) -> About:
    """How answers came about, each under what it is for. Without any: what is true of all the model's data."""
    if answers:
        every = [answered.answer.facts for answered in answers.values()]
        through = [answered.compiled.data_through for answered in answers.values()]
    else:
        facts = await context.engine.facts(tuple(sorted(context.model.stored)))
        every = [facts]
        tz = zone(context.model.timezone)
        through = [data_through(context.model.datasets[name], found, tz) for name, found in facts.datasets.items()]
    return About(
        answers=answers,
        may_see_sql=context.may_see_sql,
        data_version=data_version(every),
        data_through=min((day for day in through if day is not None), default=None),
        duration_ms=_milliseconds(started),
        warnings=tuple(_notices(context, answers, await audit(context, answers.values()))),
    )


def _notices(context: Context, answers: Mapping[str, Answered], audited: tuple[QueryWarning, ...]) -> Iterator[Notice]:
    """The warnings of every answer, each once; those of audits; then those of data that has grown old."""
    every = [warning for answered in answers.values() for warning in answered.compiled.warnings]
    for warning in dict.fromkeys([*every, *audited, *_stale(context, answers)]):
        yield Notice(code=warning.code.value, message=context.names.spoken(warning.message))


def _stale(context: Context, answers: Mapping[str, Answered]) -> Iterator[QueryWarning]:
    now = datetime.now(UTC).replace(tzinfo=None)
    for answered in answers.values():
        yield from stale(context.model, answered.answer.facts, answered.answer.statement.datasets, now)


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


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


def page_of(page: Page, part: Cut) -> PageInfo:
    """Which part of the rows was returned."""
    returned = part.table.num_rows
    return PageInfo(
        has_next_page=part.more if part.total is None else page.offset + returned < part.total,
        has_previous_page=page.offset > 0,
        offset=page.offset,
        limit=page.limit,
        total_count=None if part.total is None else Long(part.total),
    )
