"""Events at one instant: how many consecutive steps they can fill, one event for each step, in any order.

A funnel's steps may match the same events. Within one instant the order is free, so the question is a matching of
steps with events; everywhere else time decides.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.jit import kernel

Ints = npt.NDArray[np.int64]


@kernel
def _augment(mask: Ints, low: int, high: int, skip: int, step: int, owner: Ints, seen: Ints, mark: int) -> bool:
    """Find an event for a step, moving other steps to other events where needed (Kuhn's algorithm)."""
    stack_step = np.empty(high - low + 1, np.int64)
    stack_event = np.empty(high - low + 1, np.int64)
    depth = 0
    stack_step[0] = step
    stack_event[0] = low
    while depth >= 0:
        event = stack_event[depth]
        if event >= high:
            depth -= 1
            if depth >= 0:
                stack_event[depth] += 1
            continue
        wanted = stack_step[depth]
        if event == skip or seen[event - low] == mark or not (mask[event] >> wanted) & 1:
            stack_event[depth] += 1
            continue
        seen[event - low] = mark
        if owner[event - low] < 0:
            for level in range(depth, -1, -1):
                owner[stack_event[level] - low] = stack_step[level]
            return True
        depth += 1
        stack_step[depth] = owner[event - low]
        stack_event[depth] = low
    return False


@kernel
def seen_by(mask: Ints, held: Ints, start: int, low: int, high: int, steps: int, own: Ints) -> Ints:
    """The masks of events low … high-1 as the attempt that `start` opens sees them: what has another held value fills
    no step, though it breaks a run and excludes as it is. Nothing is held when `held` is empty; else `own` is written.
    """
    if len(held) == 0:
        return mask
    for event in range(low, high):
        own[event] = mask[event] if held[event] == held[start] else (mask[event] >> steps) << steps
    return own


@kernel
def earlier(times: Ints, others: Ints, depth: int) -> bool:
    """Whether the first `depth` times come before the others: the first that differs decides."""
    for step in range(depth):
        if times[step] != others[step]:
            return bool(times[step] < others[step])
    return False


@kernel
def advance(mask: Ints, low: int, high: int, skip: int, first: int, last: int) -> int:
    """The largest n such that steps first … first+n-1 (≤ last, counted from 0) can be filled by events low … high-1.

    `skip`: an event that is taken already, or -1.
    """
    union = np.int64(0)
    overlapping = False
    relevant = ((np.int64(1) << (last + 1)) - 1) & ~((np.int64(1) << first) - 1)
    for event in range(low, high):
        if event != skip:
            bits = mask[event] & relevant
            union |= bits
            if bits & (bits - 1):
                overlapping = True
    limit = 0
    while first + limit <= last and (union >> (first + limit)) & 1:
        limit += 1
    if not overlapping or limit <= 1:
        return limit
    owner = np.full(high - low, -1, np.int64)
    seen = np.full(high - low, -1, np.int64)
    for count in range(limit):
        if not _augment(mask, low, high, skip, first + count, owner, seen, count):
            return count
    return limit
