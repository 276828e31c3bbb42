"""Subscriptions over server-sent events and over WebSockets: answers now, and again when data or model change."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api.setting_values import networks
from api.settings import Settings
from tests.live import LiveServer
from tests.shop import MODEL, make_project, write_table

GMV = "subscription { metrics { totals { gmv } } }"
OTHER = "select 'o1' as order_id, 'a' as user_id, date '2026-11-01' as paid_on, 'ads' as channel, %d as amount"
PROTOCOL = "graphql-transport-ws"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def app(live: LiveServer, project: Path) -> Iterator[FastAPI]:
    with live.serving(Settings(model=project, reload=False, freshness_check=0.05, subscribers=20)) as app:
        yield app


def totals(gmv: int) -> dict[str, Any]:
    return {"data": {"metrics": {"totals": {"gmv": gmv}}}}


def change(project: Path, gmv: int) -> None:
    write_table(project.parent, "orders", OTHER % gmv)


def wait_until(true: Any, within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


class Stream:
    """Server-sent events as they come."""

    def __init__(self, live: LiveServer, query: str, method: str = "POST", **headers: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", live.port, timeout=10)
        body = json.dumps({"query": query}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        wanted = {"accept": "text/event-stream", "content-type": "application/json", **named}
        self._connection.request(method, "/graphql", body, wanted)
        self.response = self._connection.getresponse()

    def event(self) -> tuple[str, Any]:
        lines: list[list[str]] = []
        while line := self.response.readline().decode():
            assert not line.endswith("\r\n")
            if line == "\n" and lines:
                break
            if line.strip() and not line.startswith(":"):
                lines.append(line.rstrip("\n").split(":", 1))
        found = {name: value.strip() for name, value in lines}
        return found["event"], json.loads(found["data"]) if found["data"] else None

    def close(self) -> None:
        self._connection.close()
        self.response.close()


@contextmanager
def streaming(live: LiveServer, query: str, **headers: str) -> Iterator[Stream]:
    stream = Stream(live, query, **headers)
    try:
        yield stream
    finally:
        stream.close()


@contextmanager
def socket(live: LiveServer, init: object = None, **arguments: Any) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{live.port}/graphql", subprotocols=[PROTOCOL], **arguments) as opened:  # type: ignore[list-item]
        send(opened, type="connection_init", **({} if init is None else {"payload": init}))
        assert receive(opened) == {"type": "connection_ack"}
        yield opened


def send(opened: ClientConnection, **message: Any) -> None:
    opened.send(json.dumps(message))


def receive(opened: ClientConnection) -> Any:
    text = opened.recv(timeout=10)
    assert isinstance(text, str)
    return json.loads(text)


def drain(opened: ClientConnection) -> None:
    while True:
        opened.recv(timeout=10)


def closed_with(opened: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as error:
        drain(opened)
    assert error.value.rcvd is not None
    return error.value.rcvd.code


def test_events_come_when_the_data_changes(live: LiveServer, app: FastAPI, project: Path) -> None:
    with streaming(live, GMV) as stream:
        assert stream.response.status == 200
        assert stream.response.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert stream.event() == ("next", totals(70))
        for gmv in (5, 6):
            change(project, gmv)
            assert stream.event() == ("next", totals(gmv))
        assert len(app.state.subscriptions) == 1
    wait_until(lambda: len(app.state.subscriptions) == 0)
    assert app.state.subscriptions._channels == {}


def test_a_query_as_events(live: LiveServer, app: FastAPI) -> None:
    with streaming(live, "{ metrics { totals { gmv } } }") as stream:
        assert [stream.event(), stream.event()] == [("next", totals(70)), ("complete", None)]
    with streaming(live, "{ nothing }") as stream:
        event, body = stream.event()
        assert (event, list(body)) == ("next", ["errors"])
        assert stream.event() == ("complete", None)
    found = live.ask("{ metrics { totals { gmv } } }", accept="application/json, text/event-stream")
    assert found.headers["content-type"].startswith("application/json")
    assert len(app.state.subscriptions) == 0


def test_a_subscription_needs_a_stream(live: LiveServer, app: FastAPI) -> None:
    reply = live.ask(GMV, accept="application/graphql-response+json")
    assert reply.status == 400
    assert "text/event-stream" in reply.json["errors"][0]["message"]


def test_a_changed_model_is_answered_from(live: LiveServer, app: FastAPI, project: Path) -> None:
    with streaming(live, GMV) as stream:
        assert stream.event() == ("next", totals(70))
        (project / "shop.yml").write_text(MODEL.replace("expr: amount", "expr: amount * 2"), encoding="utf-8")
        assert live.await_(app.state.served.reload())
        assert stream.event() == ("next", totals(140))


def test_equal_subscriptions_share_one_computation(live: LiveServer, app: FastAPI, project: Path) -> None:
    with ExitStack() as opened:
        streams = [opened.enter_context(streaming(live, GMV)) for _ in range(8)]
        other = opened.enter_context(streaming(live, "subscription { metrics { totals { orders } } }"))
        assert [stream.event() for stream in streams] == [("next", totals(70))] * 8
        assert len(app.state.subscriptions) == 9
        assert len(app.state.subscriptions._channels) == 2
        change(project, 5)
        assert [stream.event() for stream in streams] == [("next", totals(5))] * 8
        assert [other.event()[1]["data"]["metrics"]["totals"]["orders"] for _ in range(2)] == [3, 1]


def test_there_are_only_so_many(live: LiveServer, app: FastAPI) -> None:
    with ExitStack() as opened:
        streams = [opened.enter_context(streaming(live, GMV)) for _ in range(20)]
        assert all(stream.event() == ("next", totals(70)) for stream in streams)
        with streaming(live, GMV) as refused:
            body = json.loads(refused.response.read())
            assert refused.response.status == 503
            assert refused.response.getheader("retry-after") == "5"
            assert body["errors"][0]["extensions"]["code"] == "OVERLOADED"
    wait_until(lambda: len(app.state.subscriptions) == 0)


def test_a_server_that_stops_ends_them(live: LiveServer, project: Path) -> None:
    with ExitStack() as opened:
        serving = opened.enter_context(ExitStack())
        serving.enter_context(live.serving(Settings(model=project, reload=False, drain=0.1)))
        stream = opened.enter_context(streaming(live, GMV))
        assert stream.event() == ("next", totals(70))
        began = time.monotonic()
        serving.close()
        assert time.monotonic() - began < 4
        assert stream.event() == ("complete", None)


def test_over_a_socket(live: LiveServer, app: FastAPI, project: Path) -> None:
    with socket(live) as opened:
        send(opened, type="ping")
        assert receive(opened) == {"type": "pong"}
        send(opened, id="s", type="subscribe", payload={"query": GMV})
        assert receive(opened) == {"id": "s", "type": "next", "payload": totals(70)}
        send(opened, id="q", type="subscribe", payload={"query": "{ metrics { totals { gmv } } }"})
        assert receive(opened) == {"id": "q", "type": "next", "payload": totals(70)}
        assert receive(opened) == {"id": "q", "type": "complete"}
        send(opened, id="w", type="subscribe", payload={"query": "{ nothing }"})
        wrong = receive(opened)
        assert (wrong["type"], wrong["payload"][0]["extensions"]["code"]) == ("error", "GRAPHQL_VALIDATION_FAILED")
        send(opened, id="m", type="subscribe", payload={"variables": {}})
        assert receive(opened)["payload"][0]["extensions"]["code"] == "BAD_REQUEST"
        change(project, 5)
        assert receive(opened) == {"id": "s", "type": "next", "payload": totals(5)}
        send(opened, id="s", type="complete")
        wait_until(lambda: len(app.state.subscriptions) == 0)
        send(opened, id="s", type="subscribe", payload={"query": GMV})
        assert receive(opened) == {"id": "s", "type": "next", "payload": totals(5)}
    wait_until(lambda: len(app.state.subscriptions) == 0)


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["{"], 4400),
        (['{"type": "nonsense"}'], 4401),
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}'], 4401),
        (['{"type": "connection_init"}', '{"type": "connection_init"}'], 4429),
        (['{"type": "connection_init"}', '{"type": "subscribe", "id": 1, "payload": {}}'], 4400),
        (['{"type": "connection_init"}', '{"type": "nonsense"}'], 4400),
        (['{"type": "connection_init"}', b'{"type": "ping"}'], 4400),
    ],
)
def test_messages_against_the_protocol(live: LiveServer, app: FastAPI, messages: list[str | bytes], code: int) -> None:
    with connect(f"ws://127.0.0.1:{live.port}/graphql", subprotocols=[PROTOCOL]) as opened:  # type: ignore[list-item]
        for message in messages:
            opened.send(message)
        if len(messages) > 1:
            assert receive(opened) == {"type": "connection_ack"}
        assert closed_with(opened) == code


def test_there_are_only_so_many_sockets(live: LiveServer, project: Path) -> None:
    address = f"ws://127.0.0.1:{live.port}/graphql"
    with (
        live.serving(Settings(model=project, reload=False, subscribers=1)),
        socket(live),
        connect(address, subprotocols=[PROTOCOL]) as second,  # type: ignore[list-item]
    ):
        send(second, type="connection_init")
        assert closed_with(second) == 1013


def test_one_id_one_operation(live: LiveServer, app: FastAPI) -> None:
    with socket(live) as opened:
        for _ in range(2):
            send(opened, id="1", type="subscribe", payload={"query": GMV})
        assert closed_with(opened) == 4409


def test_other_protocols_and_other_sites(live: LiveServer, app: FastAPI) -> None:
    with connect(f"ws://127.0.0.1:{live.port}/graphql", subprotocols=["graphql-ws"]) as opened:  # type: ignore[list-item]
        assert closed_with(opened) == 4406
    with pytest.raises(InvalidStatus), socket(live, origin="https://evil.example"):
        pass
    with socket(live, origin=f"http://127.0.0.1:{live.port}"):
        pass


def test_who_asks_is_said_with_the_first_message(live: LiveServer, tmp_path: Path) -> None:
    model = MODEL + 'policies: [{name: own, dataset: orders, where: "channel in (:channels)"}]\n'
    folder = make_project(tmp_path, model)
    settings = Settings(model=folder, reload=False, trusted_proxies=networks("127.0.0.1"), anonymous=False)
    rows = "subscription { metrics { rows { channel gmv } } }"
    with live.serving(settings):
        for name, channel, gmv in (("ann", "ads", 30), ("bob", "公众号", 40)):
            headers = {"x-headwater-viewer": name, "x-headwater-claims": json.dumps({"channels": [channel]})}
            with socket(live, additional_headers=headers) as opened:
                send(opened, id="1", type="subscribe", payload={"query": rows})
                assert receive(opened)["payload"]["data"]["metrics"]["rows"] == [{"channel": channel, "gmv": gmv}]
            with streaming(live, rows, **headers) as stream:
                assert stream.event()[1]["data"]["metrics"]["rows"] == [{"channel": channel, "gmv": gmv}]
        with socket(live) as opened:
            send(opened, id="1", type="subscribe", payload={"query": rows})
            assert receive(opened)["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        with socket(live, {"Authorization": "Bearer hw_no"}) as opened:
            send(opened, id="1", type="subscribe", payload={"query": rows})
            assert receive(opened)["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        with streaming(live, rows) as stream:
            assert stream.response.status == 401
