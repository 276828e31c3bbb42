"""`make demo`: makes the demo shop, serves it, asks one query and shows the answer, then goes on serving.

Needs nothing but the standard library and the `headwater` command beside the Python that runs it.

    HEADWATER_DEMO_DIR  where the shop is made          (.demo)
    PORT                the port, or the next free one  (8000)
    DEMO_ONCE=1         stop after the answer instead of serving on
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HEADWATER = Path(sys.executable).with_name("headwater")
READY_WITHIN = 120.0  # seconds; the first start reads the footers of every file
STOPPED_WITHIN = 15.0


AS_SENT, NUMBER = "\0{}", re.compile(r'"\\u0000([^"]*)"')
"""A number with all the digits it was sent with: as a text until it is printed."""


def main() -> int:
    """Run the demo; the exit code is 0 when the query was answered."""
    shop = Path(os.environ.get("HEADWATER_DEMO_DIR", ".demo"))
    make_shop(shop)
    port = free_port(int(os.environ.get("PORT", "8000")))
    address = f"http://127.0.0.1:{port}"
    command = [str(HEADWATER), "serve", "--host", "127.0.0.1", "--port", str(port)]
    # Its greeting is not shown: the same is said below, with the answer.
    with subprocess.Popen(command, cwd=shop, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until_ready(server, address)
            show_query(address)
            if os.environ.get("DEMO_ONCE") != "1":
                print(f"\nServing at {address}/graphql (GraphiQL in a browser). Ctrl-C stops it.", flush=True)
                server.wait()
        except KeyboardInterrupt:
            print("\nStopping …", flush=True)
        finally:
            stop(server)
    return 0


def make_shop(shop: Path) -> None:
    """Make the shop's model and data unless they are there; a half-made one is made again."""
    done = shop / ".complete"
    if done.exists():
        return
    print(f"Making the demo shop in {shop} …", flush=True)
    made = subprocess.run([HEADWATER, "demo", "--out", shop], stdout=subprocess.DEVNULL, check=False)
    if made.returncode != 0:
        raise SystemExit(made.returncode)
    done.touch()


def free_port(first: int) -> int:
    """The first free port from `first` on; another program on a port is no reason for a demo to fail."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"No port from {first} to {first + 99} is free. Choose another with PORT=… make demo")


def wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    """Return when the server answers /readyz; end the demo when it stops or takes too long."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"The server stopped with exit code {server.returncode}; its message is above.")
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"The server was not ready within {READY_WITHIN:.0f} seconds.")


def show_query(address: str) -> None:
    """Print the model's example query, the command that asks it, and its answer."""
    example = request(f"{address}/graphql/example")
    body = {"query": example["query"], "variables": example.get("variables") or {}}
    started = time.perf_counter()
    answer = request(f"{address}/graphql", body)
    took = (time.perf_counter() - started) * 1000
    print(f"\nPOST {address}/graphql\n\n{example['query'].strip()}\n", flush=True)
    if body["variables"]:
        print(f"variables: {json.dumps(body['variables'], ensure_ascii=False)}\n")
    print(f"{shortened(readable(answer))}\n\nanswered in {took:.0f} ms", flush=True)
    if answer.get("errors") or not answer.get("data"):
        raise SystemExit("The example query was not answered.")


def request(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """GET `url`, or POST `body` to it as JSON. The answer's JSON, also when it tells of an error."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, {"content-type": "application/json", "accept": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=60) as response:
            answer: dict[str, Any] = json.load(response, parse_float=AS_SENT.format)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{url} answered {error.code}: {error.read().decode(errors='replace')}") from error
    return answer


def readable(value: object, indent: str = "") -> str:
    """JSON with a line for each thing that holds no other, so that a row of the answer is a row on the screen."""
    nested = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    if not any(isinstance(one, dict | list) for one in nested):
        return NUMBER.sub(r"\1", json.dumps(value, ensure_ascii=False))
    deeper = indent + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {readable(one, deeper)}" for key, one in value.items()]
        start, end = "{}"
    else:
        parts = [readable(one, deeper) for one in nested]
        start, end = "[]"
    return f"{start}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{end}"


def shortened(text: str, most: int = 60) -> str:
    """The first `most` lines, and how many were left out."""
    lines = text.splitlines()
    left_out = len(lines) - most
    return text if left_out <= 0 else "\n".join([*lines[:most], f"… {left_out} more lines"])


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to stop, and insist when it does not."""
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            server.kill()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
