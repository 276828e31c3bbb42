"""Files in S3, from a real server that speaks its language. DuckDB's extension is there for some versions only: without
it, that is said.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.connection import connect
from engine.httpfs import has_httpfs
from engine.opening import open_duckdb
from engine.places import Places
from engine.s3 import S3Files
from semantic.errors import DataError
from semantic.model.dataset import Dataset, Source, SourceFormat
from tests.engine.support import NOW, facts_of, learned, model, opened, plain, rows

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import boto3
    from moto.server import ThreadedMotoServer

SOURCE = "s3://shop/data/events/**/*.parquet"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    made = boto3.resource("s3").create_bucket(Bucket="shop")
    yield made
    made.objects.all().delete()
    made.delete()


def put(bucket: Any, key: str, **columns: Any) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    bucket.put_object(Key=key, Body=sink.getvalue())


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(NOW, Places(("s3://shop/data/events/",), ()))
    yield connection
    connection.close()


def paths(dataset: S3Files) -> list[str]:
    return sorted(stamp.path for stamp in dataset._stamps())


def test_keys_match_as_files_do(bucket: Any, database: duckdb.DuckDBPyConnection) -> None:
    for key in ("day=1/a.parquet", "b [1].parquet", "x/y/c.parquet", ".h/d.parquet", "_tmp/e.parquet", "f.csv"):
        put(bucket, f"data/events/{key}", n=[1])
    put(bucket, "data/events2/a.parquet", n=[1])

    def matching(pattern: str) -> list[str]:
        prefix = "s3://shop/data/events/"
        return [path.removeprefix(prefix) for path in paths(S3Files("events", prefix + pattern, database))]

    assert matching("**/*.parquet") == ["b [1].parquet", "day=1/a.parquet", "x/y/c.parquet"]
    assert matching("*.parquet") == ["b [1].parquet"]
    assert matching("day=[0-9]/?.parquet") == ["day=1/a.parquet"]
    assert matching("day=[!1]/*") == []
    assert matching("_tmp/*.parquet") == ["_tmp/e.parquet"]
    assert matching("f.csv") == ["f.csv"]


def test_a_replaced_object_is_another_version(bucket: Any, database: duckdb.DuckDBPyConnection) -> None:
    """In the same second, with the same size."""
    files = S3Files("events", SOURCE, database)
    put(bucket, "data/events/a.parquet", n=[1])
    before = tuple(files._stamps())
    put(bucket, "data/events/a.parquet", n=[2])
    after = tuple(files._stamps())
    assert (before[0].path, before[0].size) == (after[0].path, after[0].size)
    assert before != after


async def test_from_a_bucket_to_an_answer(bucket: Any, tmp_path: Path, database: duckdb.DuckDBPyConnection) -> None:
    put(bucket, "data/events/day=2026-01-01/a.parquet", n=[1, 2])
    put(bucket, "data/events/day=2026-01-02/it's 中 文.parquet", n=[2, 3])
    bucket.put_object(Key="data/spend.csv", Body=b"cost\n1.5\n")
    events = Dataset("events", Source(SOURCE), primary_key=("n",))
    spend = Dataset("spend", Source("s3://shop/data/spend.csv", SourceFormat.CSV))
    query = 'SELECT "n", CAST("day" AS VARCHAR) FROM "events" ORDER BY 1'
    async with opened(model(events, spend), tmp_path) as engine:
        if not has_httpfs(database):
            with pytest.raises(DataError, match="needs DuckDB's extension httpfs"):
                await engine.facts(["events"])
            return
        found = await rows(engine, query, "n", "day")
        assert found == [(1, "2026-01-01"), (2, "2026-01-01"), (3, "2026-01-02")]
        assert await rows(engine, 'SELECT "cost" FROM "spend"', "cost", datasets=("spend",)) == [(1.5,)]
        put(bucket, "data/events/day=2026-01-01/a.parquet", n=[7, 8])
        put(bucket, "data/events/day=2026-01-03/c.parquet", n=[1])
        assert [n for n, _ in await rows(engine, query, "n", "day")] == [1, 2, 3, 7, 8]


async def test_columns_of_few_values(
    bucket: Any, tmp_path: Path, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known where few files have to be read for them."""
    if not has_httpfs(database):
        return
    monkeypatch.setattr("engine.few.REMOTE_FILES", 2)
    shop = model(Dataset("events", Source(SOURCE), dimensions=(plain("channel"),)))
    put(bucket, "data/events/a.parquet", channel=["x", None])
    put(bucket, "data/events/b.parquet", channel=["y"])
    engine = open_duckdb(shop, tmp_path, NOW)
    another = open_duckdb(shop, tmp_path, NOW)
    try:
        assert (await learned(engine)).values == {"channel": ("x", "y")}
        put(bucket, "data/events/a.parquet", channel=["z", None])
        put(bucket, "data/events/c.parquet", channel=["w"])
        assert (await learned(engine)).values == {}
        assert (await learned(another)).values == {}
        bucket.Object("data/events/b.parquet").delete()
        assert (await learned(engine)).values == {"channel": ("w", "z")}
    finally:
        await engine.close()
        await another.close()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source("s3://shop/nothing/*.parquet"), "no object matches its source"),
        (Source("s3://nowhere/*.parquet"), 'bucket of "events" can\'t be listed'),
        (Source("gs://shop/*.parquet"), "parquet files in a gs:// store are not supported"),
        (Source("s3://shop/table", SourceFormat.DELTA), "delta tables there are not supported"),
    ],
)
async def test_what_is_not_there_or_not_possible(bucket: Any, tmp_path: Path, source: Source, message: str) -> None:
    with pytest.raises(DataError, match=message):
        await facts_of(model(Dataset("events", source)), tmp_path)


async def test_a_name_with_wildcards_is_refused(bucket: Any, tmp_path: Path) -> None:
    put(bucket, "data/events/b [1].parquet", n=[1])
    with pytest.raises(DataError, match=r"has one of the characters \* \? \[ in its name"):
        await facts_of(model(Dataset("events", Source(SOURCE))), tmp_path)


async def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(DataError, match=r"needs the package boto3\. Install it: pip install 'headwater\[s3\]'"):
        await facts_of(model(Dataset("events", Source(SOURCE))), tmp_path)
