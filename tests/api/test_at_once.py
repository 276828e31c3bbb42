"""Replies given at once: to whom they belong, while all that they rest on holds, and told of like all others."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from api.front import Front
from api.seen import batch
from api.seen.batch import Batch
from api.seen.lines import REQUESTS, ErrorStream, Lines
from api.seen.notes import Notes
from api.seen.record import Record
from api.settings import Settings
from api.viewers import jwks
from api.viewers.grants import Grant
from api.viewers.keys import new_key, revoke, write_keys
from semantic.query.query import ANONYMOUS
from tests.live import LiveServer, Reply
from tests.shop import MODEL, make_project, write_table

ISSUER = "https://login.example.com/"
QUERY = "{ metrics { rows { channel gmv } } }"
ADS = [{"channel": "ads", "gmv": 30}]
BOTH = [*ADS, {"channel": "公众号", "gmv": 40}]
POLICY = 'anonymous: true\npolicies: [{name: own, dataset: orders, where: "channel in (:channels)"}]\n'
SIGNED = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "other", "use": "sig"})

Ask = Callable[..., Reply]


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that were not answered at once."""
    found: list[str] = []
    proper = Front.__call__

    async def call(self: Front, scope: dict[str, str], receive: object, send: object) -> None:
        found.append(scope["method"])
        await proper(self, scope, receive, send)  # type: ignore[arg-type]

    monkeypatch.setattr(Front, "__call__", call)
    return found


@pytest.fixture(params=["POST", "GET"])
def ask(live: LiveServer, request: pytest.FixtureRequest) -> Ask:
    if request.param == "POST":
        return live.ask
    return lambda query, **headers: live.get(
        f"/graphql?query={quote(query)}", **{"accept": "application/json", **headers}
    )


def rows(reply: Reply) -> object:
    return reply.json["data"]["metrics"]["rows"]


def token(key: RSAKey | OctKey = SIGNED, **changes: object) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "headwater", "sub": "ann", "exp": now + 60, "channels": ["ads"]} | changes
    return "Bearer " + jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key, algorithms=["RS256"])


def write_public(path: Path, *keys: RSAKey) -> Path:
    path.write_text(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}))
    return path


def signed_in(folder: Path, tmp_path: Path) -> Settings:
    place = str(write_public(tmp_path / "jwks.json", SIGNED, OTHER))
    return Settings(
        model=folder, reload=False, jwks=place, jwt_issuer=ISSUER, jwt_audience=("headwater",), jwt_leeway=0
    )


