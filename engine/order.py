"""Puts each entity's events in time order, in place."""

from __future__ import annotations

import numpy as np

from engine.jit import kernel
from engine.tie import Ints

SHORT = 48
"""Lists up to this long are sorted by insertion: they arrive nearly in order."""


@kernel
def sort_each(time: Ints, tag: Ints, offsets: Ints) -> None:
    """Sort times, and tags with them, within each list."""
    for entity in range(len(offsets) - 1):
        low, high = offsets[entity], offsets[entity + 1]
        if high - low > SHORT:
            order = np.argsort(time[low:high])
            time[low:high] = time[low:high][order]
            tag[low:high] = tag[low:high][order]
            continue
        for event in range(low + 1, high):
            moment, what = time[event], tag[event]
            place = event
            while place > low and time[place - 1] > moment:
                time[place] = time[place - 1]
                tag[place] = tag[place - 1]
                place -= 1
            time[place] = moment
            tag[place] = what
