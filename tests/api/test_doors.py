"""The page, the schema as files, the example and the probes."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import pytest
from graphql import build_schema

from api.asking import STATUS
from api.settings import Settings
from tests.live import LiveServer, Reply
from tests.shop import make_project

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def shop(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = make_project(tmp_path_factory.mktemp("shop"))
    with live.serving(Settings(model=folder, reload=False)):
        yield live


def test_a_browser_gets_the_page(shop: LiveServer) -> None:
    reply = shop.get("/graphql", accept=BROWSER)
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/html")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self';" in policy
    files = re.findall(rb'(?:src|href)="\./([^"]+)"', reply.body)
    assert files
    for file in files:
        found = shop.get(f"/{file.decode()}")
        assert found.status == 200, file
        assert "immutable" in found.headers["cache-control"]
        assert found.headers["x-content-type-options"] == "nosniff"


def test_no_file_outside_the_page(shop: LiveServer) -> None:
    assert shop.get("/static/graphiql/../../settings.py").status == 404
    assert shop.get("/static/graphiql/%2e%2e/%2e%2e/settings.py").status == 404


def test_the_example_is_answered(shop: LiveServer) -> None:
    example = shop.get("/graphql/example").json
    answer = shop.ask(example["query"], example.get("variables")).json
    assert "errors" not in answer
    assert answer["data"]


def test_the_schema_in_the_readers_language(shop: LiveServer) -> None:
    reply = shop.get("/schema.graphql")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    schema = build_schema(reply.body.decode())
    assert "gmv" in schema.type_map["Row"].fields  # type: ignore[attr-defined]
    assert "Sales" in reply.body.decode()
    assert "支付金额" in shop.get("/schema.graphql", accept_language="zh-CN").body.decode()


def test_what_is_long_is_compressed(shop: LiveServer) -> None:
    page = shop.get("/graphql", accept="text/html").body.decode()
    (found,) = re.findall(r'src="\.(/static/graphiql/assets/index-[^"]+\.js)"', page)
    schema, script = (packed_and_whole(shop, path) for path in ("/schema.graphql", str(found)))
    assert "accept-language" in schema.headers["vary"]
    assert "immutable" in script.headers["cache-control"]
    again = shop.get(found, accept_encoding="gzip", if_modified_since=script.headers["last-modified"])
    assert again.status == 304
    assert shop.get("/static/graphiql/none.js", accept_encoding="gzip").status == 404


def packed_and_whole(shop: LiveServer, path: str) -> Reply:
    plain, packed = shop.get(path), shop.get(path, accept_encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert "accept-encoding" in packed.headers["vary"]
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) * 2 < len(plain.body)
    return packed


def test_the_schema_of_model_files(shop: LiveServer) -> None:
    reply = shop.get("/model.schema.json")
    assert reply.headers["content-type"] == "application/schema+json"
    assert "metrics" in reply.json["properties"]


def test_probes(shop: LiveServer) -> None:
    assert shop.get("/healthz").json == {"status": "ok"}
    ready = shop.get("/readyz")
    assert ready.status == 200
    assert ready.json["status"] == "ready"
    assert ready.json["warnings"] == []


def test_data_out_of_reach_is_not_ready(live: LiveServer, tmp_path: object) -> None:
    from pathlib import Path

    root = Path(str(tmp_path))
    with live.serving(Settings(model=make_project(root), reload=False, freshness_check=0)):
        assert live.get("/readyz").status == 200
        (root / "data" / "orders.parquet").unlink()
        reply = live.get("/readyz")
        assert reply.status == 503
        assert reply.json["status"] == "unready"
        assert "orders" in reply.json["reason"]
        assert str(root) not in reply.body.decode()
        assert live.get("/healthz").status == 200


def test_the_root_leads_to_the_page(shop: LiveServer) -> None:
    reply = shop.get("/")
    assert (reply.status, reply.headers["location"]) == (307, "graphql")


def test_no_page_that_loads_from_elsewhere(shop: LiveServer) -> None:
    assert shop.get("/docs").status == 404
    assert shop.get("/redoc").status == 404
    assert "/readyz" in shop.get("/openapi.json").json["paths"]


def test_tables_are_described_as_the_model_has_them(shop: LiveServer) -> None:
    found = shop.get("/openapi.json", accept_language="zh").json
    get, post = (found["paths"]["/v1/table.{ending}"][method] for method in ("get", "post"))
    assert {one["name"] for one in get["parameters"]} >= {"ending", "metrics", "timeRange", "limit"}
    assert post["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/TableArguments")
    schemas = found["components"]["schemas"]
    assert schemas["Metric"]["enum"] == ["GMV", "ORDERS"]
    assert schemas["TableArguments"]["required"] == ["metrics"]
    assert (schemas["TimeRange"]["minProperties"], schemas["TimeRange"]["maxProperties"]) == (1, 1)
    assert {str(status) for status in STATUS.values()} <= set(get["responses"])
    assert set(get["responses"]["200"]["content"]) >= {"application/json", "text/csv"}
