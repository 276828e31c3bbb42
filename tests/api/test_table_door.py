"""`/v1/table`: the same cells as GraphQL's `table`, in every format, read by the libraries people read them with."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.settings import Settings
from tests.api.shop import MODEL, write_tables
from tests.live import LiveServer, Reply

ENDINGS = ("json", "csv", "arrow", "parquet")
FILE = "application/vnd.apache.arrow.file"
STREAM = "application/vnd.apache.arrow.stream"
ASKED: list[dict[str, Any]] = [
    {"metrics": ["UV", "GMV", "AVG_SCORE"], "dimensions": ["CHANNEL"], "grain": "HOUR"},
    {"metrics": ["UV"], "dimensions": ["SEEN_AT", "DAY_SEEN", "IS_NEW", "AGE"], "limit": None},
    {"metrics": ["UV"], "dimensions": ["CHANNEL"], "limit": 2, "offset": 1},
    {"metrics": ["GMV"], "dimensions": ["CHANNEL"], "where": {"channel": {"eq": "nobody"}}},
    {"metrics": ["GMV"], "grain": "DAY", "timezone": "America/New_York", "orderBy": [{"by": "gmv"}], "fill": True},
    {"metrics": ["LARGEST_ID", "ODD_SUM"], "dimensions": ["LABEL", "ODD"]},
    {"metrics": ["UV_VALUE"], "timeRange": {"dates": {"from": "2026-11-01", "to": "2026-11-03"}}},
    {"metrics": ["GMV"], "dimensions": ["CHANNEL"], "having": [{"by": "gmv", "gt": 10}]},
    {"metrics": ["PV"], "segments": ["APP_ONLY"], "grain": "MONTH"},
    {"metrics": ["CREDITED_GMV"], "dimensions": ["CHANNEL"], "model": "FIRST"},
]


@pytest.fixture(scope="module")
def shop(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    root = write_tables(tmp_path_factory.mktemp("shop"))
    with duckdb.connect() as connection:  # more rows than are written at a time
        connection.execute(f"COPY (SELECT i AS n, i % 7 AS m FROM range(40000) t(i)) TO '{root}/data/many.parquet'")
    (root / "shop.yml").write_text(
        MODEL.replace(
            "relationships:",
            "  - {name: many, source: data/many.parquet, dimensions: [{name: n, type: number}]}\nrelationships:",
        ).replace("funnels:", "  - {name: m, type: simple, dataset: many, agg: sum, expr: m}\nfunnels:"),
        encoding="utf-8",
    )
    with live.serving(Settings(model=root, reload=False, max_rows=50_000)):
        yield live


def post(shop: LiveServer, ending: str, asked: object, **headers: str) -> Reply:
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    return shop.request("POST", f"/v1/table{ending}", body, {"content-type": "application/json", **headers})


def told(reply: Reply, status: int = 400) -> dict[str, Any]:
    assert reply.status == status, reply.body
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    (error,) = reply.json["errors"]
    assert set(reply.json) == {"errors"}
    return {"message": error["message"], **error["extensions"]}


def by_graphql(shop: LiveServer, asked: dict[str, Any]) -> Any:
    types = {
        "metrics": "[Metric!]!",
        "dimensions": "[Dimension!]",
        "grain": "Grain",
        "limit": "Int",
        "offset": "Int",
        "where": "Where",
        "timezone": "String",
        "orderBy": "[OrderBy!]",
        "fill": "Boolean",
        "timeRange": "TimeRange",
        "having": "[Having!]",
        "segments": "[Segment!]",
        "model": "AttributionModel",
    }
    declared = ", ".join(f"${name}: {types[name]}" for name in asked)
    passed = ", ".join(f"{name}: ${name}" for name in asked)
    parts = "columns { key name role type label description format } rows pageInfo { hasNextPage offset limit }"
    query = f"query ({declared}) {{ table({passed}) {{ {parts} meta {{ dataVersion }} }} }}"
    return exactly(shop.ask(query, asked).body)["data"]["table"]


def exactly(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def told_by_arrow(table: pa.Table) -> list[list[Any]]:
    """The cells of an Arrow table as JSON has them."""
    return [[plain(value) for value in row.values()] for row in table.to_pylist()]


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        text = value.isoformat()
        return text if value.utcoffset() is not None else text.replace("+00:00", "")
    return value.isoformat() if isinstance(value, date) else value


def rough(rows: list[list[Any]]) -> list[list[Any]]:
    """Fractions as doubles: an exact decimal, its double and its text are then the same."""
    return [[float(cell) if isinstance(cell, Decimal) else cell for cell in row] for row in rows]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: "-".join(map(str, asked)))
def test_every_format_has_the_cells_of_graphql(shop: LiveServer, asked: dict[str, Any]) -> None:
    expected = by_graphql(shop, asked)
    assert expected["rows"] or "where" in asked
    found = exactly(post(shop, ".json", asked).body)
    assert found["columns"] == expected["columns"]
    assert found["rows"] == expected["rows"]
    assert found["pageInfo"] == expected["pageInfo"]
    assert found["meta"]["dataVersion"] == expected["meta"]["dataVersion"]
    keys = [column["key"] for column in expected["columns"]]
    for table in (
        pa.ipc.open_stream(post(shop, ".arrow", asked).body).read_all(),
        pa.ipc.open_file(post(shop, ".arrow", asked, accept=FILE).body).read_all(),
        pq.read_table(io.BytesIO(post(shop, ".parquet", asked).body)),
    ):
        assert table.column_names == keys
        assert rough(told_by_arrow(table)) == rough(expected["rows"])
    head, *rows = csv.reader(io.StringIO(post(shop, ".csv", asked).body.decode()))
    assert head == keys
    assert [[cell.lower() for cell in row] for row in rows] == [
        ["" if cell is None else str(cell).lower() for cell in row] for row in texts(expected["rows"], rows)
    ]


def texts(rows: list[list[Any]], written: list[list[str]]) -> list[list[Any]]:
    """Numbers as CSV wrote them, where they are the same number."""
    return [
        [text if same(cell, text) else cell for cell, text in zip(row, texts_of_row, strict=True)]
        for row, texts_of_row in zip(rows, written, strict=True)
    ]


def same(cell: Any, text: str) -> bool:
    return isinstance(cell, Decimal | int) and not isinstance(cell, bool) and bool(text) and Decimal(text) == cell


def test_what_is_unknown_is_no_empty_text(shop: LiveServer) -> None:
    asked = {"metrics": ["uv"], "dimensions": ["channel"]}
    lines = post(shop, ".csv", asked).body.decode().splitlines()
    assert lines[0] == '"channel","uv"'
    assert lines[-1].startswith(",")


@pytest.mark.parametrize("ending", ENDINGS)
def test_many_rows_come_in_pieces(shop: LiveServer, ending: str) -> None:
    asked = {"metrics": ["M"], "dimensions": ["N"], "limit": None}
    reply = post(shop, f".{ending}", asked)
    assert (reply.status, reply.headers.get("transfer-encoding")) == (200, "chunked")
    read: dict[str, Callable[[bytes], list[list[Any]]]] = {
        "json": lambda body: json.loads(body)["rows"],
        "csv": lambda body: [[int(cell) for cell in row] for row in list(csv.reader(io.StringIO(body.decode())))[1:]],
        "arrow": lambda body: told_by_arrow(pa.ipc.open_stream(body).read_all()),
        "parquet": lambda body: told_by_arrow(pq.read_table(io.BytesIO(body))),
    }
    assert read[ending](reply.body) == [[n, n % 7] for n in range(40_000)]


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_tables_are_compressed(shop: LiveServer, ending: str, coding: str) -> None:
    """Many rows while they come, few at once, very few not at all; Parquet is compressed in itself."""
    for most in (None, 5000, 1):
        asked = {"metrics": ["M"], "dimensions": ["N"], "limit": most}
        plain, packed = post(shop, f".{ending}", asked), post(shop, f".{ending}", asked, **{"accept-encoding": coding})
        assert "content-encoding" not in plain.headers
        assert "accept-encoding" in packed.headers["vary"]
        if ending == "parquet" or len(plain.body) < 1024:
            assert packed.body == plain.body
        else:
            assert packed.headers["content-encoding"] == coding
            assert unpacked(packed.body, coding) == plain.body
            assert len(packed.body) < len(plain.body)


def unpacked(body: bytes, coding: str) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(body), coding) as stream:
        return bytes(stream.read())


def test_an_address_says_the_same(shop: LiveServer) -> None:
    asked = {
        "metrics": ["GMV", "ORDERS"],
        "dimensions": ["CHANNEL"],
        "timeRange": {"last": {"count": 3, "unit": "DAY"}},
        "timezone": "UTC",
        "limit": 2,
        "fill": False,
        "grain": "DAY",
    }
    address = {
        "metrics": "gmv, orders",
        "dimensions": "channel",
        "timeRange": json.dumps(asked["timeRange"]),
        "timezone": "UTC",
        "limit": "2",
        "fill": "false",
        "grain": "day",
    }
    for ending in ENDINGS:
        by_address = shop.get(f"/v1/table.{ending}?{urlencode(address)}")
        assert by_address.status == 200
        assert by_address.body == post(shop, f".{ending}", asked).body
    twice = shop.get(f"/v1/table.json?{urlencode([('metrics', 'GMV'), ('metrics', 'ORDERS')])}")
    assert [column["key"] for column in twice.json["columns"]] == ["gmv", "orders"]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        (STREAM, STREAM),
        (FILE, FILE),
        ("application/vnd.apache.parquet, */*;q=0.1", "application/vnd.apache.parquet"),
    ],
)
def test_without_an_ending_the_caller_chooses(shop: LiveServer, accept: str, media: str) -> None:
    reply = post(shop, "", {"metrics": ["GMV"]}, accept=accept)
    assert (reply.status, reply.headers["content-type"].removesuffix("; charset=utf-8")) == (
        200,
        media.removesuffix("; charset=utf-8"),
    )


def test_what_there_is_no_room_for_in_a_file_is_in_its_headers(shop: LiveServer) -> None:
    reply = post(shop, ".csv", {"metrics": ["GMV"], "dimensions": ["CHANNEL"], "limit": 1})
    assert reply.headers["headwater-has-next-page"] == "true"
    assert reply.headers["headwater-data-through"] == "2026-11-07"
    assert "STALE_DATA" in reply.headers["headwater-warnings"]
    assert reply.headers["headwater-data-version"]
    assert reply.headers["cache-control"] == "no-store"
    schema = pa.ipc.open_stream(post(shop, ".arrow", {"metrics": ["GMV"]}, **{"accept-language": "zh"}).body).schema
    assert schema.field("gmv").metadata[b"label"].decode() == "成交额"
    assert schema.field("gmv").metadata[b"role"] == b"METRIC"
    assert json.loads(schema.metadata[b"headwater"])["pageInfo"]["hasNextPage"] is False


def test_what_is_known_already_is_not_sent_again(shop: LiveServer) -> None:
    path = "/v1/table.csv?metrics=gmv"
    first = shop.get(path)
    assert first.headers["cache-control"] == "private, max-age=1"
    again = shop.get(path, if_none_match=first.headers["etag"])
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert shop.get("/v1/table.csv?metrics=uv", if_none_match=first.headers["etag"]).status == 200
    assert shop.get("/v1/table.json?metrics=gmv", if_none_match=first.headers["etag"]).status == 200
    assert shop.request("HEAD", path).body == b""


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({}, "BAD_USER_INPUT", "`metrics`"),
        ({"metrics": ["GVM"]}, "UNKNOWN_METRIC", "'GVM'"),
        ({"metrics": ["GMV"], "dimensions": ["CHANEL"]}, "UNKNOWN_DIMENSION", "'CHANEL'"),
        ({"metrics": ["GMV"], "where": {"chanel": {"eq": "x"}}}, "UNKNOWN_DIMENSION", "chanel"),
        ({"metrics": ["GMV"], "limt": 3}, "BAD_ARGUMENT", "There is no argument `limt`."),
        ({"metrics": ["GMV"], "limit": 50_001}, "LIMIT_EXCEEDED", "50001"),
        ({"metrics": ["GMV"], "timezone": "Mars"}, "BAD_TIMEZONE", "Mars"),
        ({"metrics": ["GMV"], "dimensions": ["MEMBER_LEVEL"]}, "DIMENSION_NOT_SHARED", "memberLevel"),
        ({"metrics": ["GMV"], "timeRange": {"last": {"count": 1, "unit": "FORTNIGHT"}}}, "BAD_USER_INPUT", "FORTNIGHT"),
        (
            {"metrics": ["GMV"], "timeRange": {}},
            "BAD_TIME_RANGE",
            "OneOf Input Object 'TimeRange' must specify exactly",
        ),
        (b"{", "BAD_REQUEST", "not JSON"),
        (b"", "BAD_REQUEST", '{"metrics": ["GMV"]}'),
        ([], "BAD_REQUEST", ""),
    ],
)
@pytest.mark.parametrize("ending", [".json", ".parquet"])
def test_errors_are_json(shop: LiveServer, asked: object, code: str, message: str, ending: str) -> None:
    error = told(post(shop, ending, asked))
    assert (error["code"], error["fault"]) == (code, "user")
    assert message in error["message"]
    assert "$" not in error["message"]


def test_a_near_name_is_suggested(shop: LiveServer) -> None:
    suggestion = told(post(shop, ".csv", {"metrics": ["GVM"]}))["suggestion"]
    assert suggestion.startswith("Did you mean the enum value 'GMV'")
    assert "limit" in told(post(shop, ".csv", {"metrics": ["GMV"], "limt": 1}))["suggestion"]


def test_addresses_that_have_no_meaning(shop: LiveServer) -> None:
    assert "timeRange" in told(shop.get("/v1/table.json?metrics=gmv&timeRange=yesterday"))["message"]
    assert "2 times" in told(shop.get("/v1/table.json?metrics=gmv&limit=1&limit=2"))["message"]
    assert "json, csv, arrow, parquet" in told(shop.get("/v1/table.xlsx?metrics=gmv"), 404)["message"]
    assert "text/csv" in told(shop.get("/v1/table?metrics=gmv", accept="text/html"), 406)["message"]
    assert told(shop.request("DELETE", "/v1/table.csv"), 405)["code"] == "BAD_REQUEST"
    text = {"content-type": "text/plain"}
    assert told(shop.request("POST", "/v1/table.csv", b"{}", text), 415)["code"] == "BAD_REQUEST"


def test_pandas_polars_and_pyarrow_read_it(shop: LiveServer) -> None:
    address = f"http://127.0.0.1:{shop.port}/v1/table"
    asked = "metrics=uv,gmv&dimensions=channel&grain=day"
    expected = exactly(shop.get(f"/v1/table.json?{asked}").body)["rows"]
    with urlopen(f"{address}.arrow?{asked}", timeout=20) as stream:
        arrow = pa.ipc.open_stream(stream).read_all()
    assert rough(told_by_arrow(arrow)) == rough(expected)
    assert len(pd.read_csv(f"{address}.csv?{asked}", parse_dates=["time"])) == len(expected)
    assert list(pd.read_parquet(f"{address}.parquet?{asked}").columns) == ["time", "channel", "uv", "gmv"]
    assert pl.read_parquet(shop.get(f"/v1/table.parquet?{asked}").body).shape == (len(expected), 4)
    assert pl.read_csv(shop.get(f"/v1/table.csv?{asked}").body, try_parse_dates=True).schema["time"] == pl.Date
    assert float(pl.read_ipc_stream(shop.get(f"/v1/table.arrow?{asked}").body)["gmv"].sum()) == pytest.approx(
        float(sum(row[3] or 0 for row in expected))
    )
