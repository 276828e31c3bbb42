"""How a funnel's events are packed into numbers for the kernel, and what tells it what to do (both sides import this).

A wide event is a HUGEINT: time · 2^64 + code · 2^(bits+PERIOD_BITS) + period · 2^bits + mask. A narrow one is a BIGINT:
(time - base) · 2^bits + mask. Times are microseconds; a mask's `bits` are the steps, then `opens`, then the exclusions,
then `passive`: 21 at most, so that there is room for a million codes, and for billions in a funnel of few steps.

A list has the events of one entity, or (MANY) those of all entities that share a hash. Then an event is a HUGEINT,
entity · 2^NARROW_BITS + (time - base) · 2^(bits+room) + code · 2^bits + mask. Where its code is too large for `room`
bits, or there is a period, all ones stand there, and the next of a second list is code · 2^PERIOD_BITS + period. Few
long lists are made three times as fast as many short ones; the second is seldom needed, and costs half as much again.

With HELD, beside the wide events of an entity stands a list of numbers, one for each value that all steps of an attempt
must share, 0 where it is not known.

A spec is a list of numbers: steps, window, order, first, periods, start, times, passive (as engine/funnel.py names
them), then the bits of a mask and the room for a code, then four for each exclusion.
"""

from __future__ import annotations

from datetime import datetime, timedelta

FUNNEL = "headwater_funnel"
FUNNEL_NARROW = "headwater_funnel_narrow"
FUNNEL_MANY = "headwater_funnel_many"
FUNNEL_HELD = "headwater_funnel_held"

GROUPS, LONGEST = 4096, 25_000
"""Lists that entities are divided among: few enough to stay in a core's cache while they grow. More, when otherwise
they would have more events than this on average: half of 4096 are put to the kernel at a time.
"""

NARROW_BITS = 63
"""Bits of a narrow event: a time beyond them fails to be shifted."""
PERIOD_BITS = 22
CODE_BITS = 20
"""The most room for a code in a narrow event."""

SPEC_HEAD = 10
"""Numbers of a spec before its exclusions."""

RECORD_HEAD = 3
"""Numbers of a record before its times: code, period, depth. With MANY, the entity stands before them."""


def groups_of(events: int) -> int:
    """How many lists for about so many events: a power of two."""
    groups = GROUPS
    while events > groups * LONGEST:
        groups *= 2
    return groups


def micros_of(instant: datetime) -> int:
    """Microseconds since 1970 of a naive UTC instant."""
    return (instant - datetime(1970, 1, 1)) // timedelta(microseconds=1)
