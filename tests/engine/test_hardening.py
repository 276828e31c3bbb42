"""Even a statement that should never have been made reads and changes nothing but the model's own data."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.duckdb import DuckDBEngine
from engine.opening import open_duckdb
from semantic.errors import HeadwaterError
from semantic.model.facts import Kind
from tests.engine.support import NOW, ask, events, model, rows, write


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[DuckDBEngine]:
    write(tmp_path / "shop/events/a.parquet", {"n": [1, 2]})
    write(tmp_path / "other/secret.parquet", {"n": [42]})
    (tmp_path / "other/secret.txt").write_text("secret")
    engine = open_duckdb(model(events("events/*.parquet", primary_key=("n",))), tmp_path / "shop", NOW)
    yield engine
    await engine.close()


MALICIOUS = [
    "SELECT content FROM read_text('{other}/secret.txt')",
    "SELECT content FROM read_text('/etc/passwd')",
    "SELECT n FROM read_parquet('{other}/secret.parquet')",
    "SELECT n FROM '{other}/secret.parquet'",
    "SELECT * FROM read_csv('{other}/secret.txt')",
    "SELECT file FROM glob('{other}/*')",
    "SELECT n FROM read_parquet('{shop}/events/../../other/secret.parquet')",
    "SELECT * FROM read_parquet('https://example.com/x.parquet')",
    "COPY (SELECT 1) TO '{shop}/events/new.csv'",
    "COPY events TO '{shop}/events/new.parquet'",
    "ATTACH '{other}/x.db'",
    "ATTACH '{shop}/events/x.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '1GB'",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET allowed_configs = ['enable_external_access']",
    "SET enable_external_access = true",
    "PRAGMA enable_external_access",
    "CREATE TABLE main.t AS SELECT 1",
    "CREATE OR REPLACE VIEW events AS SELECT 7 AS n",
    "CREATE MACRO f() AS 1",
    "DROP SCHEMA repeats CASCADE",
    "DELETE FROM events",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP SCHEMA repeats CASCADE",
    "WITH gone AS (DELETE FROM repeats.e1 RETURNING *) SELECT * FROM gone",
    "EXPORT DATABASE '{shop}/events/dump'",
    "BEGIN TRANSACTION",
    "ROLLBACK; CREATE TABLE main.t AS SELECT 1",
    "CALL pragma_version()",
    "EXPLAIN SELECT 1",
    "CHECKPOINT",
    "VACUUM",
    "PREPARE p AS SELECT 1",
    "USE main",
    "SELECT getenv('HOME')",
    # files of the model itself, around the rows it leaves out
    "SELECT n FROM read_parquet('{shop}/events/a.parquet')",
    "SELECT n FROM events WHERE n IN (SELECT size FROM read_blob('{shop}/events/a.parquet'))",
    "SELECT * FROM glob('{shop}/events/*')",
    "SELECT * FROM '{shop}/events/a.parquet'",
    "SELECT * FROM repeats.e1",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM duckdb_views()",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('events')",
    "WITH a AS (SELECT * FROM sniff_csv('{shop}/events/a.parquet')) SELECT * FROM a",
    "SELECT (SELECT count(*) FROM duckdb_secrets()) FROM events",
    "SELECT n FROM users",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
]


@pytest.mark.parametrize("sql", MALICIOUS)
async def test_malicious_statements_fail(engine: DuckDBEngine, tmp_path: Path, sql: str) -> None:
    await engine.facts(["events"])
    before = _everything(tmp_path)
    with pytest.raises(HeadwaterError) as caught:
        await ask(engine, sql.format(other=tmp_path / "other", shop=tmp_path / "shop"), {"n": Kind.OTHER})
    assert "secret" not in str(caught.value)
    assert _everything(tmp_path) == before
    assert await rows(engine, 'SELECT "n" FROM "events" ORDER BY 1', "n") == [(1,), (2,)]


def _everything(root: Path) -> set[str]:
    return {os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names}


async def test_a_variable_of_python_is_no_table(engine: DuckDBEngine) -> None:
    secret = {"n": [1]}
    with pytest.raises(HeadwaterError):
        await rows(engine, "SELECT * FROM secret", "n")
    assert secret


async def test_times_are_utc_whatever_the_machine_says(engine: DuckDBEngine) -> None:
    assert await rows(engine, "SELECT current_setting('TimeZone') FROM events LIMIT 1", "zone") == [("UTC",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT n FROM Events",
        "WITH a AS (SELECT n FROM events), b AS MATERIALIZED (SELECT * FROM a) SELECT n FROM b JOIN a USING (n)",
        "SELECT e.n FROM events e, range(2) r, generate_series(1, 2) s, unnest([1, 2]) u",
        "SELECT n FROM (VALUES (1), (2)) v(n)",
        "SELECT n FROM events UNION ALL SELECT n FROM events",
    ],
)
async def test_what_statements_may_do(engine: DuckDBEngine, sql: str) -> None:
    assert await rows(engine, sql, "n")
