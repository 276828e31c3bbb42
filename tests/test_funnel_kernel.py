"""The funnel kernel against the reference, on many small lists of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.funnel import solve
from engine.order import sort_each
from semantic.model.sequence import FunnelOrder
from tests.reference.attempts import Attempt, Event, Rules, chosen
from tests.strategies.choices import Choices
from tests.strategies.sequence_events import PERIOD_LENGTH, make_events, make_rules

_ORDERS = {FunnelOrder.ORDERED: 0, FunnelOrder.STRICT: 1, FunnelOrder.ANY: 2}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the kernel beside the depth."""

    periods: bool = False
    code: bool = False
    times: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One chosen attempt, as the kernel tells it."""

    code: int
    period: int
    depth: int
    times: tuple[int, ...]


EVERYTHING = [Wanted(*choice) for choice in product((False, True), repeat=4)]


def mask(event: Event, rules: Rules) -> int:
    """The bits of an event: its steps, that it opens an attempt, the exclusions it matches, that it is passive."""
    bits = [*event.steps, *(rules.steps + 1 + number for number in event.excluded)]
    bits += [rules.steps] if event.opens else []
    bits += [rules.steps + 1 + len(rules.exclusions)] if event.passive else []
    return sum(1 << bit for bit in bits)


def kernel(entities: Sequence[Sequence[Event]], rules: Rules, wanted: Wanted) -> list[list[Record]]:
    """The kernel's records of each entity; events may come in any order."""
    events = [event for entity in entities for event in entity]
    assert rules.window is not None
    passive = rules.steps + 1 + len(rules.exclusions)
    order = _ORDERS[rules.order]
    spec = [rules.steps, rules.window, order, rules.first, wanted.periods, wanted.code, wanted.times, passive]
    rows = [[rules.steps + 1 + n, x.from_step, x.to_step, x.removes] for n, x in enumerate(rules.exclusions)]
    time = np.array([event.time for event in events], np.int64)
    tag = np.arange(len(events), dtype=np.int64)
    offsets = np.cumsum([0, *map(len, entities)], dtype=np.int64)
    sort_each(time, tag, offsets)
    masks = np.array([mask(event, rules) for event in events], np.int64)[tag]
    periods = np.array([event.value[0] for event in events], np.int64)[tag]
    codes = np.array([event.value[1] if wanted.code else 0 for event in events], np.int64)[tag]
    held = np.array([event.held for event in events] if wanted.held else [], np.int64)
    held = held[tag] if wanted.held else held
    numbers = np.array(spec, np.int64)
    found = solve(time, masks, codes, periods, held, offsets, numbers, np.array(rows, np.int64).reshape(-1, 4))
    numbers, begins, owners = (part.tolist() for part in found)
    records = [numbers[begin:end] for begin, end in pairwise(begins)]
    records_of = [records[begin:end] for begin, end in pairwise(owners)]
    return [[Record(one[0], one[1], one[2], tuple(one[3:])) for one in entity] for entity in records_of]


def expected(events: Sequence[Event], rules: Rules, wanted: Wanted) -> list[Attempt]:
    """The chosen attempts of an entity: in each entry period, or in all."""
    opening = [event for event in events if event.opens]
    if rules.first:
        first = min((event.time for event in opening), default=None)
        opening = [event for event in opening if event.time == first]
    periods = sorted({event.value[0] for event in opening}) if wanted.periods else [None]
    found = []
    for period in periods:
        kept = [event for event in opening if period is None or event.value[0] == period]
        found.append(chosen([_asked(event, event in kept, wanted) for event in events], rules))
    return [attempt for attempt in found if attempt is not None]


def _asked(event: Event, opens: bool, wanted: Wanted) -> Event:
    """An event, without what is not asked about."""
    value = event.value if wanted.code else event.value[:1]
    return replace(event, opens=opens, value=value, held=event.held if wanted.held else None)


def agrees(best: Attempt, record: Record, wanted: Wanted) -> bool:
    """Is a record that of an attempt?"""
    if record.depth != (-best.depth if best.removed else best.depth):
        return False
    if wanted.periods and record.period != best.start.value[0]:
        return False
    if wanted.code and record.code != best.start.value[1]:
        return False
    return not wanted.times or record.times == best.times


def differences(events: Sequence[Event], rules: Rules, wanted: Wanted, records: Sequence[Record]) -> str:
    """What is wrong with an entity's records; empty when nothing is."""
    answers = expected(events, rules, wanted)
    same = len(answers) == len(records) and all(map(agrees, answers, records, [wanted] * len(answers)))
    return "" if same else f"{rules}\n{wanted}\n{events}\nexpected {answers}\ngot {records}"


def compare(entities: Sequence[Sequence[Event]], rules: Rules, wanted: Wanted) -> None:
    found = kernel(entities, rules, wanted)
    assert len(found) == len(entities)
    for events, records in zip(entities, found, strict=True):
        assert not (wrong := differences(events, rules, wanted, records)), wrong


def ask_and_compare(choices: Choices, order: FunnelOrder, lists: int) -> None:
    """Rules, some lists of events, and the kernel's answer about all of them at once."""
    rules = make_rules(choices, order)
    compare([make_events(choices, rules) for _ in range(lists)], rules, choices.pick(EVERYTHING))


@pytest.mark.parametrize("order", FunnelOrder)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**64))
def test_kernel_on_many_lists(order: FunnelOrder, seed: int) -> None:
    ask_and_compare(Choices(Random(seed).randrange), order, lists=100)


@pytest.mark.parametrize("order", FunnelOrder)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_kernel_on_a_few_lists(order: FunnelOrder, data: st.DataObject) -> None:
    """As above, with examples that shrink."""
    ask_and_compare(Choices(lambda count: data.draw(st.integers(0, count - 1))), order, lists=3)


def test_nobody_and_nothing() -> None:
    rules = Rules(2, 5)
    assert kernel([], rules, Wanted()) == []
    assert kernel([[], []], rules, Wanted(times=True)) == [[], []]


def test_a_long_list() -> None:
    """Long lists are sorted in another way than short ones."""
    happened = [step(time, time % 3) for time in range(200, 0, -1)]
    (records,) = kernel([happened], Rules(3, 2), Wanted(times=True))
    assert records == [Record(0, 0, 3, (3, 4, 5))]


def test_what_differs_is_found() -> None:
    """The comparison notices a wrong depth, time, code, period, and a record too many or too few."""
    rules, everything = Rules(2, 5), Wanted(periods=True, code=True, times=True)
    happened = [step(0, 0), step(3, 1), step(7, 0)]
    (right,) = kernel([happened], rules, everything)
    assert right == [Record(0, 0, 2, (0, 3)), Record(0, 1, 1, (7,))]
    assert not differences(happened, rules, everything, right)
    for changed in ({"depth": 1}, {"depth": -2}, {"times": (0, 4)}, {"code": 1}, {"period": 1}):
        assert differences(happened, rules, everything, [replace(right[0], **changed), right[1]])
    assert differences(happened, rules, everything, right[:1])
    assert differences(happened, rules, everything, [*right, right[1]])


def step(time: int, *steps: int) -> Event:
    """An event that matches steps, and opens an attempt when it matches the first."""
    return Event(time, frozenset(steps), opens=0 in steps, value=(time // PERIOD_LENGTH, 0))
