"""Puts each entity's events in time order, in place.

They arrive as a few runs that are in order already, one from each thread that read files: runs are found and merged.
"""

from __future__ import annotations

import numpy as np

from engine.jit import kernel
from engine.tie import Ints

SHORT = 12
"""Lists up to this long are sorted by insertion."""
RUN = 4
"""Lists whose runs are shorter than this on average are in no order: they are sorted from scratch."""


@kernel
def sort_each(time: Ints, tag: Ints, offsets: Ints) -> None:
    """Sort times, and tags with them, within each list."""
    longest = 0
    for entity in range(len(offsets) - 1):
        longest = max(longest, offsets[entity + 1] - offsets[entity])
    spare = np.empty((2, longest), np.int64)
    edges = np.empty(longest // RUN + 2, np.int64)
    for entity in range(len(offsets) - 1):
        low, high = offsets[entity], offsets[entity + 1]
        if high - low <= SHORT:
            _insert(time, tag, low, high)
            continue
        runs = _runs(time, low, high, edges)
        if runs < 0:
            order = np.argsort(time[low:high])
            time[low:high] = time[low:high][order]
            tag[low:high] = tag[low:high][order]
        while runs > 1:
            runs = _merge_pairs(time, tag, high, runs, edges, spare)


@kernel
def _insert(time: Ints, tag: Ints, low: int, high: int) -> None:
    for event in range(low + 1, high):
        moment, what = time[event], tag[event]
        place = event
        while place > low and time[place - 1] > moment:
            time[place] = time[place - 1]
            tag[place] = tag[place - 1]
            place -= 1
        time[place] = moment
        tag[place] = what


@kernel
def _runs(time: Ints, low: int, high: int, edges: Ints) -> int:
    """How many runs are in order, with where each begins and the end in `edges`; -1 when there are too many."""
    most = (high - low) // RUN
    edges[0] = low
    runs = 1
    for event in range(low + 1, high):
        if time[event] < time[event - 1]:
            if runs >= most:
                return -1
            edges[runs] = event
            runs += 1
    edges[runs] = high
    return runs


@kernel
def _merge_pairs(time: Ints, tag: Ints, high: int, runs: int, edges: Ints, spare: Ints) -> int:
    """Merge the first run with the second, the third with the fourth, …; how many are left then."""
    left = 0
    for run in range(0, runs, 2):
        if run + 1 < runs:
            _merge(time, tag, edges[run], edges[run + 1], edges[run + 2], spare)
        edges[left] = edges[run]
        left += 1
    edges[left] = high
    return left


@kernel
def _merge(time: Ints, tag: Ints, low: int, middle: int, high: int, spare: Ints) -> None:
    """Bring two neighbouring runs in order, [low, middle) and [middle, high), together."""
    count = middle - low
    for event in range(count):
        spare[0, event] = time[low + event]
        spare[1, event] = tag[low + event]
    left, right, place = 0, middle, low
    while left < count:
        if right < high and time[right] < spare[0, left]:
            time[place] = time[right]
            tag[place] = tag[right]
            right += 1
        else:
            time[place] = spare[0, left]
            tag[place] = spare[1, left]
            left += 1
        place += 1
