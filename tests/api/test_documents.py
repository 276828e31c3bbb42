"""Documents known by their hash, trusted documents, lists of queries, and pages of other sites."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from api.documents import Documents, read_trusted
from api.request import Asked, Malformed
from api.settings import Settings
from semantic.errors import UserError
from tests.live import LiveServer, Reply
from tests.shop import make_project

GMV = "{ metrics { totals { gmv } } }"
ANSWER = {"data": {"metrics": {"totals": {"gmv": 70}}}}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("shop"))


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(text: str, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha(text)}}, **more}


def post(live: LiveServer, body: object, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return live.request("POST", "/graphql", json.dumps(body).encode(), {"content-type": "application/json", **named})


def code(reply: Reply) -> str:
    return str(reply.json["errors"][0]["extensions"]["code"])


def test_a_document_is_sent_once(live: LiveServer, project: Path) -> None:
    with live.serving(Settings(model=project, reload=False)):
        unknown = post(live, persisted(GMV))
        assert (unknown.status, code(unknown)) == (200, "PERSISTED_QUERY_NOT_FOUND")
        assert unknown.json["errors"][0]["message"] == "PersistedQueryNotFound"
        assert post(live, persisted(GMV, query=GMV)).json == ANSWER
        assert post(live, persisted(GMV)).json == ANSWER
        assert post(live, {"documentId": f"sha256:{sha(GMV)}"}).json == ANSWER
        address = {"extensions": json.dumps(persisted(GMV)["extensions"])}
        by_address = live.get(f"/graphql?{urlencode(address)}", accept="application/json")
        assert by_address.json == ANSWER
        assert by_address.headers["etag"]
        wrong = post(live, persisted(GMV, query="{ __typename }"))
        assert (wrong.status, code(wrong)) == (400, "BAD_REQUEST")
        assert code(post(live, {"documentId": "x"})) == "BAD_REQUEST"
        assert code(post(live, {"extensions": {"persistedQuery": {"sha256Hash": 7}}})) == "BAD_REQUEST"


@pytest.mark.parametrize("form", ["hashes", "apollo"])
def test_trusted_documents_and_nothing_else(live: LiveServer, project: Path, tmp_path: Path, form: str) -> None:
    named = "query Named { metrics { totals { gmv } } }"
    texts = {sha(text): text for text in (GMV, named)}
    operations = [{"id": key, "name": "x", "type": "query", "body": text} for key, text in texts.items()]
    manifest = tmp_path / "trusted.json"
    manifest.write_text(json.dumps(texts if form == "hashes" else {"format": "apollo", "operations": operations}))
    with live.serving(Settings(model=project, reload=False, trusted_documents=manifest, trusted_only=True)):
        for _ in range(2):
            assert post(live, {"documentId": sha(GMV)}).json == ANSWER
            assert post(live, persisted(named)).json == ANSWER
            assert post(live, {"query": GMV}).json == ANSWER
        for other in ({"query": "{ __typename }"}, persisted("{ __typename }"), persisted(GMV, query="{ __typename }")):
            refused = post(live, other)
            assert (refused.status, code(refused)) == (400, "DOCUMENT_NOT_TRUSTED")
        assert code(live.get("/v1/table.json?metrics=gmv")) == "DOCUMENT_NOT_TRUSTED"


def test_what_clients_send_is_bounded() -> None:
    documents = Documents({}, only=False)
    texts = [f"{{ a{number}: __typename }} # {'x' * 60_000}" for number in range(300)]
    for text in texts:
        documents.asked(Asked(text, persisted=sha(text)))
    with pytest.raises(Malformed, match="PersistedQueryNotFound"):
        documents.asked(Asked("", persisted=sha(texts[0])))
    assert documents.asked(Asked("", persisted=sha(texts[-1]))).query == texts[-1]
    large = "#" * 100_000
    assert documents.asked(Asked(large, persisted=sha(large))).query == large
    with pytest.raises(Malformed, match="PersistedQueryNotFound"):
        documents.asked(Asked("", persisted=sha(large)))


@pytest.mark.parametrize("text", ["[]", "{", '{"x": "{ a }"}', '{"operations": [{}]}', '{"%s": 7}' % ("0" * 64)])
def test_a_manifest_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trusted.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"trusted\.json"):
        read_trusted(path)
    with pytest.raises(UserError):
        read_trusted(tmp_path / "absent.json")


def test_several_queries_in_one_request(live: LiveServer, project: Path) -> None:
    with live.serving(Settings(model=project, reload=False, batch=3)):
        found = post(live, [{"query": GMV}, {"query": "{ nothing }"}, {"query": GMV}])
        assert found.status == 200
        assert [list(one) for one in found.json] == [["data"], ["errors"], ["data"]]
        assert found.json[0] == found.json[2] == ANSWER
        lists: list[list[object]] = [[], [{"query": GMV}] * 4, [GMV], [{}]]
        for wrong in lists:
            reply = post(live, wrong)
            assert (reply.status, code(reply)) == (400, "BAD_REQUEST")
    with live.serving(Settings(model=project, reload=False)):
        assert code(post(live, [{"query": GMV}])) == "BAD_REQUEST"


def test_pages_of_other_sites(live: LiveServer, project: Path) -> None:
    asking = {"origin": "https://a.example", "access-control-request-method": "POST"}
    wanted = {**asking, "access-control-request-headers": "content-type,authorization"}
    with live.serving(Settings(model=project, reload=False, cors_origins=("https://a.example",))):
        allowed = live.request("OPTIONS", "/graphql", headers=wanted)
        assert allowed.headers["access-control-allow-origin"] == "https://a.example"
        for _ in range(3):
            answered = post(live, {"query": GMV}, origin="https://a.example")
            assert answered.headers["access-control-allow-origin"] == "https://a.example"
            other = post(live, {"query": GMV}, origin="https://b.example")
            assert "access-control-allow-origin" not in other.headers
    with live.serving(Settings(model=project, reload=False)):
        assert "access-control-allow-origin" not in live.request("OPTIONS", "/graphql", headers=wanted).headers
