"""A dashboard of twelve tiles in one document, beside the same tiles asked for one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figure, Timed, in_turn
from bench.serving import serving

PAID = 'where: {event: {eq: "pay"}}'
BY_DAY = ("pv", "uv", "gmv", f"buyers: uv({PAID})", f"uv buyers: uv({PAID})")
BY_CHANNEL = ("uv", "gmv", 'clicks: pv(where: {event: {eq: "click"}})')
TARGET = 0.6
DAYS = (30, 90)


def dashboard(folder: Path, threads: int, runs: int) -> Iterator[Figure]:
    """The time of both, each run with other limits, so that no answer is kept."""
    with serving(folder, threads, HEADWATER_LOG_LEVEL="warning", HEADWATER_CACHE_BYTES="1") as server:
        server.settle()
        for days in DAYS:

            def together(run: int, days: int = days) -> None:
                found = list(tiles(days, 900 + run))
                server.ask("{ " + " ".join(f"t{place}: {tile}" for place, tile in enumerate(found)) + " }")

            def apart(run: int, days: int = days) -> None:
                for tile in tiles(days, 900 + run):
                    server.ask(f"{{ {tile} }}")

            one, other = in_turn(Timed(together, server.cpu), Timed(apart, server.cpu), runs)
            name, target = f"12 tiles of {days} days in one document", f"≤ {TARGET} × 12 requests"
            yield Figure(name, one.wall, "ms", other.wall, target, one.wall <= TARGET * other.wall)
            yield Figure("  CPU", one.cpu, "ms CPU", other.cpu, "", True)


def tiles(days: int, limit: int) -> Iterator[str]:
    """Views, users, sales, buyers and the users beside them by day; users, sales and clicks by channel; users and sales
    by platform; views by event; all of it in numbers.
    """
    asked = f"metrics(timeRange: {{last: {{count: {days}, unit: DAY}}}}, limit: {limit})"
    for what in BY_DAY:
        yield f"{asked} {{ rows {{ time(grain: DAY) {what} }} }}"
    for what in BY_CHANNEL:
        yield f"{asked} {{ rows {{ channel {what} }} }}"
    for what in ("platform uv", "platform gmv", "event pv"):
        yield f"{asked} {{ rows {{ {what} }} }}"
    yield f"{asked} {{ totals {{ pv uv gmv buyers: uv({PAID}) }} }}"
