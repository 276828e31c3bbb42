"""Pages of other sites: a browser asks first whether they may, and lets those read that are named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from api.settings import Settings
from tests.browser.conftest import Chromium
from tests.live import LiveServer

pytestmark = pytest.mark.browser

QUERY = "{ metrics { rows { time(grain: DAY) channel gmv } } }"
ASK = """
    const [url, query, done] = arguments;
    const headers = {"content-type": "application/json", "authorization": "", "if-none-match": "x"};
    fetch(url, {method: "POST", headers, body: JSON.stringify({query})})
        .then(async (one) => {
            const again = await fetch(`${url}?query=${encodeURIComponent(query)}`);
            done([one.status, await one.json(), again.headers.get("etag"), await again.json()]);
        })
        .catch((error) => done(String(error)));
"""


class Blank(BaseHTTPRequestHandler):
    """A site with nothing on it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is to be said."""


@pytest.fixture(scope="module")
def sites() -> Iterator[list[str]]:
    """The addresses of two sites."""
    servers = [HTTPServer(("127.0.0.1", 0), Blank) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{server.server_port}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


def asked_from(browser: Chromium, site: str, live: LiveServer) -> Any:
    browser.get(site)
    return browser.execute_async_script(ASK, f"http://127.0.0.1:{live.port}/graphql", QUERY)


def test_pages_of_named_sites_read_answers(
    live: LiveServer, project: Path, sites: list[str], chromium: Chromium
) -> None:
    named, other = sites
    with live.serving(Settings(model=project / "model", reload=False, cors_origins=(named,))):
        status, answer, etag, again = asked_from(chromium, named, live)
        assert status == 200
        assert len(answer["data"]["metrics"]["rows"]) == 3
        assert (etag.startswith("W/"), again) == (True, answer)
        assert chromium.complaints() == []
        assert "Failed to fetch" in asked_from(chromium, other, live)
    assert any("CORS policy" in text for text in chromium.complaints())


def test_a_browser_reads_what_is_compressed(
    live: LiveServer, project: Path, sites: list[str], chromium: Chromium
) -> None:
    with live.serving(Settings(model=project / "model", reload=False, cors_origins=(sites[0],))):
        names = " ".join(f"all{n}: metrics {{ totals {{ buyers }} }}" for n in range(50))
        chromium.get(sites[0])
        url = f"http://127.0.0.1:{live.port}/graphql"
        _, answer, *_ = chromium.execute_async_script(ASK, url, f"{{ {names} }}")
    assert answer["data"]["all49"]["totals"] == {"buyers": 2}
    assert chromium.codings()[url] == "gzip"
