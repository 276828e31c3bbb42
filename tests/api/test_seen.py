"""What is told of requests to whoever runs the server: true counts, whole lines, and never a value or a secret."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.seen.audit import AuditLog
from api.seen.batch import Batch
from api.seen.lines import JsonLines, Lines
from api.seen.notes import Notes
from api.seen.record import Record
from api.seen.seeing import Seeing
from api.seen.traces import PATIENCE, Traces
from api.server import Server
from api.settings import Settings
from api.viewers.keys import FILE_NAME, new_key, write_keys
from semantic.errors import UserError
from semantic.query.query import Viewer
from tests.live import LiveServer
from tests.shop import MODEL, make_project

SECRET_VALUE = "verysecretchannel"
ASKED = "query Tile($c: String!) { metrics(where: {channel: {ne: $c}}) { rows { channel gmv } } }"
VARIABLES = {"c": SECRET_VALUE}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
POLICIES = """
policies:
  - {name: by_region, dataset: orders, where: "channel <> :region"}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("seen"), MODEL + "anonymous: true\n" + POLICIES)


@pytest.fixture(scope="module")
def key(folder: Path) -> str:
    text, record = new_key("ann", {"region": "ads"})
    write_keys(folder / FILE_NAME, (record,))
    return text


@pytest.fixture
def lines() -> Iterator[list[logging.LogRecord]]:
    """Everything that is logged."""
    found: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record)

    root, keep = logging.getLogger(), Keep()
    level = root.level
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)
    yield found
    root.removeHandler(keep)
    root.setLevel(level)


def settings_of(folder: Path, **others: Any) -> Settings:
    return Settings(model=folder, reload=False, profile="hardened", slow_query=0.000001, **others)


def metrics(live: LiveServer, key: str) -> dict[str, float]:
    text = live.get("/metricsz", authorization=f"Bearer {key}").body.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{one.name}{''.join(f'/{value}' for value in one.labels.values())}": one.value for one in samples}


def settled(true: Any) -> None:
    """A record is made after its answer was sent."""
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def fields(lines: list[logging.LogRecord], name: str) -> list[Mapping[str, Any]]:
    return [record.__dict__["fields"] for record in lines if record.name == name]


def test_counts_are_true(live: LiveServer, folder: Path, key: str) -> None:
    with live.serving(settings_of(folder)):
        signed_in = {"authorization": f"Bearer {key}"}
        for _ in range(3):
            assert len(live.ask(ASKED, VARIABLES, **signed_in).json["data"]["metrics"]["rows"]) == 1
        assert live.ask("{ nothing }").status == 200
        assert live.get("/v1/table.csv?metrics=gmv", **signed_in).status == 200
        assert live.ask(ASKED, VARIABLES).json["errors"]
        settled(lambda: metrics(live, key).get("headwater_request_seconds_count/table/200") == 1)
        found = metrics(live, key)
        assert found["headwater_request_seconds_count/graphql/200"] == 5
        assert found["headwater_answers_total/miss"] == 2
        assert found["headwater_answers_total/hit"] == 2
        assert found["headwater_query_seconds_count"] == 2
        assert found["headwater_rows_total"] == 4
        assert found["headwater_rows_read_total"] == 6
        assert found["headwater_errors_total/GRAPHQL_VALIDATION_FAILED"] == 1
        assert found["headwater_errors_total/FORBIDDEN"] == 1
        assert (found["headwater_queries_running"], found["headwater_queries_waiting"]) == (0, 0)
        assert found["headwater_cache_bytes"] > 0
        assert sum(name.startswith("headwater_model_info/") for name in found) == 1
        assert live.get("/metricsz").status == 401


def test_one_line_for_each_request(live: LiveServer, folder: Path, key: str, lines: list[logging.LogRecord]) -> None:
    with live.serving(settings_of(folder)):
        live.ask(
            ASKED,
            VARIABLES,
            authorization=f"Bearer {key}",
            traceparent=PARENT,
        )
        live.ask(ASKED, VARIABLES, authorization=f"Bearer {key}")
        live.ask("{", authorization=f"Bearer {key}")
        settled(lambda: len(fields(lines, "headwater.request")) == 3)
        first, second, third = fields(lines, "headwater.request")
    assert {name: first[name] for name in ("door", "method", "status", "operation", "type", "cached", "rows")} == {
        "door": "graphql",
        "method": "POST",
        "status": 200,
        "operation": "Tile",
        "type": "query",
        "cached": False,
        "rows": 1,
    }
    assert first["viewer"] == "ann"
    assert first["ms"] > 0
    assert first["traceparent"].startswith("00-0af7")
    assert (second["cached"], second["rows"]) == (True, 1)
    assert third["codes"] == ("GRAPHQL_PARSE_FAILED",)
    (slow,) = fields(lines, "headwater.slow")
    assert "Scan orders" in slow["plan"]
    assert "SELECT" in slow["sql"]
    assert slow["datasets"] == ("orders",)


