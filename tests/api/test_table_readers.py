"""pyarrow, pandas, polars and DuckDB read what `/v1/table` sends: the right types, nulls, no rows, and many of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.settings import Settings
from tests.live import LiveServer

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROWS = 400_000
MODEL = """
version: 1
timezone: Asia/Shanghai
datasets:
  - name: sales
    source: data/sales.parquet
    time_dimension: sold_at
    dimensions:
      - {name: shop, type: string}
      - {name: sold_at, type: time}
      - {name: delivered, type: date}
      - {name: is_new, type: boolean}
  - {name: many, source: data/many.parquet, dimensions: [{name: n, type: number}, {name: word, type: string}]}
metrics:
  - {name: amount, type: simple, dataset: sales, agg: sum, expr: amount}
  - {name: sold, type: simple, dataset: sales, agg: count}
  - {name: mean, type: simple, dataset: sales, agg: avg, expr: amount}
  - {name: m, type: simple, dataset: many, agg: sum, expr: n}
"""
SALES = """
    SELECT * FROM (VALUES
        ('沪', TIMESTAMP '2026-11-01 16:30:00', DATE '2026-11-03', true, 0.10::DECIMAL(18, 2)),
        ('沪', TIMESTAMP '2026-11-01 16:30:00', DATE '2026-11-03', true, 90071992547409.93::DECIMAL(18, 2)),
        (NULL, TIMESTAMP '2026-11-02 03:00:00.000001', NULL, NULL, NULL)
    ) t(shop, sold_at, delivered, is_new, amount)
"""
ASKED = {"metrics": "amount,sold,mean", "dimensions": "shop,sold_at,delivered,is_new", "grain": "day"}
EXPECTED: list[dict[str, Any]] = [
    {
        "time": date(2026, 11, 2),
        "shop": "沪",
        "soldAt": datetime(2026, 11, 2, 0, 30, tzinfo=SHANGHAI),
        "delivered": date(2026, 11, 3),
        "isNew": True,
        "amount": Decimal("90071992547410.03"),
        "sold": 2,
        "mean": 45035996273705.015,
    },
    {
        "time": date(2026, 11, 2),
        "shop": None,
        "soldAt": datetime(2026, 11, 2, 11, 0, 0, 1, tzinfo=SHANGHAI),
        "delivered": None,
        "isNew": None,
        "amount": None,
        "sold": 1,
        "mean": None,
    },
]


@pytest.fixture(scope="module")
def table(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the door, without an ending."""
    root = tmp_path_factory.mktemp("sales")
    (root / "data").mkdir()
    (root / "shop.yml").write_text(MODEL, encoding="utf-8")
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({SALES}) TO '{root}/data/sales.parquet'")
        many = f"SELECT i AS n, md5(i::VARCHAR) AS word FROM range({ROWS}) t(i)"
        connection.execute(f"COPY ({many}) TO '{root}/data/many.parquet'")
    with live.serving(Settings(model=root, reload=False, max_rows=1_000_000)):
        yield f"http://127.0.0.1:{live.port}/v1/table"


def get(address: str, asked: dict[str, str], **headers: str) -> Any:
    return urlopen(Request(f"{address}?{urlencode(asked)}", headers=headers), timeout=60)


def read(address: str, asked: dict[str, str]) -> bytes:
    with get(address, asked) as response:
        return bytes(response.read())


def both(table: str, asked: dict[str, str]) -> tuple[pa.Table, pa.Table]:
    """The answer as Arrow and as Parquet."""
    with get(f"{table}.arrow", asked) as stream:
        arrow = pa.ipc.open_stream(stream).read_all()
    return arrow, pq.read_table(io.BytesIO(read(f"{table}.parquet", asked)))


def test_pyarrow(table: str) -> None:
    for found in both(table, ASKED):
        assert dict(zip(found.schema.names, found.schema.types, strict=True)) == {
            "time": pa.date32(),
            "shop": pa.string(),
            "soldAt": pa.timestamp("us", "Asia/Shanghai"),
            "delivered": pa.date32(),
            "isNew": pa.bool_(),
            "amount": pa.decimal128(38, 2),
            "sold": pa.int64(),
            "mean": pa.float64(),
        }
        assert found.to_pylist() == EXPECTED


def test_no_rows_have_types_too(table: str) -> None:
    nobody = ASKED | {"where": '{"shop": {"eq": "nobody"}}'}
    for found, filled in zip(both(table, nobody), both(table, ASKED), strict=True):
        assert found.num_rows == 0
        assert found.schema == filled.schema
    none, some = (pl.read_ipc_stream(read(f"{table}.arrow", asked)) for asked in (nobody, ASKED))
    assert (none.height, none.schema) == (0, some.schema)
    assert len(pd.read_parquet(io.BytesIO(read(f"{table}.parquet", nobody)))) == 0


def test_pandas(table: str) -> None:
    address = f"{table}.parquet?{urlencode(ASKED)}"
    found = pd.read_parquet(address)
    assert str(found["soldAt"].dtype) == "datetime64[us, Asia/Shanghai]"
    assert (found["amount"][0], pd.isna(found["amount"][1])) == (EXPECTED[0]["amount"], True)
    typed = pd.read_parquet(address, dtype_backend="pyarrow")
    assert typed.to_dict("records")[0] == EXPECTED[0]
    assert bool(typed["shop"].isna()[1])
    text = pd.read_csv(f"{table}.csv?{urlencode(ASKED)}", parse_dates=["time"])
    assert list(pd.to_datetime(text["soldAt"], format="ISO8601")) == [row["soldAt"] for row in EXPECTED]


def test_polars(table: str) -> None:
    for found in (pl.read_ipc_stream(read(f"{table}.arrow", ASKED)), pl.read_parquet(read(f"{table}.parquet", ASKED))):
        assert found.schema["soldAt"] == pl.Datetime("us", "Asia/Shanghai")
        assert found.schema["amount"] == pl.Decimal(38, 2)
        assert found.schema["time"] == pl.Date
        assert found.to_dicts() == EXPECTED


def test_duckdb(table: str, tmp_path: Any) -> None:
    arrow, _ = both(table, ASKED)
    (tmp_path / "sales.parquet").write_bytes(read(f"{table}.parquet", ASKED))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Shanghai'")
        connection.register("arrow", arrow)
        for source in ("arrow", f"'{tmp_path}/sales.parquet'"):
            found = connection.sql(f"SELECT * FROM {source}")
            assert [str(kind) for kind in found.types] == [
                *("DATE", "VARCHAR", "TIMESTAMP WITH TIME ZONE", "DATE", "BOOLEAN", "DECIMAL(38,2)", "BIGINT", "DOUBLE")
            ]
            assert pa.table(found.to_arrow_table()).cast(arrow.schema).to_pylist() == EXPECTED


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_many_rows_are_read_while_they_come(table: str, coding: str) -> None:
    """A reader holds some batches, and never the whole answer of tens of megabytes."""
    asked = {"metrics": "m", "dimensions": "n,word", "limit": "null"}
    total = rows = 0
    with get(f"{table}.arrow", asked, **{"accept-encoding": coding}) as response:
        assert response.headers.get("content-encoding", "identity") == coding
        source = pa.PythonFile(response, mode="r")
        stream = source if coding == "identity" else pa.CompressedInputStream(source, coding)
        most = 0
        for batch in pa.ipc.open_stream(stream):
            total += pa.compute.sum(batch["m"]).as_py()
            rows += batch.num_rows
            most = max(most, batch.nbytes)
    assert (rows, total) == (ROWS, ROWS * (ROWS - 1) // 2)
    assert most < 3_000_000
