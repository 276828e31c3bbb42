"""Ordered funnels: the deepest attempt of one entity, and the earliest start that reaches as deep. One pass each way.

Forward, `latest[k]` is the latest start of an attempt that has filled step k: of all such attempts it has the most
window left, so no other needs to be remembered. Backward, `ends[k]` is the earliest instant at which steps k to the
deepest can be filled from here on: a start is good when that instant lies in its window. Events of one instant are
taken together (tie.py). Steps are counted from 0; times are microseconds; a mask's bit k says that the event matches
step k, its bit `steps` that the event opens an attempt.
"""

from __future__ import annotations

import numpy as np

from engine.jit import kernel
from engine.tie import Ints, advance, earlier, seen_by

NEVER = np.int64(-(1 << 62))
FOREVER = np.int64(1 << 62)


@kernel
def group_end(time: Ints, low: int, high: int) -> int:
    """The index after the last event of the instant that begins at `low`."""
    end = low + 1
    while end < high and time[end] == time[low]:
        end += 1
    return end


@kernel
def deepest(time: Ints, mask: Ints, low: int, stop: int, high: int, steps: int, window: int, latest: Ints) -> int:
    """Steps filled by the deepest attempt among events low … high-1, of which those before `stop` may open one.

    The instant at which it was first that deep is left in latest[steps].
    """
    for step in range(steps):
        latest[step] = NEVER
    later = (np.int64(1) << steps) - 2
    found = 0
    at = low
    while at < high and found < steps:
        end = at + 1
        now = time[at]
        before = found
        if end == high or time[end] > now:
            bits = mask[at]
            if bits & later:
                for step in range(steps - 1, 0, -1):
                    start = latest[step - 1]
                    if (bits >> step) & 1 and start > latest[step] and now - start <= window:
                        latest[step] = start
                        found = max(found, step + 1)
            if (bits >> steps) & 1 and at < stop:
                latest[0] = now
                found = max(found, 1)
        else:
            end = group_end(time, at, high)
            found = max(found, _tied(time, mask, at, end, stop, steps, window, latest))
        if found > before:
            latest[steps] = now
        at = end
    return found


@kernel
def _tied(time: Ints, mask: Ints, low: int, high: int, stop: int, steps: int, window: int, latest: Ints) -> int:
    now = time[low]
    before = latest[:steps].copy()
    found = 0
    for step in range(steps - 1):
        start = before[step]
        if start == NEVER or now - start > window or before[step + 1] == start:
            continue
        more = advance(mask, low, high, -1, step + 1, steps - 1)
        for filled in range(step + 1, step + 1 + more):
            latest[filled] = max(latest[filled], start)
            found = max(found, filled + 1)
    for event in range(low, min(high, stop)):
        if (mask[event] >> steps) & 1:
            more = advance(mask, low, high, event, 1, steps - 1)
            for filled in range(1 + more):
                latest[filled] = now
            found = max(found, 1 + more)
    return found


@kernel
def earliest_start(
    time: Ints,
    mask: Ints,
    code: Ints,
    low: int,
    stop: int,
    high: int,
    steps: int,
    depth: int,
    window: int,
    reached: int,
    ends: Ints,
) -> int:
    """The event that opens the earliest attempt of `depth` filled steps; of several at one instant, of the lowest code.

    `reached`: the instant at which the first attempt was that deep. Whoever starts earlier gets there no later, and
    nobody got there before: so the first that opens within a window of it is good.
    """
    event = low
    while time[event] < reached - window or not (mask[event] >> steps) & 1:
        event += 1
    alone = (event == low or time[event - 1] < time[event]) and (event + 1 == high or time[event + 1] > time[event])
    if alone:
        return event
    return _earliest(time, mask, code, low, stop, high, steps, depth, window, ends)


@kernel
def _earliest(
    time: Ints, mask: Ints, code: Ints, low: int, stop: int, high: int, steps: int, depth: int, window: int, ends: Ints
) -> int:
    """As `earliest_start`, where one instant's events compete: backward over all of them."""
    ends[: depth + 1] = FOREVER
    best = -1
    after = high
    while after > low:
        at = after - 1
        while at > low and time[at - 1] == time[after - 1]:
            at -= 1
        now = time[at]
        chosen = -1
        for event in range(at, min(after, stop)):
            if not (mask[event] >> steps) & 1:
                continue
            more = advance(mask, at, after, event, 1, depth - 1) if after > at + 1 else 0
            good = 1 + more >= depth or ends[1 + more] - now <= window
            if good and (chosen < 0 or code[event] < code[chosen]):
                chosen = event
        if chosen >= 0:
            best = chosen
        for step in range(1, depth):
            more = advance(mask, at, after, -1, step, depth - 1)
            if more:
                ends[step] = now if step + more >= depth else min(ends[step], ends[step + more])
        after = at
    return best


@kernel
def follow_first(
    time: Ints,
    mask: Ints,
    code: Ints,
    start: int,
    low: int,
    stop: int,
    high: int,
    steps: int,
    depth: int,
    window: int,
    times: Ints,
) -> None:
    """When the chosen attempt fills its steps: of those that get as deep as the one that `start` opens, from the same
    instant with the same code, the one whose times come first.
    """
    none = mask[:0]
    follow(time, mask, none, none, start, low, high, steps, window, times)
    first, last = start, start + 1
    while first > low and time[first - 1] == time[start]:
        first -= 1
    while last < stop and time[last] == time[start]:
        last += 1
    for other in range(first, last):
        if other != start and (mask[other] >> steps) & 1 and code[other] == code[start]:
            tried = np.empty(steps, np.int64)
            reached = follow(time, mask, none, none, other, low, high, steps, window, tried)
            if reached == depth and earlier(tried, times, depth):
                times[:depth] = tried[:depth]


@kernel
def follow(
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
    """Fill steps greedily from one start: the steps filled, and in `times` when each was. `held`, `own`: tie.py."""
    at = start
    while at > low and time[at - 1] == time[start]:
        at -= 1
    depth = 1
    times[0] = time[start]
    skip = start
    while at < high and depth < steps and time[at] - time[start] <= window:
        end = group_end(time, at, high)
        seen = seen_by(mask, held, start, at, end, steps, own)
        more = advance(seen, at, end, skip, depth, steps - 1)
        for filled in range(depth, depth + more):
            times[filled] = time[at]
        depth += more
        skip = -1
        at = end
    return depth
