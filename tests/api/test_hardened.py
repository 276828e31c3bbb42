"""The hardened profile: a stranger learns the answers to what they know how to ask, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from api.headers import ALWAYS
from api.settings import Settings
from api.viewers.keys import FILE_NAME, new_key, write_keys
from engine import EngineSettings, open_engine
from semantic.errors import DataError
from semantic.load import load_folder
from tests.live import LiveServer, Reply
from tests.shop import MODEL, make_project

OPEN_MODEL = MODEL + "anonymous: true\n"
GOOD = "{ metrics { totals { gmv } } }"
ANSWER = {"data": {"metrics": {"totals": {"gmv": 70}}}}
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("hardened"), OPEN_MODEL)


@pytest.fixture(scope="module")
def key(folder: Path) -> str:
    text, record = new_key("ann", {})
    write_keys(folder / FILE_NAME, (record,))
    return text


@pytest.fixture(scope="module")
def shop(live: LiveServer, folder: Path, key: str) -> Iterator[LiveServer]:
    with live.serving(Settings(model=folder, reload=False, profile="hardened", show_sql=True)):
        yield live


def code(reply: Reply) -> str:
    (error,) = reply.json["errors"]
    found = error["extensions"]["code"]
    assert isinstance(found, str)
    return found


def test_what_one_knows_how_to_ask_is_answered(shop: LiveServer, key: str) -> None:
    assert shop.ask(GOOD).json == ANSWER
    assert shop.ask(GOOD, authorization=f"Bearer {key}").json == ANSWER
    assert shop.ask("{ __typename metrics { __typename } }").status == 200


LOOKS = [
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Row") { fields { name } } }',
    "{ ...F } fragment F on Query { s: __schema { types { name } } }",
]


@pytest.mark.parametrize("query", LOOKS)
def test_the_schema_is_shown_only_to_those_who_sign_in(shop: LiveServer, key: str, query: str) -> None:
    reply = shop.ask(query)
    assert code(reply) == "UNAUTHENTICATED"
    assert "data" not in reply.json
    assert "errors" not in shop.ask(query, authorization=f"Bearer {key}").json


@pytest.mark.parametrize("path", ["/schema.graphql", "/graphql/example"])
def test_nor_at_other_addresses(shop: LiveServer, key: str, path: str) -> None:
    reply = shop.get(path)
    assert (reply.status, code(reply)) == (401, "UNAUTHENTICATED")
    assert shop.get(path, authorization=f"Bearer {key}").status == 200
    assert shop.get("/openapi.json").status == 404


def test_the_page_is_not_there_for_strangers(shop: LiveServer, key: str) -> None:
    reply = shop.get("/graphql", accept=BROWSER)
    assert reply.status == 400
    assert b"<html" not in reply.body.lower()
    assert b"<html" in shop.get("/graphql", accept=BROWSER, authorization=f"Bearer {key}").body.lower()


@pytest.mark.parametrize(
    "query",
    [
        "{ metrics { totals { gmw } } }",
        "{ metric { totals { gmv } } }",
        "{ dimensionValues(dimension: CHANEL) { values { value } } }",
        '{ metrics(orderBy: [{by: "gmw"}]) { rows { gmv channel } } }',
        '{ metrics(timezone: "Asia/Shangai") { totals { gmv } } }',
    ],
)
def test_no_name_is_guessed_for_strangers(shop: LiveServer, key: str, query: str) -> None:
    reply = shop.ask(query)
    assert reply.json["errors"]
    assert b"id you mean" not in reply.body
    assert b"id you mean" in shop.ask(query, authorization=f"Bearer {key}").body


def test_nor_by_tables(shop: LiveServer, key: str) -> None:
    path = "/v1/table.csv?metrics=gmw"
    reply = shop.get(path)
    assert (reply.status, b"id you mean" in reply.body) == (400, False)
    assert b"id you mean" in shop.get(path, authorization=f"Bearer {key}").body


def test_no_sql_for_strangers(shop: LiveServer, key: str) -> None:
    query = "{ metrics { totals { gmv } meta { sql } } }"
    assert shop.ask(query).json["data"]["metrics"]["meta"]["sql"] is None
    assert "SELECT" in shop.ask(query, authorization=f"Bearer {key}").json["data"]["metrics"]["meta"]["sql"]
    assert not Settings(profile="hardened").may_show_sql


def test_a_page_elsewhere_can_t_make_a_browser_ask(shop: LiveServer) -> None:
    path = f"/graphql?{urlencode({'query': GOOD})}"
    reply = shop.get(path, accept="application/json")
    assert (reply.status, code(reply)) == (400, "BAD_REQUEST")
    assert "header that no other site can send" in reply.json["errors"][0]["message"]
    assert shop.get(path, accept="application/json", x_requested_with="us").json == ANSWER
    assert shop.get(path, accept="application/json", apollo_require_preflight="1").json == ANSWER
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        body = json.dumps({"query": GOOD}).encode()
        assert shop.request("POST", "/graphql", body, {"content-type": kind}).status == 415


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/graphql", "/nowhere", "/model.schema.json", "/v1/table.csv"])
def test_every_answer_carries_the_headers(shop: LiveServer, path: str) -> None:
    headers = shop.get(path).headers
    for name, value in ALWAYS:
        assert headers[name.decode()] == value.decode(), name


def test_the_page_keeps_its_own_policy(live: LiveServer, folder: Path) -> None:
    with live.serving(Settings(model=folder, reload=False)):
        policy = live.get("/graphql", accept=BROWSER).headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert live.get("/static/graphiql/index.html").headers["content-security-policy"] == policy


def test_readiness_tells_no_more_than_that(shop: LiveServer) -> None:
    assert shop.get("/readyz").json == {"status": "ready"}
    assert shop.get("/healthz").json == {"status": "ok"}


@pytest.mark.parametrize(
    "query",
    [
        "{ " + "__typename " * 500 + "}",
        "{ " + " ".join(f"a{number}: __typename" for number in range(101)) + " }",
        "{ __typename " + "@a" * 10 + " }",
    ],
    ids=["fields", "aliases", "directives"],
)
def test_documents_that_only_cost(shop: LiveServer, query: str) -> None:
    reply = shop.ask(query)
    assert code(reply) == "LIMIT_EXCEEDED"
    assert "data" not in reply.json


# --- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["data/orders.parquet", "data/*.parquet"])
@pytest.mark.parametrize("link", ["data", "data/orders.parquet"])
async def test_no_link_leads_out_of_the_project(tmp_path: Path, source: str, link: str) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for place in (outside, inside):
        place.mkdir()
        make_project(place, MODEL.replace("data/orders.parquet", source))
    (inside / link).rename(tmp_path / "aside")
    (inside / link).symlink_to(outside / link)
    model = load_folder(inside / "model")
    for confined in (False, True):
        engine = open_engine(model, inside, EngineSettings(settle_seconds=0, confined=confined))
        try:
            if not confined:
                if (source, link) != ("data/*.parquet", "data/orders.parquet"):  # DuckDB refuses that one by itself
                    assert (await engine.facts(["orders"])).datasets["orders"].rows == 3
                continue
            with pytest.raises(DataError, match="lies outside of the project's folder") as caught:
                await engine.facts(["orders"])
            assert str(outside) not in str(caught.value)
        finally:
            await engine.close()


async def test_a_link_within_the_project_is_followed(tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    os.rename(tmp_path / "data", tmp_path / "real")
    (tmp_path / "data").symlink_to(tmp_path / "real")
    engine = open_engine(load_folder(folder), tmp_path, EngineSettings(settle_seconds=0, confined=True))
    try:
        assert (await engine.facts(["orders"])).datasets["orders"].rows == 3
    finally:
        await engine.close()
