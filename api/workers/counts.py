"""How many connections each worker has, known to all of them."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

AWAY = (1 << 63) - 1
"""The connections of one who accepts none."""


class Counts:
    """How many connections each worker has, in memory that all of them see."""

    def __init__(self, path: Path, workers: int) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(file, workers * 8)
        self._memory = mmap.mmap(file, workers * 8)
        os.close(file)
        self._counts = memoryview(self._memory).cast("q")

    def note(self, place: int, count: int) -> None:
        """What the worker in this place has; `AWAY` when there is none."""
        self._counts[place] = count

    def is_ahead(self, place: int) -> bool:
        """Whether it has more than another one."""
        return self._counts[place] > min(self._counts)
