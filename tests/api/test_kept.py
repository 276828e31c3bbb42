"""Answers kept as bytes: the same as fresh ones, of nobody else, of no other data and no other model."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pyarrow as pa
import pytest

from api import answering
from api.compression import coding_of, compress
from api.context import Outcome, Response
from api.kept import Entry, Kept
from api.resolvers.rows import AT_ONCE
from api.resolvers.weighed import Key
from api.setting_values import networks
from api.settings import Settings
from tests.live import LiveServer, Reply
from tests.shop import MODEL, make_project, write_table

QUERY = "{ metrics { rows { channel gmv } totals { gmv } } }"
ROWS = """
    select 'o' || n as order_id, 'u' as user_id, date '2026-11-01' as paid_on, 'channel ' || n as channel, n as amount
    from range(1, 100) as t(n)
"""
PROTECTED = MODEL + 'policies: [{name: own, dataset: orders, where: "channel in (:channels)"}]\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def shop(live: LiveServer, project: Path) -> Iterator[LiveServer]:
    with live.serving(Settings(model=project, reload=False, freshness_check=0.05)):
        yield live


@pytest.fixture(scope="module")
def many(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = make_project(tmp_path_factory.mktemp("many"), orders=ROWS)
    with live.serving(Settings(model=folder, reload=False, freshness_check=60)):
        yield live


def get(shop: LiveServer, query: str, **headers: str) -> Reply:
    return shop.get(f"/graphql?{urlencode({'query': query})}", accept="application/json", **headers)


def test_an_answer_is_given_again_without_being_executed(many: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    first = many.ask("{ metrics { rows { channel gmv } } }")

    def execute(*_: object) -> None:
        raise AssertionError("executed")

    monkeypatch.setattr(answering, "execute", execute)
    monkeypatch.setattr(answering, "execute_now", execute)
    for accept in ("application/json", "application/graphql-response+json"):
        for _ in range(3):
            again = many.ask("{ metrics { rows { channel gmv } } }", accept=accept)
            assert again.body == first.body
            assert again.headers["content-type"] == f"{accept}; charset=utf-8"
            assert again.headers["etag"] == first.headers["etag"]
            assert again.headers["cache-control"] == "no-store"
        assert (
            many.get("/graphql?query=%7B+metrics+%7B+rows+%7B+channel+gmv+%7D+%7D+%7D", accept=accept).body
            == first.body
        )
    assert many.ask("{ metrics { rows { gmv } } }").status == 500


def test_variables_in_any_order_and_other_values(many: LiveServer) -> None:
    query = "query ($a: String, $n: Int) { metrics(where: {channel: {eq: $a}}, limit: $n) { rows { gmv } } }"

    def rows(**variables: object) -> object:
        return many.ask(query, variables).json["data"]["metrics"]["rows"]

    for _ in range(3):
        assert rows(a="channel 3", n=5) == [{"gmv": 3}]
        assert rows(n=5, a="channel 3") == [{"gmv": 3}]
        assert rows(a="channel 4", n=5) == [{"gmv": 4}]
        assert rows(a="channel 4", n=0) == []


def test_operations_of_one_document(many: LiveServer) -> None:
    query = "query A { metrics { totals { gmv } } } query B { metrics { totals { orders } } }"
    for _ in range(3):
        for name, key in (("A", "gmv"), ("B", "orders")):
            body = json.dumps({"query": query, "operationName": name}).encode()
            reply = many.request("POST", "/graphql", body, {"content-type": "application/json"})
            assert list(reply.json["data"]["metrics"]["totals"]) == [key]


def test_changed_data_is_answered_anew(shop: LiveServer, project: Path) -> None:
    assert [shop.ask(QUERY).json["data"]["metrics"]["totals"] for _ in range(3)] == [{"gmv": 70}] * 3
    tag = get(shop, QUERY).headers["etag"]
    assert get(shop, QUERY, if_none_match=tag).status == 304
    changed = "select 'o1' as order_id, 'a' as user_id, date '2026-11-01' as paid_on, 'ads' as channel, 5 as amount"
    write_table(project.parent, "orders", changed)
    deadline = time.monotonic() + 5
    while shop.ask(QUERY).json["data"]["metrics"]["totals"] != {"gmv": 5}:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    fresh = get(shop, QUERY, if_none_match=tag)
    assert (fresh.status, fresh.json["data"]["metrics"]["totals"]) == (200, {"gmv": 5})
    assert fresh.headers["etag"] != tag


def test_a_changed_model_is_answered_anew(live: LiveServer, project: Path) -> None:
    query = "{ metrics { totals { gmv } } }"
    with live.serving(Settings(model=project, reload=False)) as app:
        assert [live.ask(query).json["data"]["metrics"]["totals"] for _ in range(3)] == [{"gmv": 70}] * 3
        (project / "shop.yml").write_text(MODEL.replace("expr: amount", "expr: amount * 2"), encoding="utf-8")
        assert live.await_(app.state.served.reload())
        assert [live.ask(query).json["data"]["metrics"]["totals"] for _ in range(3)] == [{"gmv": 140}] * 3


def test_nobody_is_given_the_answer_of_somebody_else(live: LiveServer, tmp_path: Path) -> None:
    folder = make_project(tmp_path, PROTECTED)
    query = "{ metrics { rows { channel gmv } } }"
    settings = Settings(model=folder, reload=False, trusted_proxies=networks("127.0.0.1"), anonymous=False)
    with live.serving(settings):
        for _ in range(3):
            for name, channel, gmv in (("ann", "ads", 30), ("bob", "公众号", 40), ("cem", "none", None)):
                claims = json.dumps({"channels": [channel]})
                reply = live.ask(query, x_headwater_viewer=name, x_headwater_claims=claims)
                rows = [] if gmv is None else [{"channel": channel, "gmv": gmv}]
                assert reply.json["data"]["metrics"]["rows"] == rows
            assert live.ask(query).json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_labels_are_kept_by_language(many: LiveServer) -> None:
    query = "{ table(metrics: [GMV]) { columns { label } rows } }"
    for _ in range(3):
        for language, label in (("en", "Sales"), ("zh-CN", "支付金额"), ("zh", "支付金额"), ("fr", "Sales")):
            found = many.ask(query, accept_language=language).json["data"]["table"]
            assert found["columns"] == [{"label": label}]


def test_what_is_of_the_moment_is_not_kept(many: LiveServer) -> None:
    query = '{ metrics(where: {channel: {ne: "x"}}) { totals { orders } meta { cached durationMs } } }'
    cached = [many.ask(query).json["data"]["metrics"]["meta"]["cached"] for _ in range(3)]
    assert cached == [False, True, True]
    assert "etag" not in many.ask(query).headers


def test_what_failed_is_asked_again(many: LiveServer) -> None:
    for query in ("{ metrics(limit: -1) { rows { gmv } } }", "{ nothing }", "{"):
        replies = [many.ask(query) for _ in range(3)]
        assert all("errors" in reply.json and "etag" not in reply.headers for reply in replies)


def test_get_says_for_how_long(many: LiveServer) -> None:
    reply = get(many, QUERY)
    assert reply.headers["cache-control"] == "private, max-age=60"
    for tags in (reply.headers["etag"], reply.headers["etag"].removeprefix("W/"), f'"x", {reply.headers["etag"]}', "*"):
        again = get(many, QUERY, if_none_match=tags)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == reply.headers["etag"]
        assert "content-type" not in again.headers
    assert get(many, QUERY, if_none_match='"x"').status == 200
    assert many.ask(QUERY, if_none_match=reply.headers["etag"]).status == 200


@pytest.mark.parametrize(
    "query", ["{ metrics { rows { channel gmv } } }", "{ metrics { rows { channel gmv } meta { cached } } }"]
)
def test_compressed(many: LiveServer, query: str) -> None:
    plain = many.ask(query).body
    for _ in range(3):
        packed = many.ask(query, accept_encoding="gzip, deflate, br")
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) == len(packed.body) < len(plain)
        assert (
            json.loads(gzip.decompress(packed.body))["data"]["metrics"]["rows"]
            == json.loads(plain)["data"]["metrics"]["rows"]
        )
        assert many.ask(query, accept_encoding="zstd").headers["content-encoding"] == "zstd"
        assert "content-encoding" not in many.ask(query, accept_encoding="br").headers
        assert "accept-encoding" in packed.headers["vary"]
    assert "content-encoding" not in many.ask("{ metrics { totals { gmv } } }", accept_encoding="gzip").headers


def test_codings() -> None:
    body = json.dumps(list(range(10_000))).encode()
    assert gzip.decompress(compress(body, "gzip")) == body
    unpacked = pa.CompressedInputStream(pa.BufferReader(compress(body, "zstd")), "zstd").read()
    assert unpacked == body
    expected = {None: None, "": None, "gzip": "gzip", "zstd, gzip;q=0.5": "zstd", "gzip;q=0": None, "identity": None}
    assert {accepted: coding_of(accepted) for accepted in expected} == expected


def test_memory_is_bounded(live: LiveServer, project: Path) -> None:
    with live.serving(Settings(model=project, reload=False)) as app:
        snapshot = app.state.served.snapshot
        kept = Kept(100_000)
        answer = Response(b"x" * 10_000, Outcome.OK)
        entries = [Entry(snapshot, Key(number, size=100), answer, ()) for number in range(20)]
        for entry in entries:
            kept.put(entry)
        held = [entry for entry in entries if kept.has(entry)]
        assert held == entries[-4:]
        for size, body in ((0, b"x" * 100_000), (100_000, b"x")):
            kept.put(Entry(snapshot, Key("large", size=size), Response(body, Outcome.OK), ()))
            assert kept.get(snapshot, Key("large")) is None
        assert asyncio.run(entries[-1].is_current())


def test_many_rows_are_written_while_others_are_answered_and_are_the_same(live: LiveServer, project: Path) -> None:
    count = AT_ONCE + 1000
    write_table(project.parent, "orders", ROWS.replace("100)", f"{count + 1})"))
    rows = [{"channel": f"channel {number}", "gmv": number} for number in range(1, count + 1)]
    query = f"{{ metrics(limit: {count + 1}) {{ rows {{ channel gmv }} meta {{ cached }} }} }}"
    with live.serving(Settings(model=project, reload=False, freshness_check=60)):
        for cached in (False, True, True):
            found = live.ask(query).json["data"]["metrics"]
            assert sorted(found["rows"], key=lambda row: row["gmv"]) == rows
            assert found["meta"] == {"cached": cached}
        table = live.ask(f"{{ table(metrics: [GMV], dimensions: [CHANNEL], limit: {count + 1}) {{ rows }} }}").json
        assert sorted(table["data"]["table"]["rows"], key=lambda row: row[1]) == [list(row.values()) for row in rows]
