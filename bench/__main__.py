"""`python -m bench`: measure, print a table, and keep the figures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bench.answers import answering
from bench.cold import cold
from bench.credit import credit
from bench.dashboard import dashboard
from bench.data import prepare
from bench.measure import Figure
from bench.sequences import sequences
from bench.serving import serving
from bench.small import answers, compiling, idle
from bench.steady import steady

HEADS = ("what", "value", "by hand", "ratio", "target", "")


def main() -> None:
    """Run every benchmark."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="events to measure on (default: 10 million)")
    parser.add_argument("--runs", type=int, default=7, help="measured runs of each (default: 7)")
    parser.add_argument("--threads", type=int, default=2, help="DuckDB threads, ours and by hand (default: 2)")
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where the data is kept (default: .bench)")
    parser.add_argument("--out", type=Path, help="write the figures to this file as JSON")
    parser.add_argument("--only", choices=sorted(SECTIONS), help="measure one section (default: all)")
    given = parser.parse_args()
    folder = (given.folder / str(given.rows)).resolve()
    prepare(folder, given.rows)
    sections = [given.only] if given.only else list(SECTIONS)
    figures = [figure for name in sections for figure in SECTIONS[name](folder, given.threads, given.runs)]
    show(figures)
    if given.out is not None:
        given.out.write_text(json.dumps([figure.json() for figure in figures], indent=1), encoding="utf-8")


def _cold(folder: Path, threads: int, runs: int) -> Iterator[Figure]:
    with serving(folder, threads) as server:
        server.settle()
        yield from cold(server, folder, threads, runs)
        yield from answers(server, folder, runs)


SECTIONS: dict[str, Callable[[Path, int, int], Iterable[Figure]]] = {
    "compiling": lambda folder, threads, runs: compiling(runs),
    "cold": _cold,
    "answering": answering,
    "dashboard": dashboard,
    "steady": steady,
    "sequences": sequences,
    "credit": credit,
    "idle": lambda folder, threads, runs: idle(),
}
"""What can be measured: each of a project folder, with threads, so many runs of each."""


def show(figures: list[Figure]) -> None:
    """Print the figures as a table."""
    rows = [HEADS, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
