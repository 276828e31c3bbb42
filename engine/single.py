"""One attempt at a time: strict order and exclusions, where what happens between the steps matters."""

from __future__ import annotations

import numpy as np

from engine.jit import kernel
from engine.ordered import group_end
from engine.tie import Ints, advance, seen_by

DROP_OFF = 0
REMOVE = 1


@kernel
def follow_strict(
    time: Ints,
    mask: Ints,
    held: Ints,
    own: Ints,
    start: int,
    low: int,
    high: int,
    steps: int,
    window: int,
    passive: int,
    times: Ints,
) -> int:
    """Fill steps by the very next events: the steps filled, and in `times` when each was.

    Repeats of the current step collapse; events whose bit `passive` is set don't break the run. Within an instant the
    order is free, so an event that breaks the run does so after the instant's steps; in the start's own instant none
    breaks it.
    """
    at = start
    while at > low and time[at - 1] == time[start]:
        at -= 1
    depth = 1
    times[0] = time[start]
    first = True
    while at < high and depth < steps and time[at] - time[start] <= window:
        end = group_end(time, at, high)
        before = depth
        seen = seen_by(mask, held, start, at, end, steps, own)
        more = advance(seen, at, end, start if first else -1, depth, steps - 1)
        for filled in range(depth, depth + more):
            times[filled] = time[at]
        depth += more
        if not first:
            absorbed = ((np.int64(1) << depth) - 1) & ~((np.int64(1) << (before - 1)) - 1)
            if passive >= 0:
                absorbed |= np.int64(1) << passive
            for event in range(at, end):
                if not seen[event] & absorbed:
                    return depth
        first = False
        at = end
    return depth


@kernel
def exclude(
    time: Ints, mask: Ints, low: int, high: int, window: int, rules: Ints, depth: int, times: Ints
) -> tuple[int, bool]:
    """The steps that are left when exclusions have ended an attempt, and whether one with the effect REMOVE did.

    `rules` rows: (bit, from step, to step, effect), steps from 0. Only events strictly between the two steps'
    instants count (when the later step was not reached: before the window ends).
    """
    left = depth
    removed = False
    for rule in range(rules.shape[0]):
        bit, begin, to, effect = rules[rule, 0], rules[rule, 1], rules[rule, 2], rules[rule, 3]
        if depth <= begin:
            continue
        until = times[to] if depth > to else (FOREVER_END if window >= FOREVER_END else times[0] + window)
        at = low
        while at < high and time[at] <= times[begin]:
            at += 1
        while at < high and time[at] < until:
            if (mask[at] >> bit) & 1:
                kept = 0
                while kept < depth and times[kept] <= time[at]:
                    kept += 1
                left = min(left, kept)
                removed = removed or effect == REMOVE
                break
            at += 1
    return left, removed


FOREVER_END = np.int64(1 << 61)
"""Windows this long have no end."""
