"""The two sources beside the shop's own log: what advertising cost, and what the platform counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

import numpy as np

from demo import channels
from demo.batch import Array
from demo.events import Rows
from demo.visits import Visits
from demo.words import Event

Record: TypeAlias = dict[str, object]


def ad_spend(rng: np.random.Generator, day: date, visits: Visits) -> list[Record]:
    """A day's spend by channel and campaign, from the visits it brought; and a brand campaign that brought none."""
    people = visits.take(~visits.bot)
    packed = people.channel.astype(np.int64) * 64 + people.campaign + 1
    records = []
    for code, count in zip(*np.unique(packed, return_counts=True), strict=True):
        channel, campaign = int(code) // 64, int(code) % 64 - 1
        price = channels.CHANNELS[channel].cost
        if price and (campaign >= 0 or channel == channels.PAID_ADS):
            name = channels.CAMPAIGN_NAMES[campaign] if campaign >= 0 else None
            records.append(_spend(rng, day, channels.NAMES[channel], name, int(count), price))
    brand = float(rng.uniform(0.04, 0.09)) * len(people)
    record = _spend(rng, day, "content_seeding", channels.BRAND_CAMPAIGN, 0, 0)
    return [*records, {**record, "cost": f"{brand:.2f}", "impressions": int(brand * 60)}]


def _spend(
    rng: np.random.Generator, day: date, channel: str, campaign: str | None, visits: int, price: float
) -> Record:
    clicks = int(np.ceil(visits * rng.uniform(1.05, 1.3)))
    return {
        "day": day,
        "channel": channel,
        "campaign": campaign,
        "cost": f"{clicks * price * rng.uniform(0.9, 1.15):.2f}",
        "impressions": int(clicks * rng.uniform(25, 70)),
        "clicks": clicks,
    }


@dataclass(slots=True)
class PlatformCount:
    """What the platform sees of one day: everything, also what the shop's own tracking loses."""

    devices: list[Array] = field(default_factory=lambda: [np.empty(0, dtype=np.int64)])
    anonymous: int = 0
    fresh: int = 0
    sessions: int = 0
    page_views: int = 0
    shares: int = 0
    stay_ms: int = 0

    def add(self, visits: Visits, rows: Rows) -> None:
        """Count a block of visits and their rows before any damage."""
        people = visits.take(~visits.bot)
        self.devices.append(people.device[people.device >= 0])
        self.anonymous += int((people.device < 0).sum())
        self.fresh += int(people.fresh.sum())
        self.sessions += len(people)
        self.page_views += int(((rows.event == Event.PAGE_VIEW) & ~rows.bot).sum())
        self.shares += int((rows.event == Event.SHARE).sum())
        self.stay_ms += int(rows.stay[(rows.event == Event.APP_HIDE) & ~rows.bot].sum())

    def records(self, rng: np.random.Generator, day: date) -> list[Record]:
        """The platform's statistics of the day, one row a metric. It counts by its own rules: 1 to 3 % more."""
        visitors = len(np.unique(np.concatenate(self.devices))) + self.anonymous
        more = float(rng.uniform(1.01, 1.03))
        counts = {
            "visit_uv": visitors,
            "visit_uv_new": self.fresh,
            "session_cnt": self.sessions,
            "visit_pv": self.page_views,
            "share_pv": self.shares,
        }
        records: list[Record] = [
            {"day": day, "metric": name, "value": round(count * more)} for name, count in counts.items()
        ]
        stay = self.stay_ms / 1000 / max(self.sessions, 1)
        return [*records, {"day": day, "metric": "stay_time_session", "value": round(stay, 1)}]
