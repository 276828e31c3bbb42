"""One entity's attempts at a funnel, by trying everything (semantics.md §1).

An attempt is followed event by event; where the order of events is free, because they share an instant, every order is
tried. Steps are counted from 0, times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from semantic.model.sequence import FunnelOrder


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """What one row is to a funnel. Two events are never the same one, however alike.

    `held`: the values that every step must share; `day`: its local day; `excluded`: the exclusions it matches, by
    number; `value`: what its attempt is counted under, should it open one.
    """

    time: int
    steps: frozenset[int]
    opens: bool = False
    passive: bool = False
    excluded: frozenset[int] = frozenset()
    held: Any = None
    day: Any = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Nothing that matches it may happen between two steps."""

    from_step: int
    to_step: int
    removes: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What an attempt must obey. `window` None: the local day of the first step."""

    steps: int
    window: int | None
    order: FunnelOrder = FunnelOrder.ORDERED
    first: bool = False
    exclusions: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """The event that opened it, when each of its steps was filled, and whether an exclusion takes its entity out."""

    start: Event
    times: tuple[int, ...]
    removed: bool = False

    @property
    def depth(self) -> int:
        return len(self.times)


def chosen(events: Sequence[Event], rules: Rules) -> Attempt | None:
    """The attempt an entity is counted by: the deepest, then the earliest; None when nothing opens any.

    Of several that start at one instant, one that doesn't remove the entity, then the one whose value comes first (not
    set comes last), then the one whose times come first: so the order of rows decides nothing.
    """
    return min(attempts(events, rules), key=_rank, default=None)


def _rank(attempt: Attempt) -> tuple[Any, ...]:
    value = tuple((part is None, part) for part in attempt.start.value or ())
    return (-attempt.depth, attempt.start.time, attempt.removed, value, attempt.times)


def attempts(events: Sequence[Event], rules: Rules) -> Iterator[Attempt]:
    """The attempt of every event that opens one."""
    events = sorted(events, key=lambda event: event.time)
    opening = [event for event in events if event.opens]
    for start in opening:
        if not rules.first or start.time == opening[0].time:
            yield excluded(Attempt(start, filled(start, events, rules)), events, rules)


def filled(start: Event, events: Sequence[Event], rules: Rules) -> tuple[int, ...]:
    """When each step is filled by the attempt that an event opens."""
    later = [event for event in events if event.time >= start.time and _within(start, event, rules)]
    match rules.order:
        case FunnelOrder.ORDERED:
            found = list(_ordered(start, later, rules.steps, (start.time,), (start,)))
            return min(found, key=lambda times: (-len(times), times))
        case FunnelOrder.STRICT:
            return _strict(start, later, rules.steps)
        case FunnelOrder.ANY:
            return _any_order(start, later, rules.steps)


def _within(start: Event, event: Event, rules: Rules) -> bool:
    """Is an event in the window that another opens? Its last instant is."""
    if rules.window is None:
        return bool(event.day == start.day)
    return event.time - start.time <= rules.window


def _fills(event: Event, step: int, start: Event) -> bool:
    return step in event.steps and bool(event.held == start.held)


# --- in order --------------------------------------------------------------------------------------------------------


def _ordered(
    start: Event, events: Sequence[Event], steps: int, times: tuple[int, ...], used: tuple[Event, ...]
) -> Iterator[tuple[int, ...]]:
    """Every way to go on: the next step takes the earliest unused event that matches it, or any at the same instant."""
    step = len(times)
    ready = [event for event in events if step < steps and event.time >= times[-1] and _fills(event, step, start)]
    ready = [event for event in ready if event not in used]
    if not ready:
        yield times
        return
    earliest = [event for event in ready if event.time == min(other.time for other in ready)]
    for event in {event.steps: event for event in earliest}.values():  # those that match the same steps are alike
        yield from _ordered(start, events, steps, (*times, event.time), (*used, event))


# --- the very next event ---------------------------------------------------------------------------------------------


Kind = tuple[tuple[int, ...], bool]
"""What an event is to a strict run: the steps it can fill, and whether the run goes on although it fills none."""


def _strict(start: Event, events: Sequence[Event], steps: int) -> tuple[int, ...]:
    """Instant by instant; within one, the order of events that leads furthest.

    At the start's own instant what would break the run is passed over: it can just as well be before the start.
    """
    times = (start.time,)
    others = [event for event in events if event is not start]
    for time, group in groupby(others, key=lambda event: event.time):
        kinds = tuple(sorted(_kind(event, start) for event in group))
        reached, goes_on = max(_orders(kinds, len(times) - 1))
        times += (time,) * (reached + 1 - len(times))
        if len(times) == steps or not goes_on:
            break
    return times


def _kind(event: Event, start: Event) -> Kind:
    steps = event.steps if event.held == start.held else frozenset[int]()
    return tuple(sorted(steps)), event.passive or event.time == start.time


@cache
def _orders(left: tuple[Kind, ...], current: int) -> frozenset[tuple[int, bool]]:
    """What each order of an instant's events leads to: the step filled last, and whether the run goes on."""
    found = set() if left else {(current, True)}
    for kind in set(left):
        place = left.index(kind)
        rest = left[:place] + left[place + 1 :]
        steps, is_passed_over = kind
        if current + 1 in steps:
            found |= _orders(rest, current + 1)
        elif current in steps or is_passed_over:
            found |= _orders(rest, current)
        else:
            found.add((current, False))
    return frozenset(found)


# --- in any order ----------------------------------------------------------------------------------------------------


def _any_order(start: Event, events: Sequence[Event], steps: int) -> tuple[int, ...]:
    """When one, two, three … different steps have been filled, one event for each, in the best of all ways."""
    ways: set[frozenset[int]] = {frozenset()}
    times: list[int] = []
    for event in events:
        ways |= {way | {step} for way in ways for step in range(steps) if _fills(event, step, start)}
        while max(map(len, ways)) > len(times):
            times.append(event.time)
    return tuple(times)


# --- exclusions ------------------------------------------------------------------------------------------------------


def excluded(attempt: Attempt, events: Sequence[Event], rules: Rules) -> Attempt:
    """What exclusions leave of an attempt: the steps filled no later than the first excluded event."""
    times, removed = attempt.times, False
    for number, rule in enumerate(rules.exclusions):
        for event in events:
            if number in event.excluded and _lies_between(attempt, event, rule, rules):
                kept = tuple(time for time in attempt.times if time <= event.time)
                times = min(times, kept, key=len)
                removed = removed or rule.removes
    return Attempt(attempt.start, times, removed)


def _lies_between(attempt: Attempt, event: Event, rule: Exclusion, rules: Rules) -> bool:
    """After the one step and before the other or, when that was not filled, before the window ends."""
    if attempt.depth <= rule.from_step or event.time <= attempt.times[rule.from_step]:
        return False
    if attempt.depth > rule.to_step:
        return event.time < attempt.times[rule.to_step]
    if rules.window is None:
        return bool(event.day == attempt.start.day)
    return event.time < attempt.start.time + rules.window
