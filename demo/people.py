"""Who comes: people with their habits, and what the shop has learnt about each of their identities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo import channels
from demo.batch import NEVER, Array, chance, draw
from demo.stories import DAY, Stories, midnight
from demo.words import (
    AGE_BANDS,
    CITY_TIERS,
    MEMBER_THRESHOLDS,
    PLATFORM_WEIGHTS,
    PROVINCES,
)

STAFF = 8
"""Testers; they have accounts and only ever come through test scenes."""
HISTORY_DAYS = 640
"""How long before the first day the shop opened."""
LASTING = 0.3
"""Habits fade, but not below this share of what they were."""
KNOWN_BEFORE = 0.45
"""The share of people who had visited before the first day."""


@dataclass(frozen=True, slots=True)
class People:
    """One entry a person. The arrays from `registered` on are the shop's memory and change as the days go by.

    A person has two possible identities, numbered `2 * person` and `2 * person + 1`: the second is used in the
    other mini-program by people without a unionid, whom the shop therefore takes for somebody else.
    """

    arrival: Array
    zest: Array
    intent: Array
    origin: Array
    platform: Array
    province: Array
    tier: Array
    gender: Array
    age: Array
    union: Array
    both: Array
    home: Array
    registered: Array
    spent: Array
    first_visit: Array
    first_paid: Array
    first_channel: Array

    def __len__(self) -> int:
        return len(self.arrival)

    def identity(self, person: Array, app: Array) -> Array:
        """The identity under which a person is known in a mini-program."""
        numbers: Array = 2 * person.astype(np.int64) + ((app != self.home[person]) & ~self.union[person])
        return numbers

    def level(self) -> Array:
        """The member level of every person as of now, -1 without a registration."""
        level = np.searchsorted(MEMBER_THRESHOLDS, self.spent, side="right").astype(np.int8)
        return np.where(self.registered == NEVER, np.int8(-1), level)

    def note_visits(self, user: Array, time: Array, channel: Array) -> None:
        """Remember first visits from the rows of identified people."""
        np.minimum.at(self.first_visit, user, time)
        first = time == self.first_visit[user]
        self.first_channel[user[first]] = channel[first]

    def note_payments(self, user: Array, time: Array, cents: Array) -> None:
        """Remember first payments and money spent."""
        np.minimum.at(self.first_paid, user, time)
        np.add.at(self.spent, user // 2, cents)


def people(count: int, seed: int, stories: Stories) -> People:
    """`count` people and the testers, as the shop knows them on the morning of the first day."""
    rng = np.random.default_rng([seed, 2])
    total = count + STAFF
    arrival = _arrivals(rng, total, stories)
    arrival[count:] = np.iinfo(np.int32).max
    origin = draw(rng, channels.DRAWS, total).astype(np.int8)
    made = People(
        arrival=arrival,
        zest=_zest(rng, channels.LOYALTY[origin]),
        intent=rng.lognormal(-0.32, 0.8, total).astype(np.float32),
        origin=origin,
        platform=draw(rng, PLATFORM_WEIGHTS, total).astype(np.int8),
        province=draw(rng, 1 / (np.arange(len(PROVINCES)) + 4.0), total).astype(np.int8),
        tier=rng.integers(0, len(CITY_TIERS), total, dtype=np.int8),
        gender=draw(rng, np.array([0.63, 0.31, 0.06]), total).astype(np.int8),
        age=rng.integers(0, len(AGE_BANDS), total, dtype=np.int8),
        union=chance(rng, 0.72, total),
        both=chance(rng, 0.12, total),
        home=chance(rng, 0.14, total).astype(np.int8),
        registered=np.full(total, NEVER),
        spent=np.zeros(total, dtype=np.int64),
        first_visit=np.full(2 * total, NEVER),
        first_paid=np.full(2 * total, NEVER),
        first_channel=np.full(2 * total, -1, dtype=np.int8),
    )
    _live_history(rng, made, stories)
    return made


def _arrivals(rng: np.random.Generator, count: int, stories: Stories) -> Array:
    """The day of everyone's first visit; below 0 before the first day, more of them of late than long ago."""
    before = chance(rng, KNOWN_BEFORE, count)
    history = -1 - (HISTORY_DAYS * rng.random(count) ** 1.5).astype(np.int32)
    inside = draw(rng, stories.visits(), count).astype(np.int32)
    return np.where(before, history, inside).astype(np.int32)


def _zest(rng: np.random.Generator, loyalty: Array) -> Array:
    """Visits a day of one who just came: next to nothing for most people, and a long tail (Zipf-like activity)."""
    count = len(loyalty)
    tail = 0.035 * (1 + rng.pareto(1.25, count))
    return np.where(chance(rng, loyalty, count), tail.clip(max=2.5), 0.0015).astype(np.float32)


def _live_history(rng: np.random.Generator, made: People, stories: Stories) -> None:
    """What people did before the first day: first visits, some registrations, fewer payments."""
    person = np.flatnonzero(made.arrival < 0)
    count = len(person)
    start = midnight(stories.first)
    second = rng.integers(7 * 3600, 24 * 3600, count)
    visit = start + made.arrival[person].astype(np.int64) * DAY + second * 1_000_000
    user = 2 * person
    made.first_visit[user] = visit
    made.first_channel[user] = made.origin[person]
    registered = chance(rng, 0.42, count)
    made.registered[person[registered]] = visit[registered] + 90_000_000
    paid = registered & chance(rng, 0.45, count)
    wait = (start - visit[paid]) * rng.random(paid.sum()) ** 2
    made.first_paid[user[paid]] = visit[paid] + wait.astype(np.int64) // 1_000_000 * 1_000_000
    made.spent[person[paid]] = (rng.lognormal(9.8, 1.0, paid.sum())).astype(np.int64)


def coming(rng: np.random.Generator, made: People, day: int, boost: float) -> Array:
    """The people who visit on a day: those whose first day it is, and those who come back."""
    age = day - made.arrival
    known = age > 0
    fading = 1 / np.sqrt(1 + np.where(known, age, 0).astype(np.float32) / 12)
    rate = made.zest * np.float32(boost) * fading.clip(min=LASTING)
    return np.flatnonzero((age == 0) | (known & (rng.random(len(made), dtype=np.float32) < rate)))