def test_everybody_is_given_their_own_bytes_at_once(
    live: LiveServer, tmp_path: Path, ask: Ask, entered: list[str]
) -> None:
    folder = make_project(tmp_path, MODEL + POLICY)
    ads, ads_record = new_key("ads team", {"channels": ["ads"]})
    both, both_record = new_key("both", {"channels": ["ads", "公众号"]})
    write_keys(folder / "headwater.keys.json", (ads_record, both_record))
    cases: list[tuple[dict[str, str], object]] = [
        ({"authorization": f"Bearer {ads}"}, ADS),
        ({"x_api_key": both}, BOTH),
        ({"x_api_key": ads}, ADS),
        ({"authorization": token()}, ADS),
        ({"authorization": token(sub="eve", channels=["none"])}, []),
        ({"authorization": token(sub="eve", channels=["ads", "公众号"])}, BOTH),
    ]
    with live.serving(signed_in(folder, tmp_path)):
        for headers, expected in cases:
            assert rows(ask(QUERY, **headers)) == expected
        for _ in range(3):  # the second time each is found by who they are, then by how they want it
            entered.clear()
            for headers, expected in cases:
                assert rows(ask(QUERY, **headers)) == expected
                assert ask(QUERY).json["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert len(entered) == len(cases)  # only nobody's, who is refused
        for headers, _ in cases:
            wrong = {name: f"{value[:-4]}AAAA" for name, value in headers.items()}
            assert ask(QUERY, **wrong).status == 401
        assert ask(QUERY, authorization=f"Bearer {ads}", x_api_key=both).status == 401
        assert ask(QUERY, authorization=f"Basic {ads}").status == 401


def test_a_revoked_key_stops_at_once(live: LiveServer, tmp_path: Path, ask: Ask, entered: list[str]) -> None:
    folder = make_project(tmp_path, MODEL + POLICY)
    file = folder / "headwater.keys.json"
    key, record = new_key("ann", {"channels": ["ads"]})
    write_keys(file, (record,))
    with live.serving(Settings(model=folder, reload=False)):
        assert rows(ask(QUERY, x_api_key=key)) == ADS
        late, expiring = new_key("late", {"channels": ["ads"]}, datetime.now(UTC) + timedelta(seconds=4))
        write_keys(file, (record, expiring))
        for _ in range(3):
            assert rows(ask(QUERY, x_api_key=key)) == ADS
            assert rows(ask(QUERY, x_api_key=late)) == ADS
        assert len(entered) == 3
        time.sleep(max(0.0, (expiring.expires or datetime.now(UTC)).timestamp() - time.time()))
        assert ask(QUERY, x_api_key=late).status == 401
        write_keys(file, revoke((record,), record.id))
        assert ask(QUERY, x_api_key=key).status == 401
        _, other = new_key("ann", {"channels": ["公众号"]})
        write_keys(file, (other,))
        assert ask(QUERY, x_api_key=key).status == 401
        write_keys(file, (record,))
        assert rows(ask(QUERY, x_api_key=key)) == ADS
        file.unlink()
        reply = ask(QUERY, x_api_key=key)  # nobody can sign in any more, so that nobody asks
        assert reply.json["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_claims_that_were_changed_hold_at_once(live: LiveServer, tmp_path: Path, ask: Ask) -> None:
    folder = make_project(tmp_path, MODEL + POLICY)
    key, record = new_key("ann", {"channels": ["ads", "公众号"]})
    write_keys(folder / "headwater.keys.json", (record,))
    with live.serving(Settings(model=folder, reload=False)):
        assert [rows(ask(QUERY, x_api_key=key)) for _ in range(3)] == [BOTH] * 3
        less = type(record)(
            id=record.id, name="ann", hash=record.hash, claims={"channels": ["ads"]}, created=record.created
        )
        write_keys(folder / "headwater.keys.json", (less,))
        assert rows(ask(QUERY, x_api_key=key)) == ADS


def test_a_token_ends_when_it_says_and_when_its_key_is_withdrawn(
    live: LiveServer, tmp_path: Path, entered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "COOLDOWN", 0.0)
    folder = make_project(tmp_path, MODEL + POLICY)
    with live.serving(signed_in(folder, tmp_path)):
        ends = int(time.time()) + 4
        short, long = token(exp=ends), token()
        for _ in range(3):
            for sent in (short, long):
                assert rows(live.ask(QUERY, authorization=sent)) == ADS
        assert len(entered) == 2
        time.sleep(max(0.0, ends - time.time()))
        assert "has expired" in live.ask(QUERY, authorization=short).json["errors"][0]["message"]
        assert rows(live.ask(QUERY, authorization=long)) == ADS
        write_public(tmp_path / "jwks.json", OTHER)
        monkeypatch.setattr(jwks, "FRESH", 0.5)
        time.sleep(0.5)
        assert "not signed by a key" in live.ask(QUERY, authorization=long).json["errors"][0]["message"]


def test_a_grant_holds_from_its_beginning_to_its_end_and_while_its_keys_do() -> None:
    now, keys = time.time(), object()
    spans = {(-10, 10): True, (10, 20): False, (-20, -10): False}
    for (begins, ends), holds in spans.items():
        assert Grant(ANONYMOUS, keys, lambda: keys, now + begins, now + ends).holds() is holds
    assert not Grant(ANONYMOUS, keys, object).holds()


def test_changed_data_is_answered_anew_to_who_signed_in(live: LiveServer, tmp_path: Path, ask: Ask) -> None:
    folder = make_project(tmp_path, MODEL + POLICY)
    key, record = new_key("ann", {"channels": ["ads"]})
    write_keys(folder / "headwater.keys.json", (record,))
    with live.serving(Settings(model=folder, reload=False, freshness_check=0.05)) as app:
        assert [rows(ask(QUERY, x_api_key=key)) for _ in range(3)] == [ADS] * 3
        tag = ask(QUERY, x_api_key=key).headers["etag"]
        changed = "select 'o' as order_id, 'a' as user_id, date '2026-11-01' as paid_on, 'ads' as channel, 5 as amount"
        write_table(tmp_path, "orders", changed)
        time.sleep(0.1)
        reply = ask(QUERY, x_api_key=key, if_none_match=tag)
        assert (reply.status, rows(reply)) == (200, [{"channel": "ads", "gmv": 5}])
        (folder / "shop.yml").write_text((MODEL + POLICY).replace("expr: amount", "expr: amount * 2"), encoding="utf-8")
        assert live.await_(app.state.served.reload())
        assert rows(ask(QUERY, x_api_key=key)) == [{"channel": "ads", "gmv": 10}]


def test_each_viewer_has_a_rate_of_their_own(live: LiveServer, tmp_path: Path, ask: Ask) -> None:
    folder = make_project(tmp_path, MODEL + "anonymous: true\n")
    slow, slow_record = new_key("slow", {"limit_rate": 0.01, "limit_burst": 4})
    free, free_record = new_key("free", {})
    write_keys(folder / "headwater.keys.json", (slow_record, free_record))
    with live.serving(Settings(model=folder, reload=False)):
        assert [ask(QUERY, x_api_key=slow).status for _ in range(6)] == [200] * 4 + [429] * 2
        assert [ask(QUERY, x_api_key=free).status for _ in range(6)] == [200] * 6
        assert [ask(QUERY).status for _ in range(6)] == [200] * 6
        assert "retry-after" in ask(QUERY, x_api_key=slow).headers


def test_a_reply_at_once_is_the_one_that_was_made_properly(
    live: LiveServer, tmp_path: Path, ask: Ask, entered: list[str]
) -> None:
    with live.serving(Settings(model=make_project(tmp_path), reload=False, freshness_check=60)):
        tag = ask(QUERY).headers["etag"]
        for headers in (
            {},
            {"accept": "application/graphql-response+json"},
            {"accept_encoding": "gzip"},
            {"accept_language": "zh-CN"},
            {"if_none_match": tag},
            {"if_none_match": '"x"'},
            {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        ):
            first, *others = [ask(QUERY, **headers) for _ in range(3)]
            for other in others:
                assert (other.status, other.body) == (first.status, first.body)
                assert dict(other.headers) | {"date": ""} == dict(first.headers) | {"date": ""}
        assert len(entered) == 2  # one in each language
        assert ask(QUERY, accept="text/event-stream").headers["content-type"].startswith("text/event-stream")
        page = live.get(f"/graphql?query={quote(QUERY)}", accept="text/html")
        assert page.headers["content-type"].startswith("text/html")


def test_a_get_without_a_header_that_only_pages_here_send_is_refused_again_and_again(
    live: LiveServer, tmp_path: Path, entered: list[str]
) -> None:
    settings = Settings(model=make_project(tmp_path, MODEL + "anonymous: true\n"), reload=False, profile="hardened")
    with live.serving(settings):
        address = f"/graphql?query={quote(QUERY)}"
        assert [live.get(address, x_requested_with="x").status for _ in range(3)] == [200] * 3
        assert len(entered) == 1
        assert live.get(address).status == 400


# --- told of ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def told() -> Iterator[list[logging.LogRecord]]:
    """The lines of requests that were logged."""
    found: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record)

    keep, level = Keep(), REQUESTS.level
    REQUESTS.addHandler(keep)
    REQUESTS.setLevel(logging.INFO)
    yield found
    REQUESTS.removeHandler(keep)
    REQUESTS.setLevel(level)


def test_no_record_is_lost_at_the_end(
    live: LiveServer, tmp_path: Path, told: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.seen.onlookers.SOON", 3600.0)
    with live.serving(Settings(model=make_project(tmp_path), reload=False)):
        began = time.time()
        for number in range(20):
            live.ask(QUERY, traceparent=f"00-{number:032x}-b7ad6b7169203331-01")
        assert not told
        counted = live.get("/metricsz").body.decode()
        assert 'headwater_request_seconds_count{door="graphql",status="200"} 20.0' in counted
        assert 'headwater_answers_total{cache="hit"} 19.0' in counted
        assert len(told) == 20
        live.ask(QUERY)
    assert len(told) == 21
    fields = [line.__dict__["fields"] for line in told]
    assert [one.get("traceparent", "")[3:35] for one in fields[:20]] == [f"{number:032x}" for number in range(20)]
    assert [one["cached"] for one in fields] == [False] + [True] * 20
    assert {one["rows"] for one in fields} == {2}
    assert all(began < line.created < time.time() for line in told)
    assert sorted(told, key=lambda line: line.created) == told
    assert {(line.thread, line.process) for line in told} == {(told[0].thread, told[0].process)}


def test_the_audit_log_is_written_before_the_next_request(live: LiveServer, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with live.serving(Settings(model=make_project(tmp_path), reload=False, audit_log=path)):
        for number in range(1, 6):
            live.ask(QUERY)
            live.get("/healthz")
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            assert [(line["asked"], line["rows"]) for line in lines] == [(["gmv"], 2)] * number


class Count:
    """A watcher that counts."""

    def __init__(self) -> None:
        self.seen_so_far = 0

    def seen(self, record: Record) -> None:
        self.seen_so_far += 1

    def flush(self) -> None: ...


async def test_many_are_told_of_before_it_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MOST", 3)
    count = Count()
    watcher = Batch([count], soon=3600.0)
    record = Record("graphql", "POST", 200, 0, 0.0, 0, Notes())
    after = []
    for _ in range(7):
        watcher.seen(record)
        after.append(count.seen_so_far)
    assert after == [0, 0, 3, 3, 3, 6, 6]
    watcher.flush()
    assert count.seen_so_far == 7


def test_lines_of_requests_come_in_order_with_all_others(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for stream in (ErrorStream(), ErrorStream(tmp_path / "lock")):
        stream.setFormatter(Lines())
        for name in ("headwater.request", "headwater.request", "headwater", "headwater.request"):
            stream.handle(logging.LogRecord(name, logging.INFO, "", 0, name, None, None))
        written = capsys.readouterr().err
        assert [line.rsplit(": ")[-1] for line in written.splitlines()] == [
            "headwater.request",
            "headwater.request",
            "headwater",
        ]
        stream.flush()
        stream.flush()
        assert capsys.readouterr().err.count("\n") == 1
