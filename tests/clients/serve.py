"""A live server for the clients: says where it is, as JSON, and changes its data whenever it is told to by a line."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from pathlib import Path

from api.server import serve
from api.serving import Started
from api.settings import Settings
from tests.shop import make_project, write_table

CHANGED = "select 'o1' as order_id, 'a' as user_id, date '2026-11-01' as paid_on, 'ads' as channel, {} as amount"


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        model = make_project(root)
        settings = Settings(model=model, port=0, reload=False, freshness_check=0.1, log_level="error")

        def started(_: Started, port: int) -> None:
            print(json.dumps({"port": port, "model": str(model)}), flush=True)

        threading.Thread(target=obey, args=(root,), daemon=True).start()
        serve(settings, started)


def obey(root: Path) -> None:
    """Every line is the amount of the only order from then on."""
    for line in sys.stdin:
        write_table(root, "orders", CHANGED.format(int(line)))


if __name__ == "__main__":
    main()
