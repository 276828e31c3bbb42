"""Names that SQL could take for something else: of columns, and of response keys."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from semantic.compile import compile_query
from semantic.query.query import (
    Compare,
    Dates,
    DimensionField,
    Field,
    Having,
    MetricField,
    MetricQuery,
    Operator,
    OrderBy,
    TimeField,
    Viewer,
)
from semantic.query.values import ValuesQuery
from semantic.time import Grain
from tests.compiling import questions
from tests.compiling.database import database
from tests.compiling.rows import tables
from tests.reference.rows import Row
from tests.reference.world import Table, World

NAMES = (
    "a b",
    "x{}y",
    "{0}",
    "from",
    'q"q',
    "Ä%",
    "渠道",
    "a→b",
    "rank#",
    "t.u",
    "?",
    "spine#",
    "`",
    "'",
    "N",
)


def world(column: str) -> World:
    """Things with one column, related to others by it, repeated, protected; and datasets of awkward names."""
    quoted = '"' + column.replace('"', '""') + '"'
    things = {"name": "things", "source": "data/things/*.parquet", "primary_key": [column]}
    select = {"name": "select", "source": "data/select/*.parquet", "primary_key": [column]}
    document: dict[str, Any] = {
        "version": 1,
        "datasets": [
            things | {"dimensions": [{"name": "d", "type": "string", "expr": f"lower({quoted})"}]},
            select | {"dimensions": [{"name": "f", "type": "string", "expr": quoted}]},
        ],
        "relationships": [{"name": "order", "from": "things", "to": "select", "columns": {column: column}}],
        "metrics": [
            {"name": "n", "type": "simple", "dataset": "things", "agg": "count"},
            {"name": "m", "type": "simple", "dataset": "things", "agg": "count_distinct", "expr": quoted},
            {"name": "o", "type": "simple", "dataset": "things", "agg": "count", "where": f"order.{quoted} = 'x'"},
        ],
        "policies": [
            {"name": "p", "dataset": "select", "where": f"{quoted} <> :c"},
            {"name": "q", "dataset": "things", "where": f"order.{quoted} <> 'y' or {quoted} = 'Z'"},
        ],
    }
    rows: list[Row] = [{column: value} for value in ("x", "x", "y", "Z", None)]
    kinds = {column: "VARCHAR"}
    return World(document, {"things": Table(kinds, rows), "select": Table(kinds, rows[:3])})


@pytest.mark.parametrize("column", NAMES)
def test_columns_of_any_name(column: str) -> None:
    asked = world(column)
    model = asked.model()
    metrics = [MetricField(name, name) for name in ("n", "m", "o")]
    fields: tuple[Field, ...] = (DimensionField("d", "d"), DimensionField("f", "order_f"), *metrics)
    query = MetricQuery(fields, where=Compare("order_f", Operator.NE, "q"))
    with database(asked.tables) as connected:
        facts = connected.facts(model)

        def run(question: MetricQuery | ValuesQuery) -> list[Row]:
            return connected.run(compile_query(model, question, facts, Viewer("v", (("c", "y"),))).statement)

        assert run(query) == [
            {"d": "x", "f": "x", "n": 1, "m": 1, "o": 1},
            {"d": "z", "f": None, "n": 1, "m": 1, "o": 0},
        ]
        assert run(ValuesQuery("d", search="Z")) == [{"value": "z", "count": 1}]
        assert run(ValuesQuery("order_f")) == [{"value": "x", "count": 1}, {"value": None, "count": 1}]


def test_response_keys_that_differ_by_capitals_only() -> None:
    """To GraphQL `t` and `T` are two keys; to SQL they are one name."""
    model = questions.model("mall")
    days = Dates(date(2026, 10, 31), date(2026, 11, 1))
    keys = (TimeField("t", Grain.DAY), TimeField("T", Grain.MONTH))
    metrics = (MetricField("g", "orders"), MetricField("G", "uv"))
    plain = (TimeField("a", Grain.DAY), TimeField("b", Grain.MONTH), MetricField("c", "orders"), MetricField("d", "uv"))
    with database(tables("mall")) as connected:
        facts = connected.facts(model)

        def run(*fields: Any, having: str, order: str) -> list[list[Any]]:
            query = MetricQuery(
                fields,
                days,
                fill=True,
                having=(Having(having, Operator.GTE, 1),),
                order_by=(OrderBy(order, descending=True),),
                count_rows=True,
            )
            rows = connected.run(compile_query(model, query, facts).statement)
            assert all(list(row)[: len(fields)] == [field.key for field in fields] for row in rows)
            return [list(row.values()) for row in rows]

        got = run(*keys, *metrics, having="G", order="T")
        assert [row[:2] for row in got] == [
            [date(2026, 11, 1), date(2026, 11, 1)],
            [date(2026, 10, 31), date(2026, 10, 1)],
        ]
        assert got == run(*plain, having="d", order="b")
