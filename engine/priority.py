"""Who goes first on a core: the event loop, which has little to do at a time, or a query, which has much."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

STEPS = 10
"""Of niceness, by which queries stand back. It is between the threads of a process and others of its control group."""


def stand_back() -> None:
    """Let others go before the thread that calls, and before those that it starts. Where threads have no priority of
    their own (all but Linux), nothing changes.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + STEPS))


def standing_back(work: Callable[[], T]) -> T:
    """What `work` returns, run in a thread of its own that stands back: so do all threads that are started by it."""
    with ThreadPoolExecutor(1, initializer=stand_back) as thread:
        return thread.submit(work).result()
