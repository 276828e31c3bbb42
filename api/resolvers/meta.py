"""`meta` and `pageInfo`: how an answer came about, and which part of the rows it is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from api.resolvers.answers import Answered, audit, data_version
from api.resolvers.context import Context
from api.resolvers.pages import Cut
from api.resolvers.questions import Page
from api.schema.results import Notice, PageInfo
from api.schema.scalars import Long
from semantic.model.facts import Facts
from semantic.query.notice import stale
from semantic.query.period import data_through
from semantic.query.warning import QueryWarning
from semantic.sql.statement import Parameter, Statement
from semantic.time import zone


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """`meta`. Its attributes are the fields of the GraphQL type; most are only worked out when they are selected.

    `facts` and `through`: of every answer, what was true of its data and its last complete day.
    """

    context: Context
    answers: Mapping[str, Answered]
    facts: Sequence[Facts]
    through: Sequence[date | None]
    duration_ms: float
    audited: tuple[QueryWarning, ...] = ()
    rollup: str | None = None

    @property
    def data_version(self) -> str:
        """One version for all the data."""
        return data_version(self.facts)

    @property
    def data_through(self) -> date | None:
        """The earliest of the last complete days."""
        return min((day for day in self.through if day is not None), default=None)

    @property
    def sql(self) -> str | None:
        """What was run: where it was several statements, each under a comment that says what it is for."""
        texts = {title: _shown(answered.compiled.statement) for title, answered in self.answers.items()}
        if not texts or not self.context.may_see_sql:
            return None
        if len(texts) == 1:
            return next(iter(texts.values()))
        return "\n\n".join(f"-- {title}\n{text}" for title, text in texts.items())

    @property
    def cached(self) -> bool:
        """Whether everything came from the cache."""
        return bool(self.answers) and all(answered.answer.cached for answered in self.answers.values())

    @property
    def warnings(self) -> list[Notice]:
        """The warnings of every answer, each once; those of audits; then those of data that has grown old."""
        every = [warning for answered in self.answers.values() for warning in answered.compiled.warnings]
        found = dict.fromkeys([*every, *self.audited, *_stale(self.context, self.answers)])
        spoken = self.context.names.spoken
        return [Notice(code=warning.code.value, message=spoken(warning.message)) for warning in found]


async def about(context: Context, answers: Mapping[str, Answered], started: float) -> About:
    """How answers came about, each under what it is for. Without any: what is true of all the model's data."""
    if answers:
        return about_answers(context, answers, started, await audit(context, answers.values()))
    facts = await context.engine.facts(tuple(sorted(context.model.stored)))
    tz = zone(context.model.timezone)
    through = [data_through(context.model.datasets[name], found, tz) for name, found in facts.datasets.items()]
    return About(context=context, answers=answers, facts=[facts], through=through, duration_ms=_milliseconds(started))


def about_answers(
    context: Context, answers: Mapping[str, Answered], started: float, audited: tuple[QueryWarning, ...] = ()
) -> About:
    """How at least one answer came about. `audited`: what its audits warn of."""
    return About(
        context=context,
        answers=answers,
        facts=[answered.answer.facts for answered in answers.values()],
        through=[answered.compiled.data_through for answered in answers.values()],
        duration_ms=_milliseconds(started),
        audited=audited,
    )


def _stale(context: Context, answers: Mapping[str, Answered]) -> Iterator[QueryWarning]:
    now = datetime.now(UTC).replace(tzinfo=None)
    for answered in answers.values():
        answer = answered.answer
        yield from stale(context.model, context.viewer, answer.facts, answer.statement.datasets, now)


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
