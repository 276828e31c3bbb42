"""`python -m bench.compare OLD NEW`: two files of figures side by side."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(old: str, new: str) -> None:
    """Print each figure of both files and how it changed."""
    before, after = (
        {figure["name"]: figure for figure in json.loads(Path(path).read_text(encoding="utf-8"))} for path in (old, new)
    )
    for name in dict.fromkeys([*before, *after]):
        values = [figures[name]["value"] if name in figures else None for figures in (before, after)]
        change = f"{values[1] / values[0]:.2f}" if values[0] and values[1] is not None else "-"
        shown = ["-" if value is None else f"{value:.2f}" for value in values]
        print(f"{name:45} {shown[0]:>10} {shown[1]:>10} {change:>8}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
