"""Solves lists that hold the events of many entities: a list at a time, in memory that stays in a core's cache."""

from __future__ import annotations

import numpy as np

from engine.funnel import solve
from engine.jit import kernel
from engine.order import sort_each
from engine.tie import Ints
from semantic.sql.packing import NARROW_BITS, PERIOD_BITS, SPEC_HEAD

ABOVE = 64 - NARROW_BITS
"""Bits of an entity that stand in the lower half of a word."""
NARROW = np.int64((1 << NARROW_BITS) - 1)
"""The bits of a word that are not of its entity."""
BITS, ROOM = SPEC_HEAD - 2, SPEC_HEAD - 1
"""Places in a spec: the bits of a mask, and those for a code behind it."""
FREE = -1
"""A slot without an entity."""


@kernel
def solve_groups(
    words: Ints, labels: Ints, offsets: Ints, places: Ints, spec: Ints, rules: Ints
) -> tuple[Ints, Ints, Ints]:
    """As `solve`, for the lists of words offsets[i] … offsets[i+1]-1; each record begins with its entity.

    A word is the lower and the upper half of an entity's event. `labels`, from places[i] to places[i+1]-1 of a list:
    code and period of each event that has no room for its code. All are 0 when there are neither labels nor room.
    """
    labelled = len(labels) > 0 or spec[ROOM] > 0
    longest = 0
    for group in range(len(offsets) - 1):
        longest = max(longest, offsets[group + 1] - offsets[group])
    time, tag, mask = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int64)
    code, period = np.zeros(longest, np.int64), np.zeros(longest, np.int64)
    owner, begin = np.empty(longest, np.int64), np.empty(longest + 1, np.int64)
    slots, owned = np.empty(_slots(longest), np.int64), np.empty(longest, np.int64)
    numbers, edges = np.empty(1024, np.int64), np.zeros(1024, np.int64)
    owners = np.zeros(len(offsets), np.int64)
    nothing = np.empty(0, np.int64)
    count = 0
    for group in range(len(offsets) - 1):
        low, high = offsets[group], offsets[group + 1]
        size = high - low
        entities = _number(words, low, high, slots, owned, begin, owner)
        _place(words, low, high, labels, places[group + 1], labelled, spec, owned, begin, time, tag)
        sort_each(time[:size], tag[:size], begin[: entities + 1])
        seen = tag
        if labelled:
            _unpack(tag, size, spec[BITS], mask, code, period)
            seen = mask
        found, records, whose = solve(
            time[:size], seen[:size], code[:size], period[:size], nothing, begin[: entities + 1], spec, rules
        )
        edges = _room(edges, count + 1, len(records))
        numbers = _room(numbers, edges[count], len(found) + len(records))
        count = _append(found, records, whose, owner, numbers, edges, count)
        owners[group + 1] = count
    return numbers[: edges[count]], edges[: count + 1], owners


@kernel
def _slots(events: int) -> int:
    size = 1
    while size < 2 * events:
        size *= 2
    return size


@kernel
def _number(words: Ints, low: int, high: int, slots: Ints, owned: Ints, begin: Ints, owner: Ints) -> int:
    """Number the entities of one list in the order they come: in `owned` that of each event, in `owner` who they are,
    in `begin` where each one's events will end, and after them the end of all. Returns how many there are.
    """
    last = _slots(high - low) - 1
    slots[: last + 1] = FREE
    found = 0
    for event in range(low, high):
        who = words[event, 1] << ABOVE | (words[event, 0] >> NARROW_BITS) & ((1 << ABOVE) - 1)
        slot = (who ^ (who >> 9) ^ (who >> 21) ^ (who >> 33) ^ (who >> 45)) & last
        while slots[slot] != FREE and owner[slots[slot]] != who:
            slot = (slot + 1) & last
        if slots[slot] == FREE:
            slots[slot] = found
            owner[found] = who
            begin[found] = 0
            found += 1
        begin[slots[slot]] += 1
        owned[event - low] = slots[slot]
    total = 0
    for entity in range(found):
        total += begin[entity]
        begin[entity] = total
    begin[found] = total
    return found


@kernel
def _place(
    words: Ints,
    low: int,
    high: int,
    labels: Ints,
    left: int,
    labelled: bool,
    spec: Ints,
    owned: Ints,
    begin: Ints,
    time: Ints,
    tag: Ints,
) -> None:
    """Put each entity's events side by side, in the order they came. `left`: where the list's labels end.

    From the last to the first: `begin` moves down with them, from where an entity's events end to where they begin.
    """
    bits, room = spec[BITS], spec[ROOM]
    masked, beside = (np.int64(1) << bits) - 1, (np.int64(1) << room) - 1
    for event in range(high - 1, low - 1, -1):
        entity = owned[event - low]
        begin[entity] -= 1
        to = begin[entity]
        narrow = words[event, 0] & NARROW
        time[to] = narrow >> (bits + room)
        tag[to] = narrow & masked
        if labelled:
            code = (narrow >> bits) & beside
            if code == beside:
                left -= 1
                tag[to] |= labels[left] << bits
            else:
                tag[to] |= code << (bits + PERIOD_BITS)


@kernel
def _unpack(tag: Ints, size: int, bits: int, mask: Ints, code: Ints, period: Ints) -> None:
    for event in range(size):
        mask[event] = tag[event] & ((np.int64(1) << bits) - 1)
        period[event] = (tag[event] >> bits) & ((1 << PERIOD_BITS) - 1)
        code[event] = tag[event] >> (bits + PERIOD_BITS)


@kernel
def _room(array: Ints, used: int, more: int) -> Ints:
    """The array, or a longer one that begins like it, with room for more numbers."""
    if used + more <= len(array):
        return array
    longer = np.zeros(2 * (used + more), np.int64)
    longer[:used] = array[:used]
    return longer


@kernel
def _append(found: Ints, records: Ints, whose: Ints, owner: Ints, numbers: Ints, edges: Ints, count: int) -> int:
    """Append the records of a list, each behind its entity. Returns how many there are then."""
    at = edges[count]
    for entity in range(len(whose) - 1):
        for record in range(whose[entity], whose[entity + 1]):
            numbers[at] = owner[entity]
            at += 1
            for number in range(records[record], records[record + 1]):
                numbers[at] = found[number]
                at += 1
            count += 1
            edges[count] = at
    return count
