"""Compiles the funnel kernel ahead of time: `python -m engine.warm`. Without numba there is nothing to compile."""

from __future__ import annotations

import numpy as np


def warm() -> None:
    """Run the kernel once, in the types it is always called with. Loads numba, which takes a second and 100 MB."""
    from engine.funnel import solve
    from engine.order import sort_each

    time, tag = np.array([0, 1], np.int64), np.array([5, 2], np.int64)
    offsets = np.array([0, 2], np.int64)
    sort_each(time, tag, offsets)
    spec = np.array([2, 10, 0, 0, 0, 1, 1, -1], np.int64)
    none, rules = np.zeros(0, np.int64), np.zeros((0, 4), np.int64)
    solve(time, tag, np.zeros(2, np.int64), np.zeros(2, np.int64), none, offsets, spec, rules)


if __name__ == "__main__":
    from engine.jit import COMPILED

    warm()
    print("The funnel kernel is compiled." if COMPILED else "numba is not installed: funnels run as plain Python.")
