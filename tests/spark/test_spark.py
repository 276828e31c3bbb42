"""Spark's text gives DuckDB's answers: golden queries, any query, expressions."""

from __future__ import annotations

import math
import re
import tempfile
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantic.compile import compile_query
from semantic.errors import HeadwaterError
from semantic.plan.node import Match, Plan
from semantic.plan.walk import nodes
from semantic.sql.spark import SPARK
from tests.compiling.database import database
from tests.compiling.golden import FILES, read
from tests.compiling.rows import tables
from tests.reference.rows import distinct_rows
from tests.reference.same import differences
from tests.spark.session import Session
from tests.strategies import queries, worlds

# --- queries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_golden_query(path: Path, spark: Session, tmp_path: Path) -> None:
    golden = read(path)
    spark.tables(tables(golden.model), tmp_path)
    with database(tables(golden.model)) as connected:
        for _, compiled, statement in golden.compiled():
            if not has_funnel(compiled.plan):
                assert differences(connected.run(compiled.statement), spark.run(statement)) == []


def has_funnel(plan: Plan) -> bool:
    """Funnels are found by a function that only our DuckDB has."""
    return any(isinstance(node, Match) for node in nodes(plan))


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_query(data: st.DataObject, spark: Session) -> None:
    """Over rows that repeat no key: which of several counts is the engine's to say, and Spark has no file order."""
    world = data.draw(worlds())
    model = world.model()
    query = data.draw(queries(world, model))
    clean = {
        name: replace(table, rows=distinct_rows(model.datasets[name], table.rows), cuts=())
        for name, table in world.tables.items()
    }
    with database(clean) as connected, tempfile.TemporaryDirectory() as folder:
        try:
            compiled = compile_query(model, query, connected.facts(model))
        except HeadwaterError:
            return
        if has_funnel(compiled.plan):
            return
        spark.tables(clean, Path(folder))
        statement = compile_query(model, query, connected.facts(model), dialect=SPARK).statement
        assert differences(connected.run(compiled.statement), spark.run(statement)) == []


# --- expressions -----------------------------------------------------------------------------------------------------

GOLDEN = Path(__file__).parent.parent / "golden" / "expressions.txt"
_ENTRY = re.compile(r"^(\S[^\n]*)\n    duckdb  ([^\n]*)\n    spark   ([^\n]*)$", re.MULTILINE)
EXPRESSIONS = {source: (ours, theirs) for source, ours, theirs in _ENTRY.findall(GOLDEN.read_text(encoding="utf-8"))}

ROW = (
    "SELECT 7.5::DOUBLE AS a, 2.5::DOUBLE AS b, 0 AS zero, NULL::INTEGER AS nothing, 9 AS i, -3 AS n,"
    " ' Ab-Cd-渠 ' AS s, 'b' AS r, '12' AS digits, TRUE AS yes, FALSE AS no,"
    " DATE '2024-02-28' AS d, TIMESTAMP '2024-03-03 23:45:10' AS t"
)
SPARK_ROW = (
    "SELECT 7.5D AS a, 2.5D AS b, 0 AS zero, CAST(NULL AS INT) AS nothing, 9 AS i, -3 AS n,"
    " ' Ab-Cd-渠 ' AS s, 'b' AS r, '12' AS digits, TRUE AS yes, FALSE AS no,"
    " DATE '2024-02-28' AS d, TIMESTAMP_NTZ '2024-03-03 23:45:10' AS t"
)

DIFFERENT = {
    "s like '%!-%' escape '!'": "Spark takes an escape before % and _ only",
    "cast(a as integer)": "DuckDB rounds, Spark cuts off",
    "d - date '2024-02-01'": "a number of days in DuckDB, an interval in Spark",
}
"""What is known to differ. It may only get less."""


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_expression(source: str, spark: Session) -> None:
    ours, theirs = EXPRESSIONS[source]
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT {ours} FROM ({ROW}) AS t").fetchall()
    if source not in DIFFERENT:
        assert same(rows[0][0], spark.value(theirs, SPARK_ROW))
    elif spark.engine == "spark":
        assert not agrees(rows[0][0], spark, theirs), f"{source} differs no more: take it off the list"


def agrees(ours: Any, spark: Session, theirs: str) -> bool:
    """Whether Spark has the same value, or any."""
    try:
        return same(ours, spark.value(theirs, SPARK_ROW))
    except Exception:  # whatever class the client has for it
        return False


def same(ours: Any, theirs: Any) -> bool:
    """Equal; a day is its midnight, and a decimal a number like any other."""
    left, right = _plain(ours), _plain(theirs)
    if isinstance(left, float) or isinstance(right, float):
        return isinstance(left, int | float) and math.isclose(left, right, rel_tol=1e-9)
    return type(left) is type(right) and bool(left == right)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return datetime(value.year, value.month, value.day) if isinstance(value, date) else value
