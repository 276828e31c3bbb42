"""`python -m bench.soak`: subscribers who stay, then questions of which no two are the same. Is it quick, and is memory
bounded?
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from rich.console import Console
from rich.progress import Progress, TaskID

from bench import crowd
from bench.crowd import Subscriber
from bench.flood import Project, flood
from bench.serving import Server, serving

SETTINGS = {
    "HEADWATER_CACHE_BYTES": "32MiB",
    "HEADWATER_MEMORY_LIMIT": "256MiB",
    "HEADWATER_SUBSCRIBERS": "10000",
    "HEADWATER_LOG_LEVEL": "warning",
}
CLIENTS = 8
CHANGES = 20.0
"""Seconds between two changes of the data and the model, while it is flooded."""
GROWTH, MOST = 1.1, 700.0
"""The most that memory may grow from one third of the flood to the last, and the most it may ever be, in MB."""
EACH = 100.0
"""The most memory of one subscriber, in KB."""
SLOW, STOP = 50.0, 5.0
"""The most milliseconds that 99 of 100 kept answers may take while all are told, and seconds that a stop may."""
WATCHED = "subscription { metrics { rows { channel visits } } }"


@dataclass(frozen=True, slots=True)
class Told:
    """One change: seconds until everybody knew of it, CPU seconds of the server, and the milliseconds that 99 of 100
    kept answers took meanwhile, and the slowest.
    """

    seconds: float
    cpu: float
    kept: float
    slowest: float


class Report:
    """What was measured, and what of it is not as it should be."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.failed = False

    def say(self, what: str, value: float, unit: str, most: float | None = None) -> None:
        """Print a figure, and the most that it may be."""
        missed = most is not None and value > most
        self.failed = self.failed or missed
        bound = "" if most is None else f"at most {most:g}"
        self._console.print(
            f"{what:<52}{value:>9.1f} {unit:<4} {bound:<13} {'MISSED' if missed else ''}".rstrip(), soft_wrap=True
        )


@contextmanager
def progress(console: Console, what: str, total: float) -> Iterator[tuple[Progress, TaskID]]:
    """A bar, gone when it is full."""
    with Progress(console=console, transient=True) as bar:
        yield bar, bar.add_task(what, total=total)


