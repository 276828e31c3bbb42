"""Funnels in any order: how many distinct steps happen within one window after an opening event."""

from __future__ import annotations

import numpy as np

from engine.jit import kernel
from engine.tie import Ints, seen_by


@kernel
def _place(mask: Ints, event: int, steps: int, owner: Ints, seen: Ints) -> bool:
    """Give an event a step of its own, moving other events to other steps where needed (Kuhn's algorithm)."""
    seen[:steps] = 0
    stack_event = np.empty(steps + 1, np.int64)
    stack_step = np.empty(steps + 1, np.int64)
    depth = 0
    stack_event[0] = event
    stack_step[0] = 0
    while depth >= 0:
        step = stack_step[depth]
        if step >= steps:
            depth -= 1
            if depth >= 0:
                stack_step[depth] += 1
            continue
        if seen[step] or not (mask[stack_event[depth]] >> step) & 1:
            stack_step[depth] += 1
            continue
        seen[step] = 1
        if owner[step] < 0:
            for level in range(depth, -1, -1):
                owner[stack_step[level]] = stack_event[level]
            return True
        depth += 1
        stack_event[depth] = owner[step]
        stack_step[depth] = 0
    return False


@kernel
def distinct_steps(
    time: Ints,
    mask: Ints,
    held: Ints,
    own: Ints,
    start: int,
    low: int,
    high: int,
    steps: int,
    window: int,
    times: Ints,
) -> int:
    """Distinct steps filled by events of the window that `start` opens, one event for each; in `times` when each new
    one was. Events of the start's own instant are in the window, whatever their place. `held`, `own`: tie.py.
    """
    owner = np.full(steps, -1, np.int64)
    seen = np.zeros(steps, np.int64)
    at = start
    while at > low and time[at - 1] == time[start]:
        at -= 1
    count = 0
    while at < high and count < steps and time[at] - time[start] <= window:
        if _place(seen_by(mask, held, start, at, at + 1, steps, own), at, steps, owner, seen):
            times[count] = time[at]
            count += 1
        at += 1
    return count
