"""What answers consist of, the same in every model."""

from __future__ import annotations

from typing import Any

import strawberry

from api.schema.make import Member, enum_type
from api.schema.scalars import Day, Long, Plain

Role: Any = enum_type(
    "ColumnRole",
    {
        "TIME": Member("time", "The period of the row."),
        "DIMENSION": Member("dimension", "What the rows are split by."),
        "METRIC": Member("metric", "A number."),
    },
    "What a column of a table is.",
)


@strawberry.type(name="Warning", description="What a reader should know although the answer is right.")
class Notice:
    """A warning of `meta`."""

    code: str = strawberry.field(description="A stable code; the reference explains each.")
    message: str = strawberry.field(description="For people.")


@strawberry.type(description="How an answer came about.")
class Meta:
    """The `meta` of an answer."""

    sql: str | None = strawberry.field(
        description="The SQL that was run, with its parameters; null for viewers who may not see it."
    )
    cached: bool = strawberry.field(description="Whether everything came from the cache.")
    data_version: str = strawberry.field(description="Changes whenever the data does.")
    data_through: Day | None = strawberry.field(
        description="The last complete local day of the data asked for: the earliest among its datasets."
    )
    duration_ms: float = strawberry.field(description="Milliseconds the field took, waiting included.")
    rollup: str | None = strawberry.field(description="The rollup that answered, if one did.")
    warnings: list[Notice] = strawberry.field(description="What a reader should know although the answer is right.")


@strawberry.type(description="A dimension's value, of a group.")
class DimensionKey:
    """A part of the key of a group."""

    dimension: str = strawberry.field(description="The dimension's name in the model.")
    value: Plain | None = strawberry.field(description="Its value; null: not set.")


@strawberry.type(description="Which part of the rows an answer holds.")
class PageInfo:
    """The `pageInfo` of an answer."""

    has_next_page: bool = strawberry.field(description="Whether there are rows after these.")
    has_previous_page: bool = strawberry.field(description="Whether rows were skipped before these.")
    offset: int = strawberry.field(description="How many rows were skipped.")
    limit: int | None = strawberry.field(description="The most rows asked for; null: no limit.")
    total_count: Long | None = strawberry.field(
        description="All rows there are, on every page. It is counted only when it is selected."
    )


@strawberry.type(description="A column of a table.")
class Column:
    """A column of `table`."""

    key: str = strawberry.field(description="Its name in `orderBy` and `having`.")
    name: str = strawberry.field(description="The model's name of the metric or dimension, or `time`.")
    role: Role = strawberry.field(description="What it is.")
    type: str = strawberry.field(description="The scalar its values are, such as `Long`.")
    label: str = strawberry.field(description="For people, in the request's language.")
    description: str | None = strawberry.field(description="What it means, in the request's language.")
    format: str | None = strawberry.field(
        description="How to show a metric: number, integer, percent, currency, duration."
    )


@strawberry.type(description="An answer as a table, for callers that choose names at run time.")
class Table:
    """The answer of `table`."""

    columns: list[Column] = strawberry.field(description="The columns, in the order of the cells.")
    rows: list[list[Plain | None]] = strawberry.field(description="The cells of each row, in the order of the columns.")
    totals: list[Plain | None] = strawberry.field(
        description="The metrics over the same filter without any split, in the order of the columns; "
        "null for the other columns."
    )
    page_info: PageInfo = strawberry.field(description="Which part of the rows this is.")
    meta: Meta = strawberry.field(description="How the answer came about.")
