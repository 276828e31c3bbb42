"""The root field `metrics`, and the parts of its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from api.resolvers.answers import Answered, ask_all
from api.resolvers.context import Context
from api.resolvers.meta import About, about, page_of
from api.resolvers.pages import Cut, cut
from api.resolvers.questions import Questions, metrics_questions
from api.resolvers.rows import Row, Rows, Value
from api.resolvers.selection import Info, selected
from api.schema.results import PageInfo
from semantic.query.query import MetricQuery

NOTHING = pa.table({"": pa.nulls(1)})
"""The table of totals that ask for no metric."""


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """An answer: what came of each question."""

    context: Context
    questions: Questions
    answers: Mapping[MetricQuery, Answered]
    parts: Mapping[MetricQuery, Cut]
    started: float


async def metrics(root: None, info: Info, **_arguments: object) -> Metrics:
    """Answer everything selected below `metrics`."""
    started = time.perf_counter()
    context = info.context
    questions = metrics_questions(context, selected(info.core))
    answers = await ask_all(context, questions.distinct())
    parts = {
        question: await cut(context, questions.page, question, answers[question])
        for question in dict.fromkeys(questions.rows.values())
    }
    return Metrics(context, questions, answers, parts, started)


def rows(root: Metrics, info: Info) -> Rows:
    """`rows`, under its response key."""
    return Rows(root.parts[root.questions.rows[info.key]].table, root.questions.zone)


def totals(root: Metrics, info: Info) -> Row:
    """`totals`, under its response key."""
    return totals_row(root.questions, root.questions.totals[info.key], root.answers)


def totals_row(questions: Questions, question: MetricQuery | None, answers: Mapping[MetricQuery, Answered]) -> Row:
    """The only row of totals; null throughout when they ask for no metric."""
    return Row(Rows(answers[question].answer.table if question else NOTHING, questions.zone))


def page_info(root: Metrics, info: Info) -> PageInfo:
    """`pageInfo`: there is exactly one question of rows beside it."""
    (part,) = root.parts.values()
    return page_of(root.questions.page, part)


async def meta(root: Metrics, info: Info) -> About:
    """`meta`, of everything that was asked."""
    return await about(root.context, titled(root.questions, root.answers), root.started)


def titled(questions: Questions, answers: Mapping[MetricQuery, Answered]) -> dict[str, Answered]:
    """Each answer under the response key it is for."""
    return {key: answers[question] for question, key in questions.distinct().items()}


def cell(root: Row, info: Info, **_arguments: object) -> Value:
    """A field of a row. The columnar executor never comes here."""
    return root.value(info.core.field_name if root.rows.by_field else info.key)
