"""The benchmarks run: on little data, for their form and not their figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_it_measures_and_compares(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    command = [
        sys.executable,
        "-m",
        "bench",
        "--rows",
        "20000",
        "--runs",
        "1",
        "--folder",
        str(tmp_path),
        "--out",
        str(out),
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert "cold: UV by day" in shown
    assert "funnel: 5 steps, 7 days" in shown
    assert "credited GMV by channel" in shown
    figures = json.loads(out.read_text(encoding="utf-8"))
    # the kernel counts CPU time in hundredths of a second: of what is so short, none may have been seen
    assert all(figure["value"] >= 0 for figure in figures)
    assert all(figure["value"] > 0 for figure in figures if figure["unit"] in ("ms", "s", "MB"))
    compared = [sys.executable, "-m", "bench.compare", str(out), str(out)]
    assert "1.00" in subprocess.run(compared, capture_output=True, text=True, check=True, timeout=60).stdout


def test_it_soaks() -> None:
    command = [sys.executable, "-m", "bench.soak", "--minutes", "0.03", "--subscribers", "5", "--changes", "1"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert shown.stderr == ""
    for said in ("5 subscribe over WebSockets", "kept answers meanwhile", "answers with status 200", "memory at most"):
        assert said in shown.stdout
    assert "stopped with 10 subscribers" in shown.stdout
