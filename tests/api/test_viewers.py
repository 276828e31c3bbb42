"""Who asks: keys, tokens and proxies over a real socket, with a real server of public keys."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from api.cli import cli
from api.commands.serve import greeting
from api.server import started_of
from api.settings import Settings
from api.viewers import jwks
from api.viewers.keys import KeyRecord, new_key, read_keys, revoke, write_keys
from api.viewers.viewers import Viewers
from semantic.errors import UserError
from tests.live import LiveServer, Reply
from tests.shop import MODEL, make_project

WHO = "{ viewer { id signedIn claims } }"
NOBODY = {"id": "anonymous", "signedIn": False, "claims": {}}
GRAPHQL = "application/graphql-response+json"
ISSUER = "https://login.example.com/"
POLICY = 'policies: [{name: own, dataset: orders, where: "channel in (:channels)"}]\n'


def who(reply: Reply) -> Any:
    assert reply.status == 200, reply.body
    return reply.json["data"]["viewer"]


def refused(reply: Reply, status: int = 401) -> str:
    """The message of a refusal, which says nothing else."""
    assert reply.status == status, reply.body
    (error,) = reply.json["errors"]
    assert set(reply.json) == {"errors"}
    if status == 401:
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert reply.headers["www-authenticate"].startswith('Bearer realm="headwater"')
    return str(error["message"])


def put(folder: Path, *records: KeyRecord) -> None:
    write_keys(folder / "headwater.keys.json", records)


# --- nobody ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "setting", "answered"),
    [
        ("", None, True),
        ("", False, False),
        ("anonymous: false\n", None, False),
        ("anonymous: false\n", True, True),
        (POLICY, None, False),
        (POLICY, True, True),
        (POLICY + "anonymous: true\n", None, True),
        (POLICY + "anonymous: true\n", False, False),
    ],
)
def test_who_may_be_nobody(live: LiveServer, tmp_path: Path, said: str, setting: bool | None, answered: bool) -> None:
    folder = make_project(tmp_path, MODEL + said)
    with live.serving(Settings(model=folder, reload=False, anonymous=setting)):
        for path in ("/graphql/example", "/schema.graphql", "/v1/table.csv?metrics=GMV"):
            assert (live.get(path).status == 401) is not answered
        reply = live.ask(WHO)
        if answered:
            assert who(reply) == NOBODY
        else:
            refused(reply)
            refused(live.ask(WHO, accept=GRAPHQL))
            refused(live.get("/graphql?query={__typename}"))
        assert live.get("/readyz").status == 200
        assert live.get("/graphql", accept="text/html").status == 200


def test_keys_that_are_set_but_not_there_let_nobody_in(live: LiveServer, tmp_path: Path) -> None:
    with live.serving(Settings(model=make_project(tmp_path), reload=False, keys=tmp_path / "gone.json")):
        refused(live.ask(WHO))


def test_a_claim_that_nobody_has_is_forbidden(live: LiveServer, tmp_path: Path) -> None:
    with live.serving(Settings(model=make_project(tmp_path, MODEL + POLICY), reload=False, anonymous=True)):
        reply = live.ask("{ metrics { totals { gmv } } }")
        assert reply.status == 200
        assert [error["extensions"]["code"] for error in reply.json["errors"]] == ["FORBIDDEN"]
        assert reply.json["data"] == {"metrics": None}


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_is_its_owner_and_sees_its_rows(live: LiveServer, tmp_path: Path) -> None:
    folder = make_project(tmp_path, MODEL + POLICY)
    ads, ads_record = new_key("ads team", {"channels": ["ads"]})
    both, both_record = new_key("both", {"channels": ["ads", "公众号"], "role": "chief", "level": 3})
    put(folder, ads_record, both_record)
    with live.serving(Settings(model=folder, reload=False)):
        assert who(live.ask(WHO, authorization=f"Bearer {ads}")) == {
            "id": "ads team",
            "signedIn": True,
            "claims": {"channels": ["ads"]},
        }
        assert who(live.ask(WHO, x_api_key=both))["claims"] == {
            "channels": ["ads", "公众号"],
            "role": "chief",
            "level": 3,
        }
        asked = "{ metrics { totals { gmv } } }"
        for _ in range(2):  # the second answer comes from the cache
            assert live.ask(asked, x_api_key=ads).json["data"]["metrics"]["totals"] == {"gmv": 30}
            assert live.ask(asked, x_api_key=both).json["data"]["metrics"]["totals"] == {"gmv": 70}


def test_keys_that_do_not_hold(live: LiveServer, tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    good, record = new_key("good", {})
    late, expired = new_key("late", {}, datetime.now(UTC) - timedelta(seconds=1))
    stranger, _ = new_key("stranger", {})
    put(folder, record, expired)
    with live.serving(Settings(model=folder, reload=False)):
        assert who(live.ask(WHO, x_api_key=good))["id"] == "good"
        messages = {
            refused(live.ask(WHO, x_api_key=key))
            for key in (late, stranger, good[:-1] + ("A" if good[-1] != "A" else "B"), "hw_x")
        }
        assert len(messages) == 1
        refused(live.ask(WHO))  # there is a way to sign in, so nobody is anonymous
        refused(live.ask(WHO, authorization=f"Basic {good}"))
        refused(live.ask(WHO, authorization=f"Bearer {good}", x_api_key=good))
        assert "Tokens are not taken" in refused(live.ask(WHO, authorization="Bearer a.b.c"))


def test_keys_come_and_go_while_it_serves(live: LiveServer, tmp_path: Path) -> None:
    folder = make_project(tmp_path, MODEL + POLICY)
    with live.serving(Settings(model=folder, reload=False)):
        assert "headwater keys create" in live.ask(WHO).json["errors"][0]["extensions"]["suggestion"]
        key, record = new_key("ann", {})
        put(folder, record)
        assert who(live.ask(WHO, x_api_key=key))["id"] == "ann"
        put(folder, *revoke((record,), record.id))
        refused(live.ask(WHO, x_api_key=key))
        put(folder, record)
        assert who(live.ask(WHO, x_api_key=key))["id"] == "ann"
        (folder / "headwater.keys.json").write_text("{")
        refused(live.ask(WHO, x_api_key=key))


def test_the_command_makes_lists_and_revokes(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"

    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, ["keys", words[0], "--keys", str(file), *words[1:]], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    key = run("create", "--name", "ann", "--claim", "shop_ids=[1,2]", "--claim", "role=chief", "--expires", "90d")
    (record,) = read_keys(file)
    assert record.claims == {"shop_ids": [1, 2], "role": "chief"}
    assert record.expires is not None
    assert timedelta(days=89) < record.expires - datetime.now(UTC) <= timedelta(days=90)
    text = file.read_text()
    assert key.strip().split("_", 2)[2] not in text
    assert file.stat().st_mode & 0o077 == 0
    run("create", "--name", "ben", "--expires", "2001-01-01")
    run("revoke", record.id)
    assert [(one["name"], one["state"]) for one in json.loads(run("list", "--json"))] == [
        ("ann", "revoked"),
        ("ben", "expired"),
    ]
    assert "ann" in run("list")
    with pytest.raises(UserError, match="There is no key"):
        run("revoke", "00000000")


@pytest.mark.parametrize("words", [["--claim", "x"], ["--claim", "a={}"], ["--expires", "soon"], ["--claim", "=1"]])
def test_the_command_used_wrongly(tmp_path: Path, words: list[str]) -> None:
    wrong = CliRunner().invoke(cli, ["keys", "create", "--keys", str(tmp_path / "k"), "--name", "x", *words])
    assert wrong.exit_code == 2
    assert not (tmp_path / "k").exists()


def test_a_key_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be written: No such file or directory"):
        write_keys(tmp_path / "gone" / "keys.json", ())


# --- tokens ----------------------------------------------------------------------------------------------------------


class KeyServer:
    """Serves a key set, and counts how often it was asked for."""

    def __init__(self) -> None:
        self.keys: list[Mapping[str, Any]] = []
        self.status = 200
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(json.dumps({"keys": outer.keys}).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/jwks.json"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def issuer() -> Iterator[KeyServer]:
    server = KeyServer()
    yield server
    server.close()


RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})
SECRET = OctKey.generate_key(256, {"kid": "secret"})


def public(*keys: RSAKey | ECKey) -> list[Mapping[str, Any]]:
    return [key.as_dict(private=False) for key in keys]


def token(key: RSAKey | ECKey | OctKey = RSA, alg: str = "RS256", **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "headwater", "sub": "ann", "exp": now + 60, "iat": now, "channels": ["ads"]}
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid}, claims, key, algorithms=[alg])


def confused() -> str:
    """A token whose shared secret is the public key."""
    head, body, _ = token().split(".")
    head = b64(json.dumps({"alg": "HS256", "kid": "rsa"}).encode())
    return f"{head}.{body}.{b64(hmac.digest(RSA.as_pem(private=False), f'{head}.{body}'.encode(), 'sha256'))}"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token_settings(folder: Path, place: str) -> Settings:
    return Settings(model=folder, reload=False, jwks=place, jwt_issuer=ISSUER, jwt_audience=("headwater", "other"))


def test_a_token_is_who_it_is_about(live: LiveServer, tmp_path: Path, issuer: KeyServer) -> None:
    issuer.keys = [{"kty": "made-up"}, SECRET.as_dict(private=True), *public(RSA, EC)]
    folder = make_project(tmp_path, MODEL + POLICY)
    with live.serving(token_settings(folder, issuer.address)):
        for good in (token(), token(EC, "ES256"), token(aud=["x", "other"]), token(exp=int(time.time()) - 20)):
            found = who(live.ask(WHO, authorization=f"Bearer {good}"))
            assert found == {"id": "ann", "signedIn": True, "claims": {"channels": ["ads"], "sub": "ann"}}
        reply = live.ask("{ metrics { totals { gmv } } }", authorization=f"Bearer {token()}")
        assert reply.json["data"]["metrics"]["totals"] == {"gmv": 30}
        found = who(live.ask(WHO, authorization=f"bearer {token(role=None, deep={'a': 1}, level=2, ok=True)}"))
        assert found["claims"] == {"channels": ["ads"], "sub": "ann", "level": 2, "ok": True}
        assert issuer.asked == 1


def test_tokens_that_do_not_hold(live: LiveServer, tmp_path: Path, issuer: KeyServer) -> None:
    issuer.keys = [SECRET.as_dict(private=True), *public(RSA, EC)]
    now = int(time.time())
    bad = {
        "expired": token(exp=now - 40),
        "not yet": token(nbf=now + 100),
        "no end": token(exp=None),
        "endless": token(exp="never"),
        "another issuer": token(iss="https://login.example.com"),
        "no issuer": token(iss=None),
        "another audience": token(aud="x"),
        "no audience": token(aud=None),
        "nobody": token(sub=None),
        "empty": token(sub=""),
        "another key": token(OTHER),
        "another algorithm": token(alg="RS512"),
        "a shared secret": token(SECRET, "HS256"),
        "the public key as a secret": confused(),
        "no signature": token().rsplit(".", 1)[0] + ".",
        "unsigned": "eyJhbGciOiJub25lIn0." + token().split(".")[1] + ".",
        "changed": token().replace(token().split(".")[1], token(sub="eve").split(".")[1]),
        "no token": "x",
        "no header": "e30.e30.e30",
        "a list": "W10.e30.e30",
    }
    with live.serving(token_settings(make_project(tmp_path), issuer.address)):
        for why, text in bad.items():
            reply = live.ask(WHO, authorization=f"Bearer {text}")
            assert reply.status == 401, why
            assert refused(reply)
            assert 'error="invalid_token"' in reply.headers["www-authenticate"]
        refused(live.ask(WHO))


def test_keys_are_rotated(live: LiveServer, tmp_path: Path, issuer: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "COOLDOWN", 0.0)
    issuer.keys = public(RSA)
    with live.serving(token_settings(make_project(tmp_path), issuer.address)):
        assert who(live.ask(WHO, authorization=f"Bearer {token()}"))["id"] == "ann"
        issuer.keys = public(EC)
        assert who(live.ask(WHO, authorization=f"Bearer {token(EC, 'ES256')}"))["id"] == "ann"
        refused(live.ask(WHO, authorization=f"Bearer {token()}"))
        issuer.status = 500
        assert who(live.ask(WHO, authorization=f"Bearer {token(EC, 'ES256')}"))["id"] == "ann"
        monkeypatch.setattr(jwks, "FRESH", -1.0)  # as if the keys were old
        refused(live.ask(WHO, authorization=f"Bearer {token(EC, 'ES256')}"), 503)


def test_made_up_key_ids_do_not_become_requests(live: LiveServer, tmp_path: Path, issuer: KeyServer) -> None:
    issuer.keys = public(RSA)
    with live.serving(token_settings(make_project(tmp_path), issuer.address)):
        for number in range(5):
            key = RSAKey.import_key(OTHER.as_dict(private=True) | {"kid": f"made-up {number}"})
            refused(live.ask(WHO, authorization=f"Bearer {token(key)}"))
        assert who(live.ask(WHO, authorization=f"Bearer {token()}"))["id"] == "ann"
    assert issuer.asked == 1


def test_keys_that_cannot_be_had(live: LiveServer, tmp_path: Path, issuer: KeyServer) -> None:
    issuer.status = 404
    with live.serving(token_settings(make_project(tmp_path), issuer.address)):
        reply = live.ask(WHO, authorization=f"Bearer {token()}")
        assert issuer.address not in refused(reply, 503)
        assert reply.json["errors"][0]["extensions"]["fault"] == "ours"


def test_keys_from_a_file(live: LiveServer, tmp_path: Path) -> None:
    place = tmp_path / "jwks.json"
    place.write_text(json.dumps({"keys": public(RSA)}))
    with live.serving(token_settings(make_project(tmp_path), str(place))):
        assert who(live.ask(WHO, authorization=f"Bearer {token()}"))["id"] == "ann"


@pytest.mark.parametrize(
    "settings",
    [
        {"jwks": "https://x/y"},
        {"jwks": "https://x/y", "jwt_issuer": ISSUER},
        {"jwks": "http://login.example.com/jwks", "jwt_issuer": ISSUER, "jwt_audience": ("headwater",)},
        {"jwks": "ftp://127.0.0.1/jwks", "jwt_issuer": ISSUER, "jwt_audience": ("headwater",)},
    ],
)
def test_settings_that_would_take_any_token(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        Viewers(Settings(model=make_project(tmp_path), **settings))


# --- proxies ---------------------------------------------------------------------------------------------------------

NAMED = {"x_headwater_viewer": "ann", "x_headwater_claims": '{"channels": ["ads"]}'}


def test_a_trusted_proxy_says_who_asks(live: LiveServer, tmp_path: Path) -> None:
    here = (ip_network("127.0.0.0/8"),)
    with live.serving(Settings(model=make_project(tmp_path), reload=False, trusted_proxies=here)):
        assert who(live.ask(WHO, **NAMED)) == {"id": "ann", "signedIn": True, "claims": {"channels": ["ads"]}}
        assert who(live.ask(WHO, x_headwater_viewer="ann"))["claims"] == {}
        refused(live.ask(WHO))
        refused(live.ask(WHO, x_headwater_claims="{}"))
        refused(live.ask(WHO, x_headwater_viewer=" "))
        refused(live.ask(WHO, x_headwater_viewer="ann", x_headwater_claims="[1]"))
        refused(live.ask(WHO, x_headwater_viewer="ann", x_headwater_claims="{"))


def test_nobody_else_does(live: LiveServer, tmp_path: Path) -> None:
    elsewhere = (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    with live.serving(Settings(model=make_project(tmp_path), reload=False, trusted_proxies=elsewhere, anonymous=True)):
        refused(live.ask(WHO, **NAMED))
        refused(live.ask(WHO, **NAMED, x_forwarded_for="10.0.0.1"))
        refused(live.ask(WHO, **NAMED, forwarded="for=10.0.0.1"))
        assert who(live.ask(WHO)) == NOBODY


def test_without_proxies_the_headers_mean_nothing(live: LiveServer, tmp_path: Path) -> None:
    with live.serving(Settings(model=make_project(tmp_path), reload=False)):
        assert who(live.ask(WHO, **NAMED)) == NOBODY


def test_a_header_that_was_added_to_is_refused(live: LiveServer, tmp_path: Path) -> None:
    here = (ip_network("127.0.0.1"),)
    with live.serving(Settings(model=make_project(tmp_path), reload=False, trusted_proxies=here)):
        headers = {"content-type": "application/json", "x-headwater-viewer": "eve", "X-Headwater-Viewer": "ann"}
        refused(live.request("POST", "/graphql", json.dumps({"query": WHO}).encode(), headers))


# --- the command line ------------------------------------------------------------------------------------------------


def test_commands_ask_with_claims(tmp_path: Path) -> None:
    hide = "  - {name: shy, hide: [gmv], unless: \"channels = 'ads'\"}\n"
    policies = POLICY.replace("policies: [", "policies:\n  - ").replace("]\n", "\n") + hide
    model = ["--model", str(make_project(tmp_path, MODEL + policies))]
    query = tmp_path / "q.graphql"
    query.write_text("{ metrics { totals { gmv } } }")

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, [*words, *model])
        return result.exit_code, result.stdout

    assert run("query", str(query))[0] == 1
    code, text = run("query", str(query), "--claim", 'channels=["ads"]')
    assert (code, json.loads(text)["data"]["metrics"]["totals"]) == (0, {"gmv": 30})
    assert "['ads']" in run("sql", str(query), "--claim", 'channels=["ads"]')[1]
    assert "GMV" in run("schema", "--claim", "channels=ads")[1]
    assert "GMV" not in run("schema")[1]


def test_the_greeting_says_how_to_sign_in(live: LiveServer, tmp_path: Path) -> None:
    settings = Settings(model=make_project(tmp_path, MODEL + POLICY), reload=False)
    with live.serving(settings) as app:
        text = greeting(started_of(app), settings, live.port, 0.1)
        assert '-H "authorization: Bearer $KEY"' in text
        assert "KEY=$(headwater keys create --name me)" in text
    with live.serving(replace(settings, anonymous=True)) as app:
        assert "KEY" not in greeting(started_of(app), settings, live.port, 0.1)
