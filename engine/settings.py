"""What an operator may set about the engine. Times are seconds, sizes bytes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1024 * 1024


def cores() -> int:
    """The cores this process may use (a container's limit is not seen: set `threads` there)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How the engine runs.

    `threads`: of DuckDB, for all queries together. `memory_limit`: of DuckDB; None is four fifths of the machine's.
    `spill_directory`: where a query that outgrows it writes; None is the system's temporary folder.
    `concurrent`: queries that run at the same time; `queue_length` more wait, in the order they came.
    `deadline_seconds`: for waiting and running together; 0 is none. `linger_seconds`: for so long a query goes on after
    its deadline, so that its answer is there when it is asked for again; 0: it is stopped.
    `cache_bytes`: for finished answers; 0 keeps none.
    `freshness_check`: for so long the files are not looked at again; 0 looks before every query.
    `settle_seconds`: files younger than this may still be in the middle of a replacement, and are waited for.
    `read_attempts`: how often a query whose files change under it is run before it fails.
    `confined`: no link may lead out of the folder that sources start from.
    `processes`: that serve together, each with an engine of its own. The memory of the machine, and what one caller may
    run at the same time, is for all of them.
    """

    threads: int = field(default_factory=cores)
    memory_limit: int | None = None
    spill_directory: Path | None = None
    concurrent: int = field(default_factory=cores)
    queue_length: int = 200
    deadline_seconds: float = 30.0
    linger_seconds: float = 0.0
    cache_bytes: int = 256 * MIB
    freshness_check: float = 1.0
    settle_seconds: float = 0.1
    read_attempts: int = 3
    confined: bool = False
    processes: int = 1