def test_nothing_that_is_told_holds_a_value_or_a_secret(
    live: LiveServer, folder: Path, key: str, lines: list[logging.LogRecord], tmp_path: Path
) -> None:
    wrong = f"{key[:-3]}abc"
    other = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
    audit = tmp_path / "audit.jsonl"
    replies = []
    with live.serving(settings_of(folder, audit_log=audit, rate=1000)) as app:
        for authorization in (f"Bearer {key}", f"Bearer {wrong}", other, f"Basic {key}", key):
            headers = {"authorization": authorization}
            replies.append(live.ask(ASKED, VARIABLES, **headers))
            replies.append(live.ask(ASKED.replace("gmv", f"gmv @skip(if: {SECRET_VALUE})"), VARIABLES, **headers))
            replies.append(live.get(f"/v1/table.csv?metrics=gmv&where={SECRET_VALUE}", **headers))
            replies.append(live.get(f"/graphql?query={SECRET_VALUE}", x_requested_with="x", **headers))
            replies.append(live.get("/schema.graphql", **headers))
        settled(lambda: len(fields(lines, "headwater.request")) == 20)
        told = live.get("/metricsz", authorization=f"Bearer {key}").body.decode()
        snapshot = app.state.served.snapshot
        keys = [*snapshot.compiler._known, *snapshot.engine._answers, *app.state.served.rates._buckets]
        assert len(keys) > 1
        told += repr(keys).replace(SECRET_VALUE, "")  # a key of a cache is what was asked, not who is to be believed
    told += audit.read_text()
    told += "".join(JsonLines().format(line) + Lines().format(line) for line in lines if line.name != "uvicorn.access")
    assert "headwater.slow" in told
    for secret in (key, wrong, key.rpartition("_")[2], wrong.rpartition("_")[2], other.removeprefix("Bearer ")):
        assert secret not in told
        for reply in replies:
            assert secret not in reply.body.decode() + repr(reply.headers)
    assert SECRET_VALUE not in told
    assert '"ads"' not in told


def test_the_server_writes_no_addresses_down(folder: Path) -> None:
    settings = settings_of(folder, log_level="debug")
    assert not Server(create_app(settings), settings, lambda app: None).config.access_log


def test_who_asked_for_what(live: LiveServer, folder: Path, key: str, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with live.serving(settings_of(folder, audit_log=path)):
        live.ask(ASKED, VARIABLES, authorization=f"Bearer {key}")
        live.ask("{ dimensionValues(dimension: CHANNEL) { value } }")
        live.ask("{ __typename }", authorization=f"Bearer {key}")
        live.get("/v1/table.csv?metrics=orders", authorization=f"Bearer {key}")
        live.ask("{ metrics { totals { gmv } } }", authorization="Bearer hw_no")
        settled(lambda: path.read_text().count("\n") == 4)
    granted, refused, table, stranger = map(json.loads, path.read_text().splitlines())
    assert granted.pop("time").endswith("+00:00")
    assert granted == {
        "viewer": "ann",
        "signedIn": True,
        "claims": ["region"],
        "door": "graphql",
        "operation": "Tile",
        "asked": ["gmv"],
        "dimensions": ["channel"],
        "datasets": ["orders"],
        "policies": ["by_region"],
        "rows": 1,
        "cached": False,
        "status": 200,
        "codes": [],
    }
    assert (refused["viewer"], refused["signedIn"]) == ("anonymous", False)
    assert (refused["dimensions"], refused["codes"], refused["rows"]) == (["channel"], ["FORBIDDEN"], 0)
    assert (table["door"], table["asked"], table["rows"]) == ("table", ["orders"], 1)
    assert (stranger["status"], stranger["asked"]) == (401, [])


def record(**changes: Any) -> Record:
    notes = Notes(viewer=Viewer("ann"), name="Tile", kind="query", codes=("TIMEOUT",))
    return Record("graphql", "POST", 200, time.time_ns(), 0.25, 10, notes)._replace(**changes)


@pytest.mark.parametrize("together", [1, 2, 30])
def test_an_audit_log_is_put_aside_when_it_is_full(tmp_path: Path, together: int) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path, 1000, 2)
    for _ in range(30 // together):
        for _ in range(together):
            log.seen(record())
        log.flush()
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    for file in files:
        assert 0 < file.stat().st_size <= 1000
        assert all(json.loads(line)["viewer"] == "ann" for line in file.read_text().splitlines())


def test_an_audit_log_that_can_t_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"can't be written: No such file or directory"):
        AuditLog(tmp_path / "none" / "audit.jsonl", 1000, 2)


