"""The root field `table`: the same questions, for callers that choose names at run time."""

from __future__ import annotations

import time
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from api.resolvers.answers import Answered, ask_all
from api.resolvers.context import Context
from api.resolvers.meta import About, about, page_of
from api.resolvers.metrics import titled, totals_row
from api.resolvers.pages import Cut, cut
from api.resolvers.questions import Questions, table_questions
from api.resolvers.rows import Cells, Rows, Value
from api.resolvers.selection import Info, Selected, selected
from api.schema.language import choose, locales_of
from api.schema.names import TIME
from api.schema.results import Column, PageInfo, Role
from api.schema.rows import dimension_scalar, scalar_name
from semantic.query.query import DimensionField, Field, MetricField, MetricQuery, TimeField


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """An answer as a table. Its attributes are the fields of the GraphQL type, computed when they are selected."""

    context: Context
    questions: Questions
    fields: tuple[Field, ...]
    answers: Mapping[MetricQuery, Answered]
    part: Cut | None
    started: float

    @property
    def columns(self) -> list[Column]:
        """What each column is."""
        return list(_columns(self.context, self.fields))

    @property
    def rows(self) -> Cells:
        """The cells of the rows asked for."""
        assert self.part is not None
        keys = tuple(item.key for item in self.fields)
        return Cells(Rows(self.part.table, self.questions.zone), keys)

    @property
    def totals(self) -> list[Value]:
        """The metrics without any split, null under the other columns."""
        row = totals_row(self.questions, self.questions.totals["totals"], self.answers)
        return [row.value(item.key) for item in self.fields]

    @property
    def page_info(self) -> PageInfo:
        """Which part of the rows this is."""
        assert self.part is not None
        return page_of(self.questions.page, self.part)

    @property
    def meta(self) -> Coroutine[Any, Any, About]:
        """How the answer came about."""
        return about(self.context, titled(self.questions, self.answers), self.started)


async def table(root: None, info: Info, **_arguments: object) -> Table:
    """Answer everything selected below `table`."""
    return await answer_table(info.context, selected(info.core))


async def answer_table(context: Context, asked: Selected) -> Table:
    """The answer to a `table` with these arguments and what is selected below it. QueryError, DataError, Timeout, …"""
    started = time.perf_counter()
    questions, fields = table_questions(context, asked)
    answers = await ask_all(context, questions.distinct())
    question = questions.rows.get("rows")
    part = await cut(context, questions.page, question, answers[question]) if question else None
    return Table(context, questions, fields, answers, part, started)


def _columns(context: Context, fields: tuple[Field, ...]) -> Iterator[Column]:
    locale = choose(context.locale, locales_of(context.model))
    metrics = {entry.metric.name: entry for entry in context.names.metrics.values()}
    dimensions = {entry.name: entry for entry in context.names.dimensions.values()}
    for item in fields:
        match item:
            case TimeField(key):
                yield Column(key=key, name=TIME, role=Role.TIME, type="Time", label=TIME, description=None, format=None)
            case DimensionField(key, name):
                entry = dimensions[name]
                yield Column(
                    key=key,
                    name=name,
                    role=Role.DIMENSION,
                    type=dimension_scalar(entry),
                    label=entry.label.get(locale) or name,
                    description=entry.description.get(locale),
                    format=None,
                )
            case MetricField(key=key, metric=name):
                metric = metrics[name].metric
                yield Column(
                    key=key,
                    name=name,
                    role=Role.METRIC,
                    type=scalar_name(metrics[name].kind),
                    label=metric.label.get(locale) or name,
                    description=metric.description.get(locale),
                    format=metric.format.value,
                )
            case _:
                assert_never(item)
