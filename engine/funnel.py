"""Funnels: each entity's events → its chosen attempts (semantics.md §1). Works on many entities at once, all in arrays.

A record is (code, period, depth, t1 … t_depth): the code and the entry period of the chosen attempt's first event, the
steps it filled, and (when asked for) when each was filled, in microseconds. An entity has one record, or with
`periods` one for each entry period; none when nothing opens an attempt. The depth is negative when an exclusion
removes the entity.

The chosen attempt is the deepest, then the one that starts first. Of those that start together: one that doesn't
remove the entity, then that of the lowest code, then that whose times come first. So rows may come in any order.
"""

from __future__ import annotations

import numpy as np

from engine.jit import kernel
from engine.ordered import deepest, earliest_start, follow, follow_first
from engine.single import exclude, follow_strict
from engine.tie import Ints, earlier
from engine.unordered import distinct_steps

STEPS, WINDOW, ORDER, FIRST, PERIODS, START, TIMES, PASSIVE = range(8)
"""Places in a spec.

FIRST: only the first instant opens attempts. START: the record's code matters. TIMES: its times do.
"""

ORDERED, STRICT, ANY = range(3)


@kernel
def solve(
    time: Ints, mask: Ints, code: Ints, period: Ints, held: Ints, offsets: Ints, spec: Ints, rules: Ints
) -> tuple[Ints, Ints, Ints]:
    """Records of all entities: (numbers, where each record begins, where each entity's records begin).

    Entity i's events are offsets[i] … offsets[i+1]-1, in time order. Bit `steps` of a mask: the event opens an attempt.
    `held`: a number for what all steps of an attempt must share, 0 where it is not known; empty when nothing is held.
    """
    steps = spec[STEPS]
    bound = len(time) if spec[PERIODS] else len(offsets) - 1
    numbers = np.empty(bound * (3 + steps * spec[TIMES]), np.int64)
    records = np.zeros(bound + 1, np.int64)
    owners = np.zeros(len(offsets), np.int64)
    times = np.empty(steps + 1, np.int64)
    own = np.empty(len(held), np.int64)
    count = 0
    for entity in range(len(offsets) - 1):
        low, high = offsets[entity], offsets[entity + 1]
        at = low
        while at < high:
            begin, stop, end = _run(time, mask, period, at, high, spec)
            if begin < 0:
                break
            depth, start = _choose(time, mask, code, held, own, low, high, begin, stop, spec, rules, times)
            if depth != 0:
                count = _write(numbers, records, count, code[start], period[start], depth, times, spec)
            at = end
        owners[entity + 1] = count
    return numbers[: records[count]], records[: count + 1], owners


@kernel
def _run(time: Ints, mask: Ints, period: Ints, low: int, high: int, spec: Ints) -> tuple[int, int, int]:
    """The next events that open attempts counted together: (the first of them, after the last, where to go on); the
    first is -1 when there is none. All of an entity, or of one period, or of the first instant.
    """
    begin = low
    while begin < high and not (mask[begin] >> spec[STEPS]) & 1:
        begin += 1
    if begin == high:
        return -1, high, high
    stop = high
    if spec[FIRST]:
        stop = begin + 1
        while stop < high and time[stop] == time[begin]:
            stop += 1
        return begin, stop, high
    if spec[PERIODS]:
        stop = begin + 1
        while stop < high and not ((mask[stop] >> spec[STEPS]) & 1 and period[stop] != period[begin]):
            stop += 1
    return begin, stop, stop


@kernel
def _choose(
    time: Ints,
    mask: Ints,
    code: Ints,
    held: Ints,
    own: Ints,
    low: int,
    high: int,
    begin: int,
    stop: int,
    spec: Ints,
    rules: Ints,
    times: Ints,
) -> tuple[int, int]:
    """The steps that the chosen attempt fills and the event that opens it: the deepest, then the earliest. Events from
    `begin` to before `stop` whose bit says so may open it.
    """
    steps, window = spec[STEPS], spec[WINDOW]
    while begin > low and time[begin - 1] == time[begin]:
        begin -= 1
    last = stop - 1
    while not (mask[last] >> steps) & 1:
        last -= 1
    until = last + 1
    while until < high and time[until] - time[last] <= window:
        until += 1
    if spec[ORDER] != ORDERED or rules.shape[0] > 0 or len(held) > 0:
        return _best(time, mask, code, held, own, low, begin, stop, until, spec, rules, times)
    depth = deepest(time, mask, begin, stop, until, steps, window, times)
    start = last
    if spec[START] or spec[TIMES]:
        start = earliest_start(time, mask, code, begin, stop, until, steps, depth, window, times[steps], times)
    if spec[TIMES]:
        follow_first(time, mask, code, start, begin, stop, until, steps, depth, window, times)
    return depth, start


@kernel
def _best(
    time: Ints,
    mask: Ints,
    code: Ints,
    held: Ints,
    own: Ints,
    low: int,
    begin: int,
    stop: int,
    until: int,
    spec: Ints,
    rules: Ints,
    times: Ints,
) -> tuple[int, int]:
    """As `_choose`, by trying every start; the depth is negative when the chosen attempt removes its entity."""
    steps, window = spec[STEPS], spec[WINDOW]
    tried = np.empty(steps + 1, np.int64)
    best, chosen, gone = 0, begin, False
    for event in range(begin, stop):
        if not (mask[event] >> steps) & 1:
            continue
        if best == steps and not gone and time[event] > time[chosen]:
            break
        if spec[ORDER] == ANY:
            depth = distinct_steps(time, mask, held, own, event, low, until, steps, window, tried)
        elif spec[ORDER] == STRICT:
            depth = follow_strict(time, mask, held, own, event, begin, until, steps, window, spec[PASSIVE], tried)
        else:
            depth = follow(time, mask, held, own, event, begin, until, steps, window, tried)
        depth, removed = exclude(time, mask, event, until, window, rules, depth, tried)
        better = depth > best
        if depth == best and time[event] == time[chosen]:
            if removed != gone:
                better = gone
            elif code[event] != code[chosen]:
                better = code[event] < code[chosen]
            else:
                better = earlier(tried, times, depth)
        if better:
            best, chosen, gone = depth, event, removed
            times[:depth] = tried[:depth]
    return (-best if gone else best), chosen


@kernel
def _write(
    numbers: Ints, records: Ints, count: int, code: int, period: int, depth: int, times: Ints, spec: Ints
) -> int:
    """Append one record; the number of records then."""
    at = records[count]
    numbers[at] = code
    numbers[at + 1] = period
    numbers[at + 2] = depth
    at += 3
    if spec[TIMES]:
        numbers[at : at + abs(depth)] = times[: abs(depth)]
        at += abs(depth)
    records[count + 1] = at
    return count + 1
