"""A page of rows cut from an answer, and the number of all rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa

from api.resolvers.answers import Answered, ask
from api.resolvers.context import Context
from api.resolvers.questions import Page
from semantic.errors import Code, DataError, QueryError
from semantic.query.query import ROW_COUNT, MetricQuery


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The rows asked for; whether there are more; how many there are in all, where that was asked."""

    table: pa.Table
    more: bool
    total: int | None


async def cut(context: Context, page: Page, question: MetricQuery, answered: Answered) -> Cut:
    """The page of an answer. LIMIT_EXCEEDED when all rows were asked for and there are too many."""
    found = cut_now(page, question, answered)
    if found is not None:
        return found
    return Cut(answered.answer.table, False, await _total(context, question, answered))


def cut_now(page: Page, question: MetricQuery, answered: Answered) -> Cut | None:
    """The same from the answer alone; None when the number of all rows has to be asked for."""
    table = answered.answer.table
    if page.limit is None and table.num_rows > page.most:
        raise QueryError(
            Code.LIMIT_EXCEEDED,
            f"There are more than {page.most} rows, the most that are served at once.",
            "Ask page by page, with `limit` and `offset`.",
        )
    more = page.limit is not None and table.num_rows > page.limit
    if not page.counts:
        total = None
    elif table.num_rows:  # every row carries the number
        total = int(table.column(ROW_COUNT)[0].as_py())
    elif question.offset or question.limit == 0:  # beyond the last row
        return None
    else:
        total = 0
    return Cut(table.slice(0, page.limit) if more else table, more, total)


async def _total(context: Context, question: MetricQuery, answered: Answered) -> int:
    """All rows there are, where the answer has none that would say so."""
    first = await ask(context, replace(question, offset=0, limit=1))
    if first.answer.facts.version != answered.answer.facts.version:
        raise DataError("The data changed while it was read.", "Ask again.")
    counted = first.answer.table
    return int(counted.column(ROW_COUNT)[0].as_py()) if counted.num_rows else 0
