#!/bin/sh
# The health check of the container image: exit 0 when the server answers /healthz.
set -eu
exec "${HEADWATER_PREFIX:-/opt/headwater}/bin/python" -c '
import os, urllib.request
port = os.environ.get("HEADWATER_PORT", "8000")
urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=3).close()
'
