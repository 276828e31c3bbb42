"""What people do in a visit: look, collect, check out, pay. Decisions only; `events` turns them into rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo import channels
from demo.batch import NEVER, Array, Batch, chance
from demo.people import People
from demo.products import Products
from demo.stories import Stories
from demo.visits import Visits
from demo.words import ANDROID

MOST_CYCLES = 40
MOST_EXPOSURES = 8


@dataclass(frozen=True, slots=True)
class Cycles(Batch):
    """One entry a turn of browsing: products shown, one of them perhaps looked at, kept or dropped.

    `visit` is a position in the visits, `number` counts from 1 in each, `exposures` is how many products were shown.
    """

    visit: Array
    number: Array
    sku: Array
    exposures: Array
    viewed: Array
    favorite: Array
    carted: Array
    removed: Array


@dataclass(frozen=True, slots=True)
class Deeds(Batch):
    """One entry a visit: what else happened in it, as yes or no."""

    search: Array
    register: Array
    subscribe: Array
    coupon: Array
    share: Array
    cart_page: Array
    checkout: Array
    coupon_used: Array
    submit: Array
    pay_fail: Array
    pay_success: Array


def browse(
    rng: np.random.Generator, visits: Visits, made: People, shelf: Products, stories: Stories, boost: float
) -> tuple[Cycles, Deeds]:
    """Decide what happens in every visit; `boost` is the day's will to buy. Registrations are remembered in `made`."""
    known = visits.person >= 0
    will = np.where(known, made.intent[visits.person], np.float32(0.5)) * channels.QUALITY[visits.channel]
    will = np.where(visits.bot, 0, will * np.float32(boost)).astype(np.float32)
    cycles = _cycles(rng, visits, shelf, will)
    return cycles, _deeds(rng, visits, made, cycles, will, _in_incident(visits, stories))


def _in_incident(visits: Visits, stories: Stories) -> Array:
    within = (visits.start >= stories.incident_start) & (visits.start < stories.incident_end)
    affected: Array = within & (visits.platform == ANDROID)
    return affected


def _cycles(rng: np.random.Generator, visits: Visits, shelf: Products, will: Array) -> Cycles:
    count = len(visits)
    bounce = chance(rng, np.clip(0.42 - 0.12 * will, 0.08, 0.6), count) & ~visits.bot
    turns = rng.geometric(np.clip(0.45 - 0.06 * will, 0.2, 0.5), count).clip(max=MOST_CYCLES)
    visit = np.repeat(np.arange(count), np.where(bounce, 0, turns))
    total = len(visit)
    first = np.concatenate([[0], np.cumsum(np.bincount(visit, minlength=count))])[:-1]
    bot, wish = visits.bot[visit], will[visit]
    viewed = chance(rng, 0.42, total) | bot
    carted = viewed & chance(rng, np.clip(0.12 * wish, 0, 0.5), total)
    return Cycles(
        visit=visit,
        number=np.arange(total) - first[visit] + 1,
        sku=shelf.pick(rng, total),
        exposures=np.where(bot, 0, 2 + rng.poisson(3, total).clip(max=MOST_EXPOSURES - 2)),
        viewed=viewed,
        favorite=viewed & ~bot & chance(rng, 0.05, total),
        carted=carted,
        removed=carted & chance(rng, 0.1, total),
    )


def _deeds(
    rng: np.random.Generator, visits: Visits, made: People, cycles: Cycles, will: Array, incident: Array
) -> Deeds:
    count = len(visits)
    known, human = visits.person >= 0, ~visits.bot
    kept = np.bincount(cycles.visit[cycles.carted & ~cycles.removed], minlength=count) > 0
    viewed = np.bincount(cycles.visit[cycles.viewed], minlength=count) > 0
    cart_page = kept & chance(rng, 0.75, count)
    buy = np.where(kept, np.clip(0.25 + 0.2 * will, 0, 0.8), np.where(viewed, 0.03 * will, 0))
    checkout = chance(rng, buy, count) & known & human
    submit = checkout & chance(rng, 0.84, count)
    fail = submit & chance(rng, np.where(incident, 0.7, 0.05), count)
    retry = np.where(incident, 0.25, 0.55)
    return Deeds(
        search=chance(rng, np.where(visits.channel == channels.SEARCH, 0.55, 0.16), count) & human,
        register=_registrations(rng, visits, made, submit),
        subscribe=chance(rng, 0.035, count) & human & known,
        coupon=chance(rng, 0.11, count) & human & known,
        share=chance(rng, np.where(visits.channel == channels.VIRAL, 0.12, 0.055), count) & human & known,
        cart_page=cart_page,
        checkout=checkout,
        coupon_used=submit & chance(rng, 0.22, count),
        submit=submit,
        pay_fail=fail,
        pay_success=submit & np.where(fail, chance(rng, retry, count), chance(rng, 0.93, count)),
    )


def _registrations(rng: np.random.Generator, visits: Visits, made: People, submit: Array) -> Array:
    """The visits in which somebody becomes a member: some on a whim, all others with their first order."""
    person = visits.person
    stranger = (person >= 0) & ~visits.bot & (made.registered[person] == NEVER)
    index = np.flatnonzero(stranger & (submit | chance(rng, 0.05, len(visits))))
    index = index[np.unique(person[index], return_index=True)[1]]
    made.registered[person[index]] = visits.start[index]
    register = np.zeros(len(visits), dtype=bool)
    register[index] = True
    return register
