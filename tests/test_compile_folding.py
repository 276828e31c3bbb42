"""What the renderer folds together gives the rows that one subquery a node gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.compile import Compiled, compile_query
from semantic.errors import QueryError
from semantic.sql.duckdb import DUCKDB
from tests.compiling.database import Database, database
from tests.compiling.golden import FILES, read
from tests.compiling.naive import naive
from tests.compiling.rows import tables
from tests.reference.same import differences
from tests.strategies import queries, worlds


def check(connected: Database, compiled: Compiled) -> None:
    text = naive(compiled.plan, DUCKDB)
    expected = connected.run(replace(compiled.statement, sql=text.text, params=text.params))
    assert differences(expected, connected.run(compiled.statement)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_golden_query(path: Path) -> None:
    golden = read(path)
    with database(tables(golden.model)) as connected:
        for _, compiled, _ in golden.compiled():
            check(connected, compiled)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_query(data: st.DataObject) -> None:
    world = data.draw(worlds())
    model = world.model()
    query = data.draw(queries(world, model))
    with database(world.tables) as connected:
        try:
            compiled = compile_query(model, query, connected.facts(model))
        except QueryError:
            return
        check(connected, compiled)
