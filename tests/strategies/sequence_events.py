"""Events of single entities, as the funnel kernel sees them: few instants, so many ties; steps that overlap."""

from __future__ import annotations

from semantic.model.sequence import FunnelOrder
from tests.reference.attempts import Event, Exclusion, Rules
from tests.strategies.choices import Choices

PERIOD_LENGTH = 5
"""Time units in an entry period of these events."""


ENDLESS = 1 << 61
"""A window without an end."""


def make_rules(choices: Choices, order: FunnelOrder) -> Rules:
    """Two to five steps; windows from nothing to more than there is."""
    steps = 2 + choices.below(4)
    count = choices.pick((0, 0, 1, 2))
    return Rules(
        steps=steps,
        window=choices.pick((3, 0, 1, 5, 9, ENDLESS)),
        order=order,
        first=choices.chance(4),
        exclusions=tuple(_exclusion(choices, steps, order is FunnelOrder.ANY) for _ in range(count)),
    )


def _exclusion(choices: Choices, steps: int, whole: bool) -> Exclusion:
    first = 0 if whole else choices.below(steps - 1)
    last = steps - 1 if whole else first + 1 + choices.below(steps - first - 1)
    return Exclusion(first, last, choices.chance(2))


def make_events(choices: Choices, rules: Rules) -> list[Event]:
    """Zero to nine events in time order. Half of the lists have steps that no event shares, half have ones that do."""
    span = choices.pick((6, 2, 12, 4))
    overlapping = choices.chance(2)
    begin = choices.pick((0, 0, -3, 10**15))
    times = sorted(begin + choices.below(span) for _ in range(choices.below(10)))
    return [_event(choices, rules, time, overlapping) for time in times]


def _event(choices: Choices, rules: Rules, time: int, overlapping: bool) -> Event:
    places = range(rules.steps)
    steps = frozenset(choices.some(places, 0, 3 if overlapping else 1))
    can_open = bool(steps) if rules.order is FunnelOrder.ANY else 0 in steps
    return Event(
        time=time,
        steps=steps,
        opens=can_open and not choices.chance(6),
        passive=choices.chance(3),
        excluded=frozenset(number for number in range(len(rules.exclusions)) if choices.chance(4)),
        held=choices.below(2),
        value=(time // PERIOD_LENGTH, choices.below(3)),
    )
