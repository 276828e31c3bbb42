"""Locks between processes, which end with whoever holds them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform == "win32":

    @contextmanager
    def locked(file: int) -> Iterator[None]:
        """One process serves there, and needs no lock."""
        yield

else:
    import fcntl

    @contextmanager
    def locked(file: int) -> Iterator[None]:
        """Only one process at a time runs the block with this file; `file` is a descriptor of its own in each."""
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
