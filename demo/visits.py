"""The visits of a day: who opens the mini-program when, and what the launch says about where they came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from demo import channels
from demo.batch import Array, Batch, chance, draw
from demo.people import STAFF, People, coming
from demo.stories import DAY, Stories, epoch_day, midnight, promotion_on
from demo.words import ANDROID, BROKEN, IOS, MENDED, OLD, USUAL

HOUR_RHYTHM = np.array(
    [14, 7, 3, 2, 2, 4, 12, 26, 40, 46, 48, 52, 64, 56, 46, 45, 47, 50, 56, 72, 92, 98, 74, 38], dtype=np.float64
)
PEAK_RHYTHM = np.where(np.arange(24) == 0, 150, HOUR_RHYTHM) + np.where(np.arange(24) == 20, 40, 0)
"""Sales begin at midnight and at eight in the evening."""

ANONYMOUS = 0.035
"""The share of later visits whose login failed: nobody knows who it was."""
UNKNOWN_SCENES = 0.006
POSTERS = 0.12
"""The share of shared links that are scanned from a poster."""
BOTS = 0.03
SESSIONS_PER_DAY = 1_000_000_000
"""Session numbers are the day since 1970 times this, plus a running number."""


@dataclass(frozen=True, slots=True)
class Visits(Batch):
    """One entry a session, by start. -1 is null: no person (nobody knows who), no campaign, no share.

    `channel` decides behaviour; `explicit`, `campaign`, `share`, `sharer` and `scene` are what the launch carries,
    and `resolved` is the channel that follows from them. `device` and `sharer` are `2 * person + app`.
    """

    person: Array
    user: Array
    device: Array
    start: Array
    app: Array
    channel: Array
    resolved: Array
    scene: Array
    explicit: Array
    campaign: Array
    share: Array
    sharer: Array
    platform: Array
    version: Array
    session: Array
    fresh: Array
    bot: Array


@dataclass(frozen=True, slots=True)
class Shares(Batch):
    """Links that were passed on: their number, who sent them (`2 * person + app`) and when."""

    share: Array
    sharer: Array
    time: Array

    LIMIT: ClassVar[int] = 200_000

    @classmethod
    def none(cls) -> Shares:
        """No links at all."""
        return cls(*(np.empty(0, dtype=np.int64) for _ in range(3)))

    def recent(self, since: int) -> Shares:
        """The latest links sent at `since` or after it."""
        return self.take(self.time >= since).take(slice(-self.LIMIT, None))


def visits_of(rng: np.random.Generator, made: People, stories: Stories, day: int) -> Visits:
    """Every visit of one day, in order of time; links that were followed are chosen later (see `follow`)."""
    person, fresh, start = _sessions(rng, made, stories, day)
    count = len(person)
    channel = np.where(fresh, made.origin[person], _return_channels(rng, made, person)).astype(np.int8)
    app = np.where(made.both[person] & ~fresh & chance(rng, 0.35, count), 1 - made.home[person], made.home[person])
    campaign = _campaigns(rng, channel)
    known = fresh | ~chance(rng, ANONYMOUS, count)
    scene = _scenes(rng, channel)
    lost = chance(rng, UNKNOWN_SCENES, count)
    none = np.full(count, -1, dtype=np.int64)
    human = Visits(
        person=np.where(known, person, -1),
        user=np.where(known, made.identity(person, app), -1),
        device=np.where(known, 2 * person + app, -1),
        start=start,
        app=app.astype(np.int8),
        channel=channel,
        resolved=np.where(lost & (campaign < 0), channels.UNMAPPED, channel).astype(np.int8),
        scene=np.where(lost, channels.UNKNOWN_SCENE, scene).astype(np.int16),
        explicit=np.where(campaign >= 0, channel, -1).astype(np.int8),
        campaign=campaign,
        share=none,
        sharer=none,
        platform=made.platform[person],
        version=_versions(rng, start, stories),
        session=none,
        fresh=fresh,
        bot=np.zeros(count, dtype=bool),
    )
    return _numbered(Visits.concat([human, _bots(rng, made, stories, day, count)]), stories, day)


def follow(rng: np.random.Generator, visits: Visits, shares: Shares) -> Visits:
    """The visits with a link for everyone who came by one: share cards and viral campaigns, if any link was sent."""
    wants = ((visits.channel == channels.SHARE_CARD) | (visits.channel == channels.VIRAL)) & ~visits.bot
    index = np.flatnonzero(wants & (visits.scene != channels.UNKNOWN_SCENE))
    if not len(shares) or not len(index):
        return visits
    chosen = (len(shares) * rng.random(len(index)) ** 0.7).astype(np.int64)
    own = (shares.sharer[chosen] >> 1) == visits.person[index]
    index, chosen = index[~own], chosen[~own]
    share, sharer, scene, resolved = (
        column.copy() for column in (visits.share, visits.sharer, visits.scene, visits.resolved)
    )
    share[index] = shares.share[chosen]
    sharer[index] = shares.sharer[chosen]
    poster = index[chance(rng, POSTERS, len(index))]
    scene[poster] = channels.POSTER_SCENE
    resolved[index] = np.where(visits.explicit[index] >= 0, visits.explicit[index], channels.SHARE_CARD)
    return replace(visits, share=share, sharer=sharer, scene=scene, resolved=resolved)


def _sessions(rng: np.random.Generator, made: People, stories: Stories, day: int) -> tuple[Array, Array, Array]:
    """Person, whether it is their very first visit, and start; in order of start."""
    boost = float(stories.visits()[day])
    person = coming(rng, made, day, boost)
    person = np.repeat(person, 1 + rng.poisson(made.zest[person] * 0.6).clip(max=12))
    promotion = promotion_on(stories.day(day))
    peak = promotion is not None and promotion.visits > 1.6
    hour = draw(rng, PEAK_RHYTHM if peak else HOUR_RHYTHM, len(person))
    start = midnight(stories.day(day)) + ((hour + rng.random(len(person))) * (DAY / 24)).astype(np.int64)
    order = np.argsort(start, kind="stable")
    person, start = person[order], start[order]
    fresh = np.zeros(len(person), dtype=bool)
    fresh[np.unique(person, return_index=True)[1]] = True
    return person, fresh & (made.arrival[person] == day), start - start % 1000


def _return_channels(rng: np.random.Generator, made: People, person: Array) -> Array:
    habit = chance(rng, 0.12, len(person))
    return np.where(habit, made.origin[person], draw(rng, channels.RETURNS, len(person)))


def _campaigns(rng: np.random.Generator, channel: Array) -> Array:
    """A campaign of the channel for as many visits as carry one, else -1."""
    campaign = np.full(len(channel), -1, dtype=np.int8)
    for name, share in channels.CAMPAIGN_SHARE.items():
        own = np.array([code for code, (owner, _) in enumerate(channels.CAMPAIGNS) if owner == name], dtype=np.int8)
        index = np.flatnonzero(channel == channels.NAMES.index(name))
        index = index[chance(rng, share, len(index))]
        campaign[index] = own[draw(rng, 1 / (np.arange(len(own)) + 1.0), len(index))]
    return campaign


def _scenes(rng: np.random.Generator, channel: Array) -> Array:
    """A scene of the channel, the first ones more often; a viral campaign arrives as a shared card."""
    via = np.where((channel == channels.VIRAL) & chance(rng, 0.9, len(channel)), channels.SHARE_CARD, channel)
    return channels.SCENES[via, (channels.SCENE_COUNTS[via] * rng.random(len(via)) ** 1.8).astype(np.int64)]


def _versions(rng: np.random.Generator, start: Array, stories: Stories) -> Array:
    """The app version: the one with the broken tracking is out for two days, the next mends it."""
    newest = np.where(start < stories.break_start, USUAL, np.where(start < stories.break_end, BROKEN, MENDED))
    dice = rng.random(len(start), dtype=np.float32)
    return np.where(dice < 0.06, OLD, np.where(dice < 0.24, USUAL, newest)).astype(np.int8)


def _bots(rng: np.random.Generator, made: People, stories: Stories, day: int, humans: int) -> Visits:
    """Crawlers (nobody) and testers (the shop's own staff), round the clock."""
    count = int(rng.poisson(BOTS * humans))
    scene = rng.choice(np.array(list(channels.BOT_SCENES), dtype=np.int16), count, p=[0.7, 0.15, 0.1, 0.05])
    crawler = scene == channels.CRAWLER_SCENE
    person = np.where(crawler, -1, len(made) - STAFF + rng.integers(0, STAFF, count))
    start = midnight(stories.day(day)) + rng.integers(0, DAY // 1000, count) * 1000
    none = np.full(count, -1, dtype=np.int64)
    return Visits(
        person=person,
        user=np.where(crawler, -1, 2 * person),
        device=np.where(crawler, -1, 2 * person),
        start=start,
        app=np.zeros(count, dtype=np.int8),
        channel=np.full(count, channels.NAMES.index("quick_entry"), dtype=np.int8),
        resolved=np.full(count, channels.TEST_TRAFFIC, dtype=np.int8),
        scene=scene,
        explicit=none.astype(np.int8),
        campaign=none.astype(np.int8),
        share=none,
        sharer=none,
        platform=np.where(crawler, ANDROID, IOS).astype(np.int8),
        version=np.full(count, USUAL, dtype=np.int8),
        session=none,
        fresh=np.zeros(count, dtype=bool),
        bot=np.ones(count, dtype=bool),
    )


def _numbered(visits: Visits, stories: Stories, day: int) -> Visits:
    """The visits in order of start, each with its session number."""
    ordered = visits.take(np.argsort(visits.start, kind="stable"))
    ordered.session[:] = epoch_day(stories.day(day)) * SESSIONS_PER_DAY + np.arange(len(ordered))
    return ordered
