"""Filters on data: what is equal, what is in a list, and which datasets a filter of values leaves."""

from __future__ import annotations

from typing import Any

import pytest

from semantic.compile import compile_query, datasets_needed
from semantic.query.query import Compare, DimensionField, MetricField, MetricQuery, Operator
from semantic.query.values import ValuesQuery
from semantic.sql.dialect import SHORT_LIST
from tests.compiling import questions
from tests.compiling.database import database
from tests.compiling.rows import tables
from tests.reference.world import Table, World

LARGE = 2**53 + 1
"""The first whole number that a float rounds."""

WORLD = World(
    {
        "version": 1,
        "datasets": [
            {
                "name": "things",
                "source": "data/things/*.parquet",
                "dimensions": [
                    {"name": "id", "type": "number"},
                    {"name": "share", "type": "number"},
                    {"name": "price", "type": "number"},
                    {"name": "word", "type": "string"},
                ],
            }
        ],
        "metrics": [{"name": "n", "type": "simple", "dataset": "things", "agg": "count"}],
    },
    {
        "things": Table(
            {"id": "BIGINT", "share": "DOUBLE", "price": "DECIMAL(12,2)", "word": "VARCHAR"},
            [
                {"id": LARGE, "share": 0.1, "price": None, "word": "100%"},
                {"id": LARGE - 1, "share": 2.0, "price": 0, "word": "it's"},
                {"id": -(2**63), "share": None, "price": 0, "word": "{}"},
                {"id": None, "share": -0.5, "price": 1, "word": None},
            ],
        )
    },
)


def found(dimension: str, operator: Operator, value: Any) -> int:
    """How many things a filter leaves."""
    model = WORLD.model()
    query = MetricQuery((MetricField("n", "n"),), where=Compare(dimension, operator, value))
    with database(WORLD.tables) as connected:
        n: int = connected.run(compile_query(model, query, connected.facts(model)).statement)[0]["n"]
    return n


def many(*values: Any) -> tuple[Any, ...]:
    """A list too long to be written out."""
    return (*values, *(value for value in [values[0]] * SHORT_LIST))


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
@pytest.mark.parametrize(
    ("dimension", "values", "n"),
    [
        ("id", (LARGE,), 1),
        ("id", (LARGE, 2.5), 1),
        ("id", (2.5, LARGE - 1, 0.25), 1),
        ("id", (-(2**63),), 1),
        ("id", (2**63, 2**64, -(2**70)), 0),
        ("id", (10**37, LARGE), 1),
        ("share", (0.1, 2), 2),
        ("share", (2,), 1),
        ("price", (0, 1), 3),
        ("word", ("100%", "it's", "{}"), 3),
    ],
)
def test_in(dimension: str, values: tuple[Any, ...], n: int, long: bool) -> None:
    given = many(*values) if long else values
    assert found(dimension, Operator.IN, given) == n
    assert found(dimension, Operator.NOT_IN, given) == 4 - n


@pytest.mark.parametrize(
    ("dimension", "operator", "value", "n"),
    [
        ("id", Operator.EQ, LARGE, 1),
        ("id", Operator.GT, 2**64, 0),
        ("id", Operator.LT, 2**64, 3),
        ("id", Operator.NE, 10**37, 4),
        ("id", Operator.IN, (), 0),
        ("id", Operator.NOT_IN, (), 4),
        ("share", Operator.GTE, 2, 1),
        ("word", Operator.CONTAINS, "%", 1),
        ("word", Operator.STARTS_WITH, "{", 1),
        ("word", Operator.ENDS_WITH, "'s", 1),
        ("word", Operator.IS_NULL, True, 1),
        ("word", Operator.IS_NULL, False, 3),
    ],
)
def test_compared(dimension: str, operator: Operator, value: Any, n: int) -> None:
    assert found(dimension, operator, value) == n


def test_values_come_from_datasets_that_have_all_the_filter_names() -> None:
    """`channel` is in three datasets, `platform` in one of them."""
    model = questions.model("mall")
    query = ValuesQuery("channel", where=Compare("platform", Operator.EQ, "ios"))
    assert datasets_needed(model, query) == ("cities", "events", "users")
    same = MetricQuery(
        (DimensionField("value", "channel"), MetricField("n", "pv")), where=Compare("platform", Operator.EQ, "ios")
    )
    with database(tables("mall")) as connected:
        facts = connected.facts(model)
        values = connected.run(compile_query(model, query, facts).statement)
        channels = {row["value"] for row in connected.run(compile_query(model, same, facts).statement)}
    assert {row["value"] for row in values} >= channels
