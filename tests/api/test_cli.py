"""The command line: what it prints where, and with which exit code."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from textwrap import indent
from typing import Any

import click
import pytest
from graphql import build_schema
from rich.console import Console

from api.cli import COMMANDS, INTERRUPTED, OUR_FAULT, USERS_FAULT, WRONG_USE, cli, run
from api.settings import SETTINGS, Settings
from api.tables import error_text, indented, print_field
from tests.live import LiveServer
from tests.shop import MODEL, SLOW_QUERY, make_project, make_slow_project

DOCS = Path(__file__).parent.parent.parent / "docs"
HEADWATER = Path(sys.executable).with_name("headwater")
QUERY = """query Q($c: String) {
  metrics(where: {channel: {eq: $c}}) { rows { channel gmv } totals { gmv } }
}"""


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HEADWATER_"):
            monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def query(tmp_path: Path) -> str:
    path = tmp_path / "q.graphql"
    path.write_text(QUERY, encoding="utf-8")
    return str(path)


class Ran:
    """What a command printed, and its exit code."""

    def __init__(self, capfd: pytest.CaptureFixture[str], *arguments: object) -> None:
        self.code = run([str(argument) for argument in arguments])
        self.out, self.err = capfd.readouterr()


# --- usage -----------------------------------------------------------------------------------------------------------


def test_help_names_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capfd, "--help")
    assert ran.code == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command}  +[A-Z].*[a-zA-Z]\.$", ran.out, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capfd: pytest.CaptureFixture[str], command: str) -> None:
    ran = Ran(capfd, command, "--help")
    assert ran.code == 0
    assert f"Usage: headwater {command}" in ran.out


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert re.fullmatch(r"headwater \d+\.\d+\.\d+\n", Ran(capfd, "--version").out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sreve"], 'There is no command "sreve". Did you mean "serve"?'),
        (["xyzzy"], "There are: demo, serve, check"),
        (["serve", "--port", "x"], '--port is "x", but must be a port from 0 to 65535.'),
        (["check", "--moddel", "x"], "No such option"),
        (["query"], "Missing argument 'FILE|-'"),
        (["query", "nowhere.graphql"], "nowhere.graphql can't be read: No such file or directory."),
        (["query", "-", "--variables", "{"], "not JSON: line 1"),
        (["query", "-", "--variables", "[1]"], "must be a JSON object"),
        (["query", "-", "--variables", "@nowhere"], "nowhere can't be read"),
        (["sql", "-", "--dialect", "oracle"], "oracle"),
        (["health", "--url", "ftp://x"], "is not an address"),
        (["demo", "--days", "0"], "0 is not in the range"),
    ],
)
def test_wrong_use(capfd: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    ran = Ran(capfd, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert ran.err.startswith("Usage: headwater")


def test_a_variable_without_meaning(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_PORT", "x")
    ran = Ran(capfd, "check")
    assert ran.code == 2
    assert 'HEADWATER_PORT is "x"' in ran.err


def test_an_error_of_ours_is_told_as_ours(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("semantic.load.json_schema", broken)
    ran = Ran(capfd, "model-schema")
    assert (ran.code, ran.out) == (3, "")
    assert "which is not your fault: ZeroDivisionError: oops" in ran.err
    assert "Traceback" not in ran.err
    monkeypatch.setenv("HEADWATER_LOG_LEVEL", "debug")
    assert "Traceback" in Ran(capfd, "model-schema").err


# --- check -----------------------------------------------------------------------------------------------------------


def test_check(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    ran = Ran(capfd, "check", "--model", project)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "The model is right: 1 dataset, 2 metrics, 1 dimension, 0 relationships.\n"


def test_check_tells_every_problem_with_its_place(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    broken = MODEL.replace("agg: sum", "agg: summ").replace("dataset: orders, agg: count", "dataset: oders, agg: count")
    (project / "shop.yml").write_text(broken, encoding="utf-8")
    ran = Ran(capfd, "check", "--model", project)
    assert (ran.code, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert lines[-1] == "2 problems in the model."
    places = [line for line in lines if line.startswith("shop.yml:")]
    assert len(places) == 2
    first = lines.index(places[0])
    column = int(places[0].split(":")[2])
    assert lines[first + 2].index("^") == column + 1  # two spaces before the line
    assert lines[first + 1][column + 1 :].startswith("summ")
    assert 'Did you mean "orders"?' in ran.err
    assert "\x1b" not in ran.err


def test_check_looks_at_the_data(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    (project / "shop.yml").write_text(MODEL.replace("expr: amount", "expr: amuont"), encoding="utf-8")
    ran = Ran(capfd, "check", "--model", project)
    assert ran.code == 1
    assert "UNKNOWN_COLUMN" in ran.err
    assert indent(ran.err, "    ") in (DOCS / "cli.md").read_text(encoding="utf-8")
    ran = Ran(capfd, "check", "--model", project, "--no-data")
    assert ran.code == 0
    assert "The data was not looked at." in ran.out


def test_data_that_is_not_there_is_not_the_models_fault(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    (project.parent / "data" / "orders.parquet").unlink()
    ran = Ran(capfd, "check", "--model", project)
    assert (ran.code, ran.out) == (3, "")
    assert "orders" in ran.err
    assert "DATA_ERROR" in ran.err


def test_all_missing_data_is_told_at_once(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    two = MODEL.replace(
        "metrics:\n",
        "  - {name: users, source: data/users.parquet}\n  - {name: ads, source: data/ads.parquet}\nmetrics:\n",
    )
    (project / "shop.yml").write_text(two, encoding="utf-8")
    ran = Ran(capfd, "check", "--model", project)
    assert ran.code == 3
    assert '"users"' in ran.err
    assert '"ads"' in ran.err
    assert ran.err.count("Check the path") == 1


def test_no_model_says_what_to_do(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["serve"], ["check"], ["schema"], ["query", "-"]):
        monkeypatch.setattr("sys.stdin", io.StringIO("{ __typename }"))
        ran = Ran(capfd, *command)
        assert (ran.code, ran.out) == (1, ""), command
        assert "There is no model in this folder" in ran.err
        assert "  headwater demo --out shop\n  headwater serve --model shop" in ran.err
    (tmp_path / "shop.yml").write_text("datasets: []\n")
    ran = Ran(capfd, "check")
    assert "not shop.yml either" in ran.err
    assert "write `version: 1` into it" in ran.err


def test_the_model_is_found(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    for folder in (project, project.parent):
        monkeypatch.chdir(folder)
        assert Ran(capfd, "check").code == 0
    ran = Ran(capfd, "check", "--model", project / "shop.yml")
    assert ran.code == 1
    assert f"did you mean --model {project}?" in ran.err
    ran = Ran(capfd, "check", "--model", project / "no")
    assert (ran.code, "There is no folder" in ran.err) == (1, True)


def test_sources_start_from_the_root(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    other = project.rename(project.with_name("definitions"))
    assert Ran(capfd, "check", "--model", other).code == 3
    assert Ran(capfd, "check", "--model", other, "--root", other.parent).code == 0
    (project.parent / "data").rename(other / "data")
    assert Ran(capfd, "check", "--model", other).code == 0


# --- query and sql ---------------------------------------------------------------------------------------------------


def test_query_prints_json_to_a_pipe(capfd: pytest.CaptureFixture[str], project: Path, query: str) -> None:
    ran = Ran(capfd, "query", query, "--model", project, "--variables", '{"c": "ads"}')
    assert (ran.code, ran.err) == (0, "")
    rows = [{"channel": "ads", "gmv": 30}]
    assert json.loads(ran.out) == {"data": {"metrics": {"rows": rows, "totals": {"gmv": 30}}}}
    assert ran.out.count("\n") == 1


def test_query_reads_standard_input_and_variables_from_a_file(project: Path, query: str, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"c": "公众号"}', encoding="utf-8")
    with open(query) as document:
        ran = subprocess.run(
            [HEADWATER, "query", "-", "--model", project, "--variables", f"@{tmp_path / 'v.json'}"],
            stdin=document,
            capture_output=True,
            check=True,
        )
    assert json.loads(ran.stdout)["data"]["metrics"]["rows"] == [{"channel": "公众号", "gmv": 40}]
    assert ran.stderr == b""


@pytest.mark.parametrize(
    ("document", "code", "error"),
    [
        ("{ metrics { totals { gvm } } }", 1, "UNKNOWN_METRIC"),
        ("{ metrics { totals", 1, "GRAPHQL_PARSE_FAILED"),
        ("{ metrics(limit: 1000000) { rows { gmv } } }", 1, "LIMIT_EXCEEDED"),
        ("{ metrics { totals { gmv } } }", 3, "DATA_ERROR"),
    ],
)
def test_query_exit_codes(
    capfd: pytest.CaptureFixture[str],
    project: Path,
    query: str,
    document: str,
    code: int,
    error: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if code == 3:
        from engine.cached import Cached
        from semantic.errors import DataError

        async def answer(*_: object) -> None:
            raise DataError("The files are gone.")

        monkeypatch.setattr(Cached, "answer", answer)
    Path(query).write_text(document, encoding="utf-8")
    ran = Ran(capfd, "query", query, "--model", project)
    assert ran.code == code
    assert json.loads(ran.out)["errors"][0]["extensions"]["code"] == error


def terminal(value: Any, name: str = "metrics") -> str:
    console = Console(record=True, width=100, file=io.StringIO())
    print_field(console, name, value)
    return console.export_text()


def test_a_table_for_people() -> None:
    from decimal import Decimal

    rows = [
        {"channel": "公众号", "gmv": 9007199254740993, "rate": Decimal("0.333333333333")},
        {"channel": None, "gmv": 2, "rate": None},
    ]
    text = terminal({"rows": rows, "totals": {"gmv": 9007199254740995}, "meta": {"dataThrough": "2026-11-30"}})
    assert re.search(r"channel +gmv +rate", text)
    assert re.search(r"公众号 +9007199254740993 +0.3333\b", text)
    assert re.search(r"null +2 +null", text)
    assert re.search(r"^ +9007199254740995 *$", text, re.MULTILINE)
    assert "meta.dataThrough: 2026-11-30" in text
    unknown = terminal({"rows": [{"channel": "ads", "rate": None}], "totals": {"rate": 123456789}})
    assert re.search(r"^ ads +null $", unknown, re.MULTILINE), "to the right: its total tells that it holds numbers"


def test_other_shapes_for_people() -> None:
    assert "no rows" in terminal({"rows": []})
    text = terminal({"columns": [{"key": "channel"}, {"key": "uv"}], "rows": [["ads", 3]], "totals": [None, 3]})
    assert re.search(r"channel +uv", text)
    assert re.search(r"ads +3", text)
    values = terminal([{"value": "ads", "count": 2}, {"value": True, "count": 1}], "dimensionValues")
    assert re.search(r"ads +2", values)
    assert re.search(r"true +1", values)
    assert "catalog" in terminal({"metrics": [{"name": "gmv", "splits": ["a", "b"]}]}, "catalog")
    assert terminal(None) == "metrics\nnull\n\n"


def test_rows_within_rows_for_people() -> None:
    steps = [{"name": "visit", "count": 9}, {"name": "pay", "count": 2}]
    text = terminal({"groups": [{"key": [{"dimension": "channel", "value": "ads"}], "steps": steps}]}, "funnel")
    assert re.search(r"channel +name +count *\n.*\n ads +visit +9 *\n +pay +2 *\n", text)
    cohorts = [{"time": "2026-11-01", "size": 0, "cells": []}, {"time": "2026-11-02", "size": 3, "cells": steps}]
    text = terminal({"cohorts": cohorts}, "retention")
    assert re.search(r"time +size +name +count *\n.*\n 2026-11-01 +0 +\n 2026-11-02 +3 +visit +9 *\n +pay +2", text)
    text = terminal({"metrics": [{"name": "gmv", "dimensions": [{"name": "channel"}, {"name": "day"}]}]}, "catalog")
    assert re.search(r"name +dimensions.name *\n.*\n gmv +channel *\n +day *\n", text)


def test_json_for_people_keeps_all_digits() -> None:
    body = b'{"data":{"a":9007199254740993,"b":12345678901234567890.10,"c":0.30}}'
    assert json.loads(indented(body), parse_float=str) == json.loads(body, parse_float=str)
    assert indented(body).count("\n") == 6


def test_an_error_shows_where_in_the_document() -> None:
    error = {
        "message": "No metric.",
        "locations": [{"line": 2, "column": 5}],
        "extensions": {"code": "UNKNOWN_METRIC", "suggestion": "Did you mean gmv?"},
    }
    text = error_text(error, "{\n    gvm\n}").plain
    assert text == "Error: No metric. [UNKNOWN_METRIC]\n      gvm\n      ^\n  Did you mean gmv?"
    after_wide = {**error, "locations": [{"line": 1, "column": 13}], "extensions": {}}
    assert error_text(after_wide, '{ a(b: "渠") gvm }').plain.endswith(f"\n{' ' * 15}^"), "wide characters take two"
    at_the_end = {**error, "locations": [{"line": 3, "column": 1}], "extensions": {}}
    assert error_text(at_the_end, "{\n  gmv\n").plain.splitlines()[1:] == ["    gmv", "       ^"]


def test_sql_shows_statements_and_parameters(capfd: pytest.CaptureFixture[str], project: Path, query: str) -> None:
    ran = Ran(capfd, "sql", query, "--model", project, "--variables", '{"c": "it\'s"}')
    assert (ran.code, ran.err) == (0, "")
    assert "-- 1 of 2: gmv by channel" in ran.out
    assert "-- 2 of 2: gmv, in all" in ran.out
    assert "-- ?1 = 'it''s'" in ran.out
    assert "it's" not in ran.out
    assert ran.out.count("SELECT") >= 2


def test_sql_in_another_dialect_and_the_plan(capfd: pytest.CaptureFixture[str], project: Path, query: str) -> None:
    spark = Ran(capfd, "sql", query, "--model", project, "--dialect", "spark")
    assert (spark.code, "`orders`" in spark.out) == (0, True)
    plan = Ran(capfd, "sql", query, "--model", project, "--plan")
    assert (plan.code, "Scan orders" in plan.out, "SELECT" in plan.out) == (0, True, False)


def test_sql_runs_nothing(
    capfd: pytest.CaptureFixture[str], project: Path, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.cached import Cached

    async def answer(*_: object) -> None:
        raise AssertionError("it ran")

    monkeypatch.setattr(Cached, "answer", answer)
    everything = (
        "{ metrics { rows { time(grain: DAY) channel gmv } totals { gmv } pageInfo { totalCount } meta { sql } }"
        " table(metrics: [GMV], dimensions: [CHANNEL]) { rows totals } dimensionValues(dimension: CHANNEL) { value } }"
    )
    Path(query).write_text(everything, encoding="utf-8")
    ran = Ran(capfd, "sql", query, "--model", project)
    assert (ran.code, ran.err) == (0, "")
    assert "values of channel" in ran.out


def test_sql_of_a_wrong_query(capfd: pytest.CaptureFixture[str], project: Path, query: str) -> None:
    Path(query).write_text("{ metrics { rows { channel gmv(as: CHANGE) } } }", encoding="utf-8")
    ran = Ran(capfd, "sql", query, "--model", project)
    assert (ran.code, ran.out) == (1, "")
    assert "compares with nothing" in ran.err


# --- schemas ---------------------------------------------------------------------------------------------------------


def test_schema(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    ran = Ran(capfd, "schema", "--model", project)
    assert (ran.code, ran.err) == (0, "")
    build_schema(ran.out)
    assert "Sales" in ran.out
    assert "支付金额" in Ran(capfd, "schema", "--model", project, "--locale", "zh-CN").out


def test_model_schema(capfd: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capfd, "model-schema")
    assert ran.code == 0
    assert "datasets" in json.loads(ran.out)["properties"]


# --- demo and serve --------------------------------------------------------------------------------------------------


def test_demo_makes_a_shop_that_is_right(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    ran = Ran(capfd, "demo", "--out", shop, "--users", 50, "--days", 3)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"The demo shop is in {shop}. Serve it:\n\n  headwater serve --model {shop}\n"
    assert Ran(capfd, "check", "--model", shop).code == 0


def test_demo_replaces_a_demo_shop_and_nothing_else(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    shop, few = project.parent / "shop", ("--users", 50, "--days", 2)
    assert Ran(capfd, "demo", "--out", shop, *few).code == 0
    assert Ran(capfd, "demo", "--out", shop, *few).code == 0
    before = (project.parent / "data" / "orders.parquet").read_bytes()
    ran = Ran(capfd, "demo", "--out", project.parent, *few)
    assert ran.code == 2
    assert "name another folder with --out" in ran.err
    assert (project.parent / "data" / "orders.parquet").read_bytes() == before


@pytest.fixture
def served(project: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = tmp_path / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen([HEADWATER, "serve", "--model", project, "--port", "0"], stdout=out, stderr=out)
        try:
            yield process, log
        finally:
            process.kill()
            process.wait()


def greeted(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + 60
    while "Ctrl-C" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return log.read_text()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_greets_serves_and_stops(
    served: tuple[subprocess.Popen[bytes], Path], capfd: pytest.CaptureFixture[str], stop: signal.Signals
) -> None:
    process, log = served
    text = greeted(process, log)
    address = re.search(r"GraphiQL  (http://127\.0\.0\.1:\d+)/graphql\n", text)
    assert address is not None, text
    command = re.search(r"^  (curl .*)$", text, re.MULTILINE)
    assert command is not None
    answer = subprocess.run(command[1], shell=True, capture_output=True, check=True).stdout
    assert "errors" not in json.loads(answer)
    assert Ran(capfd, "health", "--url", address[1]).out == "ok\n"
    assert Ran(capfd, "health", "--ready", "--url", address[1]).out == "ready\n"
    with urllib.request.urlopen(f"{address[1]}/schema.graphql") as response:
        assert b"gmv" in response.read()
    process.send_signal(stop)
    assert process.wait(20) in (0, -stop, 128 + stop)
    assert "Traceback" not in log.read_text()
    ran = Ran(capfd, "health", "--url", address[1])
    assert (ran.code, ran.out) == (1, "")
    assert "does not answer" in ran.err


def test_serve_stops_in_the_middle_of_a_query(tmp_path: Path) -> None:
    project = str(make_slow_project(tmp_path))
    command = [str(HEADWATER), "serve", "--model", project, "--port", "0", "--threads", "1", "--drain", "0.5"]
    log = tmp_path / "serve.log"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            found = re.search(r"GraphiQL  http://127\.0\.0\.1:(\d+)/", greeted(process, log))
            assert found is not None
            body = json.dumps({"query": SLOW_QUERY}).encode()
            with closing(HTTPConnection("127.0.0.1", int(found[1]))) as connection:
                connection.request("POST", "/graphql", body, {"content-type": "application/json"})
                time.sleep(1)
                began = time.monotonic()
                process.terminate()
                response = connection.getresponse()
                assert response.status == 503
                assert b"CANCELLED" in response.read()
            process.wait(20)
            assert time.monotonic() - began < 4
        finally:
            process.kill()
    assert "Traceback" not in log.read_text()


def test_serve_tells_what_is_wrong_with_the_model(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    (project / "shop.yml").write_text(MODEL.replace("paid_on", "payed_on"), encoding="utf-8")
    ran = subprocess.run(
        [HEADWATER, "serve", "--model", project, "--port", "0"], capture_output=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"UNKNOWN_COLUMN" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_serve_at_a_port_in_use(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = Ran(capfd, "serve", "--model", project, "--port", taken.getsockname()[1])
    assert (ran.code, ran.out) == (1, "")
    assert "can't be listened at" in ran.err
    assert "--port" in ran.err


def test_help_is_quick() -> None:
    """Nothing heavy is imported before a command needs it."""
    heavy = "duckdb|pyarrow|strawberry|fastapi|sqlglot|graphql|numpy|rich"
    script = (
        "import sys\nfrom api.cli import run\nrun(['serve', '--help'])\n"
        f"loaded = [name for name in '{heavy}'.split('|') if name in sys.modules]\nsys.exit(', '.join(loaded) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


# --- the docs -------------------------------------------------------------------------------------------------------


def test_every_command_and_option_is_documented() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        assert f"| `headwater {name}` | {command.short_help} |" in text
        section = text.partition(f"\n## headwater {name}\n")[2].partition("\n## ")[0]
        assert section, name
        shared = {"--model", "--root", "--claim", *(setting.option for setting in SETTINGS if name == "serve")}
        for parameter in command.params:
            options = {*parameter.opts, *parameter.secondary_opts} if isinstance(parameter, click.Option) else set()
            named = any(f"`{option}" in section for option in options)
            assert not options or named or options & shared, f"{name} {options}"
    assert [line[13:] for line in text.splitlines() if line.startswith("## headwater ")] == list(COMMANDS)


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    for code in (0, USERS_FAULT, WRONG_USE, OUR_FAULT, INTERRUPTED):
        assert re.search(rf"^\| {code} \| ", text, re.MULTILINE)


def test_serving_documents_every_address(live: LiveServer, project: Path) -> None:
    text = (DOCS / "serving.md").read_text(encoding="utf-8")
    with live.serving(Settings(model=project, reload=False)):
        paths = live.get("/openapi.json").json["paths"]
    assert {"/healthz", "/readyz", "/schema.graphql"} <= set(paths)
    for path in paths:
        assert f"| `GET {path}` | " in text