class Keep:
    """A watcher that keeps what it is told, and says how much of it when it is to write."""

    def __init__(self) -> None:
        self.seen_so_far: list[Record] = []
        self.flushed: list[int] = []

    def seen(self, record: Record) -> None:
        self.seen_so_far.append(record)

    def flush(self) -> None:
        self.flushed.append(len(self.seen_so_far))


async def test_one_who_fails_to_look_on_disturbs_nobody(lines: list[logging.LogRecord]) -> None:
    class Broken(Keep):
        def seen(self, record: Record) -> None:
            raise OSError("no space left")

    works = Keep()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"four"})

    async def send(message: Any) -> None: ...

    told = Batch([Broken(), works])
    scope = {"type": "http", "path": "/graphql", "method": "POST", "headers": []}
    await Seeing(app, told)(scope, send, send)  # type: ignore[arg-type]
    assert not works.seen_so_far
    told.flush()
    assert [(one.status, one.size) for one in works.seen_so_far] == [(200, 4)]
    assert [line.getMessage() for line in lines if line.name == "headwater"] == ["A request could not be told of."]


def traced(*records: Record) -> tuple[ReadableSpan, ...]:
    exporter = InMemorySpanExporter()
    traces = Traces("1.2.3", exporter)
    for one in records:
        traces.seen(one)
    traces.close()
    return exporter.get_finished_spans()


def test_spans_follow_the_conventions() -> None:
    (span,) = traced(record(parent=PARENT))
    assert span.name == "query Tile"
    assert span.context is not None
    assert format(span.context.trace_id, "032x") == PARENT.split("-")[1]
    assert span.parent is not None
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/graphql",
        "http.response.status_code": 200,
        "graphql.operation.type": "query",
        "graphql.operation.name": "Tile",
        "user.id": "ann",
        "headwater.cached": False,
        "headwater.rows": 0,
        "error.type": "TIMEOUT",
    }
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time - span.start_time == 250_000_000
    (unnamed,) = traced(record(notes=Notes(), method="BREW"))
    assert unnamed.name == "HTTP /graphql"


def test_a_server_that_stops_does_not_wait_long_for_whoever_takes_spans() -> None:
    class Stuck(InMemorySpanExporter):
        def shutdown(self) -> None:
            time.sleep(30)

    traces = Traces("1.2.3", Stuck())
    traces.seen(record())
    began = time.monotonic()
    traces.close()
    assert PATIENCE <= time.monotonic() - began < PATIENCE + 3


def test_statements_are_spans_below_their_request(live: LiveServer, folder: Path, key: str) -> None:
    keep = Keep()
    with live.serving(settings_of(folder)) as app:
        app.state.onlookers.watchers.append(keep)
        live.ask(ASKED, VARIABLES, authorization=f"Bearer {key}")
        settled(lambda: len(keep.seen_so_far) == 1)
    statement, request = traced(*keep.seen_so_far)
    assert (statement.name, request.name) == ("SELECT orders", "query Tile")
    attributes = dict(statement.attributes or {})
    text = str(attributes.pop("db.query.text"))
    assert text.startswith("SELECT")
    assert SECRET_VALUE not in text
    assert attributes == {
        "db.system.name": "duckdb",
        "db.operation.name": "SELECT",
        "db.collection.name": "orders",
        "db.response.returned_rows": 1,
    }
    assert statement.parent == request.context
    assert request.start_time <= statement.start_time <= statement.end_time <= request.end_time  # type: ignore[operator]


@pytest.mark.parametrize(
    "created", [1764000000.0, 1764000000.123, 1764000000.9994, 1764000000.9999997, 0.0015, 1764000001]
)
def test_the_time_of_a_line_is_the_one_that_python_writes(created: float) -> None:
    line = logging.LogRecord("headwater", logging.INFO, "", 0, "%s", ("said",), None)
    line.created = created
    expected = datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds")
    assert json.loads(JsonLines().format(line))["time"] == expected
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")
    assert Lines().format(line) == plain.format(line)


def test_a_line_for_people_has_its_error_and_its_plan() -> None:
    try:
        raise OSError("no space left")
    except OSError:
        error = sys.exc_info()
    line = logging.LogRecord("headwater", logging.INFO, "", 0, "said", (), error)
    line.fields = {"rows": 1, "plan": "Scan orders", "sql": "SELECT ?"}
    first, *others = Lines().format(line).splitlines()
    assert first.endswith(" INFO headwater: said")
    assert others[0] == "Traceback (most recent call last):"
    assert others[-3:] == ['OSError: no space left {"rows":1}', "Scan orders", "SELECT ?"]
