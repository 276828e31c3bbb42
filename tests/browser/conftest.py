"""A real server on a small shop, and a real Chromium that can reach nothing else."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

READY_WITHIN = 60.0  # seconds

MODEL = """\
version: 1
timezone: Asia/Shanghai
datasets:
  - name: orders
    source: data/orders.parquet
    primary_key: order_id
    time_dimension: paid_at
    entities: {user: user_id}
    dimensions: [{name: channel, type: string, label: {en: Channel, zh: 渠道}}]
metrics:
  - {name: gmv, type: simple, dataset: orders, agg: sum, expr: amount, label: {en: Sales, zh: 支付金额}}
  - {name: buyers, type: simple, dataset: orders, agg: count_distinct, expr: user_id}
"""

# Beyond 2^53: the page must show the digits, not the nearest double.
HUGE = 9_007_199_254_740_993

CHROMIUM_OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1500,900",
    "--lang=en",
]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder: `model/` and `data/`."""
    root = tmp_path_factory.mktemp("shop")
    (root / "model").mkdir()
    (root / "data").mkdir()
    (root / "model" / "shop.yml").write_text(MODEL, encoding="utf-8")
    orders = pa.table(
        {
            "order_id": ["o1", "o2", "o3"],
            "user_id": ["u1", "u1", "u2"],
            "channel": ["公众号", "search", "公众号"],
            "amount": pa.array([HUGE, 20, 30], pa.int64()),
            "paid_at": [datetime(2026, 11, day, 12) for day in (1, 2, 3)],
        }
    )
    pq.write_table(orders, root / "data" / "orders.parquet")
    return root


@pytest.fixture(scope="session")
def server(project: Path) -> Iterator[str]:
    """The address of `headwater serve` on that project."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = project / "server.log"
    command = [Path(sys.executable).with_name("headwater"), "serve", "--model", project / "model", "--port", str(port)]
    with log.open("wb") as out, subprocess.Popen([*map(str, command)], stdout=out, stderr=out) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(process, address, log)
            yield address
        finally:
            process.terminate()


def wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the server did not become ready:\n{log.read_text(errors='replace')}")


class Chromium(webdriver.Chrome):
    """Chromium, with what it wrote to its console and what it asked for."""

    def complaints(self) -> list[str]:
        """Warnings and errors on the console since the last call."""
        return [entry["message"] for entry in self._log("browser") if entry["level"] in ("WARNING", "SEVERE")]

    def requested(self) -> set[str]:
        """The addresses asked for by pages since the last call; those of the browser itself are left out."""
        messages = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        asked = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return {str(one["request"]["url"]) for one in asked if not one["documentURL"].startswith("chrome://")}

    def codings(self) -> dict[str, str]:
        """How what pages got since the last call was compressed, by its address."""
        messages = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        got = [m["params"]["response"] for m in messages if m["method"] == "Network.responseReceived"]
        return {
            one["url"]: {k.lower(): v for k, v in one["headers"].items()}.get("content-encoding", "") for one in got
        }

    def _log(self, kind: str) -> list[dict[str, str]]:
        entries: list[dict[str, str]] = self.get_log(kind)  # type: ignore[no-untyped-call]
        return entries


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromium]:
    """A browser without a past, whose every name but this machine's address leads nowhere."""
    programs = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    missing = [name for name, path in programs.items() if path is None]
    if missing:
        pytest.fail(f"{' and '.join(missing)} not found: `make browser` installs them")
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs["chromium"])
    for option in CHROMIUM_OPTIONS:
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = Chromium(options=options, service=Service(str(programs["chromedriver"])))
    try:
        yield browser
    finally:
        browser.quit()