def main() -> None:
    """Hold a crowd, flood, and stop."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="minutes of distinct questions (default: 2)")
    parser.add_argument("--subscribers", type=int, default=2000, help="subscribers of each kind (default: 2000)")
    parser.add_argument("--changes", type=int, default=5, help="changes that all are told of (default: 5)")
    given = parser.parse_args()
    console = Console(highlight=False)
    report = Report(console)
    with tempfile.TemporaryDirectory() as root:
        project = Project.make(Path(root))
        with serving(project.folder, 1, **{**SETTINGS, **project.settings}) as server:
            asyncio.run(hold(server, project, given.subscribers, given.changes, report))
            asyncio.run(soak(server, project, given.minutes * 60, report, console))
            asyncio.run(stop(server, given.subscribers, report))
    sys.exit(1 if report.failed else 0)


# --- a crowd ----------------------------------------------------------------------------------------------------------


async def hold(server: Server, project: Project, count: int, changes: int, report: Report) -> None:
    """So many subscribers of each kind come, are told of changes, and go; then once more."""
    crowd.may_open(2 * count + 200)
    server.ask("{ metrics { totals { visits } } }")
    before, files = server.memory(), server.files()
    report.say("memory before anybody subscribes", before, "MB")
    for again in (False, True):
        members = await gathered(server, count, report, told=not again)
        if not again:
            report_told([await told(server, project, members, number) for number in range(1, changes + 1)], report)
        full = server.memory()
        await crowd.all_leave(members)
        await until_gone(server, files)
        report.say(f"memory with {2 * count} subscribers{', the second time' if again else ''}", full, "MB")
        report.say("more open files after they left than before", max(0, server.files() - files), "", 0)
    report.say("memory after they left", server.memory(), "MB")


async def gathered(server: Server, count: int, report: Report, told: bool) -> list[Subscriber]:
    """A crowd that has its first answers."""
    members: list[Subscriber] = []
    kinds = {"server-sent events": crowd.events, "WebSockets": crowd.socket}
    for name, open_one in kinds.items():
        before, began = server.memory(), time.perf_counter()
        some = await crowd.gather(lambda open_one=open_one: open_one(server.port, WATCHED), count)  # type: ignore[misc]
        await crowd.all_next(some)
        members += some
        if told:
            report.say(f"{count} subscribe over {name}", time.perf_counter() - began, "s")
            report.say("  memory of each", (server.memory() - before) * 1024 / count, "KB", EACH)
    return members


async def told(server: Server, project: Project, members: list[Subscriber], number: int) -> Told:
    """What it takes to tell all of a change of the data."""
    probe = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.probe", str(server.port), "3", stdout=asyncio.subprocess.PIPE
    )
    await asyncio.sleep(1)
    cpu, began = server.cpu(), time.perf_counter()
    project.change_data(number)
    await crowd.all_next(members)
    seconds, cpu = time.perf_counter() - began, server.cpu() - cpu
    kept = sorted(json.loads((await probe.communicate())[0]))
    return Told(seconds, cpu, kept[len(kept) * 99 // 100], kept[-1])


def report_told(changes: list[Told], report: Report) -> None:
    """Medians: the clients need as much of the machine as the server does."""
    report.say(
        f"a change (of {len(changes)}, the median): until all are told", median(one.seconds for one in changes), "s"
    )
    report.say("  CPU of the server for it", median(one.cpu for one in changes), "s")
    report.say("  kept answers meanwhile, 99 of 100 within", median(one.kept for one in changes), "ms", SLOW)
    report.say("  the slowest of them", median(one.slowest for one in changes), "ms")


async def until_gone(server: Server, files: int) -> None:
    """Until connections are closed, or ten seconds have passed."""
    end = time.monotonic() + 10
    while server.files() > files and time.monotonic() < end:
        await asyncio.sleep(0.1)


# --- a flood ----------------------------------------------------------------------------------------------------------


async def soak(server: Server, project: Project, seconds: float, report: Report, console: Console) -> None:
    """Distinct questions for so long, while data and model change; memory over time."""
    end, numbers = time.monotonic() + seconds, itertools.count()
    clients = [
        asyncio.create_task(flood(server.port, project, numbers, lambda: time.monotonic() >= end))
        for _ in range(CLIENTS)
    ]
    memory: list[float] = []
    with progress(console, "flooding", seconds) as (bar, task):
        changed = time.monotonic()
        while time.monotonic() < end and not any(client.done() for client in clients):
            await asyncio.sleep(1)
            memory.append(server.memory())
            bar.update(task, advance=1, description=f"flooding: {memory[-1]:.0f} MB")
            if time.monotonic() - changed > CHANGES:
                changed = time.monotonic()
                project.change_data(len(memory))
                project.change_model(len(memory))
    seen = sum((Counter(one) for one in await asyncio.gather(*clients)), Counter[int]())
    for status, count in sorted(seen.items()):
        report.say(f"answers with status {status}", count, "")
    tenth = max(1, len(memory) // 10)
    for start in range(0, len(memory), tenth):
        report.say(f"memory after {start + 1} s", memory[start], "MB")
    third = max(1, len(memory) // 3)
    report.say("memory at most", max(memory), "MB", MOST)
    report.say(
        "memory of the last third, to the one before",
        mean(memory[-third:]) / mean(memory[third:-third] or memory),
        "",
        GROWTH,
    )


async def stop(server: Server, count: int, report: Report) -> None:
    """Stop while a crowd is there."""
    members = await gathered(server, count, report, told=False)
    began = time.perf_counter()
    server.process.terminate()
    await asyncio.to_thread(server.process.wait, 60)
    report.say(f"stopped with {len(members)} subscribers", time.perf_counter() - began, "s", STOP)
    await crowd.all_leave(members)


if __name__ == "__main__":
    main()
