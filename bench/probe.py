"""`python -m bench.probe PORT SECONDS`: asks for one kept answer over and over; milliseconds of each as JSON."""

from __future__ import annotations

import json
import sys
import time
from http.client import HTTPConnection

BODY = json.dumps({"query": "{ metrics { totals { visits } } }"}).encode()
PAUSE = 0.003
"""Seconds between two: it is to notice when nobody is answered, and not to keep the server busy."""


def main() -> None:
    """Ask."""
    connection, took = HTTPConnection("127.0.0.1", int(sys.argv[1])), []
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        began = time.perf_counter()
        connection.request("POST", "/graphql", BODY, {"content-type": "application/json"})
        connection.getresponse().read()
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(PAUSE)
    print(json.dumps(took))


if __name__ == "__main__":
    main()
