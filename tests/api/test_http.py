"""GraphQL over HTTP, as its specification has it, over a real socket."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from api.settings import Settings
from tests.live import LiveServer, Reply
from tests.shop import make_project

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
GOOD = "{ metrics { totals { gmv } } }"


@pytest.fixture(scope="module")
def shop(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = make_project(tmp_path_factory.mktemp("shop"))
    with live.serving(Settings(model=folder, reload=False, max_request=20_000, max_rows=1000)):
        yield live


def post(shop: LiveServer, body: object, **headers: str) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return shop.request("POST", "/graphql", data, {"content-type": JSON, **named})


def get(shop: LiveServer, *, accept: str = JSON, **params: str) -> Reply:
    return shop.request("GET", f"/graphql?{urlencode(params)}", headers={"accept": accept})


def code(reply: Reply) -> str:
    """The code of the only error; there must be no data."""
    (error,) = reply.json["errors"]
    assert set(reply.json) == {"errors"}
    found = error["extensions"]["code"]
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        ("*/*", JSON),
        ("application/*", JSON),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", JSON),
        (f"{GRAPHQL}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON};q=0.4, text/event-stream;q=0.3", GRAPHQL),
        (f"{GRAPHQL};q=0, */*", JSON),
        ("", JSON),
    ],
)
def test_the_media_type_is_the_callers_choice(shop: LiveServer, accept: str, media: str) -> None:
    reply = post(shop, {"query": GOOD}, accept=accept)
    assert reply.status == 200
    assert reply.headers["content-type"] == f"{media}; charset=utf-8"
    assert reply.json == {"data": {"metrics": {"totals": {"gmv": 70}}}}


def test_without_accept_it_is_json(shop: LiveServer) -> None:
    assert post(shop, {"query": GOOD}).headers["content-type"] == f"{JSON}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/csv", f"{JSON};q=0"])
def test_types_that_cannot_be_had(shop: LiveServer, accept: str) -> None:
    reply = post(shop, {"query": GOOD}, accept=accept)
    assert (reply.status, code(reply)) == (406, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is empty."),
        (b'{"query": ', "The body is not JSON: line 1, column 11"),
        (b'{"query": NaN}', "The body is not JSON"),
        (b'"text"', "must be a JSON object, not a string"),
        (b"null", "must be a JSON object, not null"),
        ([{"query": GOOD}], "one query a request"),
        ({}, 'There is no "query".'),
        ({"qeury": GOOD}, 'There is no "query".'),
        ({"query": 7}, '"query" must be a string, not a number'),
        ({"query": {}}, '"query" must be a string, not an object'),
        ({"query": GOOD, "operationName": ["x"]}, '"operationName" must be a string, not a list'),
        ({"query": GOOD, "variables": "x"}, '"variables" must be an object, not a string'),
        ({"query": GOOD, "variables": [7]}, '"variables" must be an object, not a list'),
        ({"query": GOOD, "extensions": False}, '"extensions" must be an object, not a boolean'),
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_what_is_not_well_formed(shop: LiveServer, body: object, message: str, accept: str) -> None:
    reply = post(shop, body, accept=accept)
    assert (reply.status, code(reply)) == (400, "BAD_REQUEST")
    assert message in reply.json["errors"][0]["message"]
    assert reply.headers["content-type"] == f"{accept}; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ metrics { totals { gvm } } }"}, "UNKNOWN_METRIC"),
        ({"query": "mutation { __typename }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { __typename } query B { __typename }"}, "BAD_USER_INPUT"),
        ({"query": "query A { __typename }", "operationName": "B"}, "BAD_USER_INPUT"),
        ({"query": "query ($n: Int!) { metrics(limit: $n) { totals { gmv } } }"}, "BAD_USER_INPUT"),
        ({"query": "query ($n: Int!) { metrics(limit: $n) { totals { gmv } } }", "variables": {"n": "x"}}, None),
    ],
)
def test_what_is_not_run(shop: LiveServer, body: object, expected: str | None) -> None:
    told = post(shop, body, accept=GRAPHQL)
    assert told.status == 400
    assert expected is None or code(told) == expected
    legacy = post(shop, body, accept=JSON)
    assert legacy.status == 200
    assert legacy.json == told.json


def test_a_field_that_fails_is_a_partial_answer(shop: LiveServer) -> None:
    query = "{ good: metrics { totals { gmv } } bad: metrics(limit: 1001) { rows { channel gmv } } }"
    for accept in (JSON, GRAPHQL):
        reply = post(shop, {"query": query}, accept=accept)
        assert reply.status == 200
        assert [error["extensions"]["code"] for error in reply.json["errors"]] == ["LIMIT_EXCEEDED"]
        assert reply.json["data"] == {"good": {"totals": {"gmv": 70}}, "bad": None}


@pytest.mark.parametrize("name", ["variables", "operationName", "extensions"])
def test_parameters_may_be_null(shop: LiveServer, name: str) -> None:
    assert "errors" not in post(shop, {"query": GOOD, name: None}, accept=GRAPHQL).json


def test_variables_operation_and_extensions(shop: LiveServer) -> None:
    query = "query A { __typename } query B($c: String) { metrics(where: {channel: {eq: $c}}) { totals { gmv } } }"
    body = {"query": query, "operationName": "B", "variables": {"c": "公众号"}, "extensions": {"any": 1}}
    assert post(shop, body).json == {"data": {"metrics": {"totals": {"gmv": 40}}}}


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/json; charset=UTF-8", 200),
        ('Application/JSON;charset="utf-8"', 200),
        ("application/json; charset=gbk", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
def test_the_content_type_of_a_post(shop: LiveServer, content_type: str, status: int) -> None:
    reply = post(shop, {"query": GOOD}, content_type=content_type)
    assert reply.status == status
    assert status == 200 or code(reply) == "BAD_REQUEST"


def test_a_post_without_content_type(shop: LiveServer) -> None:
    reply = shop.request("POST", "/graphql", json.dumps({"query": GOOD}).encode())
    assert (reply.status, code(reply)) == (415, "BAD_REQUEST")


def test_a_body_too_large(shop: LiveServer) -> None:
    large = {"query": GOOD + " " * 20_000}
    reply = post(shop, large)
    assert (reply.status, code(reply)) == (413, "BAD_REQUEST")
    chunked = shop.request_chunked("/graphql", json.dumps(large).encode(), {"content-type": JSON})
    assert (chunked.status, code(chunked)) == (413, "BAD_REQUEST")


def test_a_body_in_chunks(shop: LiveServer) -> None:
    reply = shop.request_chunked("/graphql", json.dumps({"query": GOOD}).encode(), {"content-type": JSON})
    assert reply.json == {"data": {"metrics": {"totals": {"gmv": 70}}}}


def test_get(shop: LiveServer) -> None:
    assert get(shop, query=GOOD).json == {"data": {"metrics": {"totals": {"gmv": 70}}}}
    query = "query A($c: String) { metrics(where: {channel: {eq: $c}}) { totals { gmv } } } query B { __typename }"
    reply = get(shop, query=query, operationName="A", variables=json.dumps({"c": "ads"}), extensions="{}")
    assert reply.json == {"data": {"metrics": {"totals": {"gmv": 30}}}}
    assert get(shop, accept="*/*", query=GOOD).headers["content-type"] == f"{JSON}; charset=utf-8"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, 'There is no "query".'),
        ({"query": GOOD, "variables": "{"}, '"variables" is not JSON'),
        ({"query": GOOD, "variables": "[1]"}, '"variables" must be an object'),
        ({"query": GOOD, "extensions": "1"}, '"extensions" must be an object'),
    ],
)
def test_get_that_is_not_well_formed(shop: LiveServer, params: dict[str, str], message: str) -> None:
    reply = get(shop, accept=GRAPHQL, **params)
    assert (reply.status, code(reply)) == (400, "BAD_REQUEST")
    assert message in reply.json["errors"][0]["message"]


def test_a_get_changes_nothing(shop: LiveServer) -> None:
    reply = get(shop, accept=GRAPHQL, query="mutation { __typename }")
    assert 400 <= reply.status < 500
    assert "data" not in reply.json


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods(shop: LiveServer, method: str) -> None:
    reply = shop.request(method, "/graphql", b"{}", {"content-type": JSON})
    assert reply.status == 405
    assert reply.headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_options_and_head(shop: LiveServer) -> None:
    assert shop.request("OPTIONS", "/graphql").status == 204
    reply = shop.request("HEAD", "/graphql", headers={"accept": BROWSER})
    assert (reply.status, reply.body) == (200, b"")
    reply = shop.request("HEAD", f"/graphql?{urlencode({'query': GOOD})}", headers={"accept": JSON})
    assert (reply.status, reply.body) == (200, b"")


def test_a_bug_of_ours_tells_nothing_but_its_log(
    shop: LiveServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def execute(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("api.answering.execute", execute)
    reply = post(shop, {"query": GOOD + "# never asked before"})
    assert (reply.status, code(reply)) == (500, "INTERNAL")
    assert "secret" not in reply.body.decode()
    assert reply.json["errors"][0]["extensions"]["fault"] == "ours"
    assert "secret" in caplog.text


def test_a_caller_that_goes_before_it_has_asked(shop: LiveServer, caplog: pytest.LogCaptureFixture) -> None:
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", shop.port)) as connection:
        connection.sendall(head)
        time.sleep(0.1)
    time.sleep(0.2)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert post(shop, {"query": GOOD}).status == 200


def test_labels_in_the_language_of_the_request(shop: LiveServer) -> None:
    def label(**headers: str) -> str:
        reply = post(shop, {"query": "{ catalog { metrics { name label } } }"}, **headers)
        return str(next(one["label"] for one in reply.json["data"]["catalog"]["metrics"] if one["name"] == "gmv"))

    assert label() == "Sales"
    assert label(accept_language="zh-CN,zh;q=0.9,en;q=0.8") == "支付金额"
    assert label(accept_language="fr;q=0.9, zh;q=0.2, en;q=0.1") == "支付金额"
    assert label(accept_language="zh;q=0, en") == "Sales"


def test_sql_is_shown_to_this_machine_only(live: LiveServer, shop: LiveServer) -> None:
    query = "{ metrics { totals { gmv } meta { sql } } }"
    assert "sum(" in post(shop, {"query": query}).json["data"]["metrics"]["meta"]["sql"]
    assert Settings(host="0.0.0.0").may_show_sql is False


def test_answers_are_kept_by_nobody_else(shop: LiveServer) -> None:
    reply = post(shop, {"query": GOOD})
    assert reply.headers["cache-control"] == "no-store"
    assert "accept" in reply.headers["vary"]
    assert reply.headers["x-content-type-options"] == "nosniff"
