"""Schemathesis asks a live server whatever the schemas allow: each answer is of the types they say, or a refusal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.settings import Settings
from tests.api.shop import MODEL, write_tables
from tests.live import LiveServer
from tests.pages import ROOT

HERE = Path(__file__).parent
SEED = "20261101"


@pytest.fixture(scope="module")
def shop(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    root = write_tables(tmp_path_factory.mktemp("shop"))
    (root / "shop.yml").write_text(MODEL, encoding="utf-8")
    with live.serving(Settings(model=root, reload=False)):
        yield live


def schemathesis(shop: LiveServer, path: str, folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    """Its report and what it wrote for people."""
    report = folder / "report.json"
    command = [
        *(Path(sys.executable).with_name("schemathesis"), "--no-color", "--config-file", HERE / "schemathesis.toml"),
        *("run", f"http://127.0.0.1:{shop.port}{path}", "--seed", SEED, "--workers", "1"),
        *("--generation-database", "none", "--report-json-path", report, "--output-sanitize", "false", *options),
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=os.environ | hooks,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    found = json.loads(report.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found, done.stdout


GRAPHQL = ("--mode", "positive", "--checks", "answered_or_refused,response_schema_conformance", "--no-shrink")


def test_graphql(shop: LiveServer, tmp_path: Path) -> None:
    report, told = schemathesis(shop, "/graphql", tmp_path, *GRAPHQL, "--max-examples", "15")
    assert report["failures"] == report["errors"] == [], told
    assert (report["operations"]["tested"], report["test_cases"]["generated"]) == (10, 150)
    assert len(report["warnings"]["missing_test_data"]) <= 5, "most fields were answered with data, too"


DOORS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "refused_with_a_reason",
)


def test_the_plain_doors(shop: LiveServer, tmp_path: Path) -> None:
    options = ("--checks", ",".join(DOORS), "--phases", "fuzzing", "--no-shrink", "--max-examples", "20")
    report, told = schemathesis(shop, "/openapi.json", tmp_path, *options)
    assert report["failures"] == report["errors"] == [], told
    assert report["operations"]["tested"] == 10
    assert report["test_cases"]["generated"] >= 80


def test_a_door_that_breaks_its_word_is_found(shop: LiveServer, tmp_path: Path) -> None:
    options = ("--checks", ",".join(DOORS), "--phases", "fuzzing", "--no-shrink", "--max-examples", "5")
    with spoilt(shop, b'"fault":"user"', b'"fault":"them"'):
        report, told = schemathesis(shop, "/openapi.json", tmp_path, *options, "--include-path", "/v1/table")
    assert report["failures"]
    assert "Response violates schema" in told
    assert "refused_with_a_reason" in told


@contextmanager
def spoilt(live: LiveServer, right: bytes, wrong: bytes) -> Iterator[None]:
    """A server whose answers have something else in them, of the same length."""
    assert len(right) == len(wrong)
    app = live._app
    assert app is not None

    async def spoils(scope: Scope, receive: Receive, send: Send) -> None:
        async def spoil(message: Message) -> None:
            if "body" in message:
                message["body"] = message["body"].replace(right, wrong)
            await send(message)

        await app(scope, receive, spoil)

    live._app = spoils  # type: ignore[assignment]
    try:
        yield
    finally:
        live._app = app


@pytest.mark.parametrize(
    ("field", "right", "wrong", "told"),
    [
        ("touchPaths", b'"fault":"user"', b'"fault":"ours"', ", a fault of ours: "),
        ("viewer", b'"claims":{}', b'"claims":[]', "data.viewer.claims is [], which is no Claims"),
        ("catalog", b'"version":"', b'"version":7', "the body is not JSON"),
    ],
)
def test_a_fault_is_found(shop: LiveServer, tmp_path: Path, field: str, right: bytes, wrong: bytes, told: str) -> None:
    with spoilt(shop, right, wrong):
        report, text = schemathesis(
            shop, "/graphql", tmp_path, *GRAPHQL, "--max-examples", "8", "--include-name", f"Query.{field}"
        )
    assert report["failures"]
    assert told in text
