"""What happens in the shop's months, planted so that it can be found: promotions, a tracking break, an incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

import numpy as np

from demo.batch import Array

SHANGHAI = timezone(timedelta(hours=8))
DAY = 86_400_000_000
"""Microseconds."""
EXPORT_HOUR = 18
"""The local hour of the last day at which the data was exported: that day is incomplete, as it is everywhere."""

WEEKDAY_RHYTHM = (0.94, 0.92, 1.0, 0.95, 1.02, 1.14, 1.10)
"""Monday to Sunday; Wednesday is the day of the weekly article."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A phase of a promotion; first and last are (month, day), both included."""

    name: str
    phase: str
    first: tuple[int, int]
    last: tuple[int, int]
    visits: float
    intent: float


PROMOTIONS = (
    Promotion("38女神节", "爆发", (3, 6), (3, 8), 1.5, 1.3),
    Promotion("618", "预热", (6, 10), (6, 15), 1.2, 0.8),
    Promotion("618", "爆发", (6, 16), (6, 18), 2.4, 1.8),
    Promotion("618", "返场", (6, 19), (6, 20), 1.2, 1.1),
    Promotion("99大促", "爆发", (9, 8), (9, 9), 1.5, 1.35),
    Promotion("国庆", "爆发", (10, 1), (10, 7), 1.2, 1.05),
    Promotion("双11", "预热", (11, 1), (11, 7), 1.2, 0.75),
    Promotion("双11", "开门红", (11, 8), (11, 10), 1.7, 1.3),
    Promotion("双11", "爆发", (11, 11), (11, 11), 3.2, 2.1),
    Promotion("双11", "返场", (11, 12), (11, 13), 1.2, 1.1),
    Promotion("双12", "爆发", (12, 11), (12, 12), 2.0, 1.6),
)

HOLIDAYS = {(1, 1): "元旦", (5, 1): "劳动节", (5, 2): "劳动节", (5, 3): "劳动节",
            **{(10, day): "国庆节" for day in range(1, 8)}}  # fmt: skip


def midnight(day: date) -> int:
    """The instant a Shanghai day begins, in microseconds since 1970 in UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).timestamp()) * 1_000_000


def epoch_day(day: date) -> int:
    """Days since 1970."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def promotion_on(day: date) -> Promotion | None:
    """The promotion phase a day is in."""
    return next((p for p in PROMOTIONS if p.first <= (day.month, day.day) <= p.last), None)


@dataclass(frozen=True, slots=True)
class Stories:
    """The plan of one shop: its days and what is planted in them. Instants are microseconds in UTC, ends excluded."""

    first: date
    days: int
    break_start: int
    break_end: int
    incident_start: int
    incident_end: int
    export: int

    def day(self, index: int) -> date:
        """The local day number `index`, counted from 0."""
        return self.first + timedelta(days=index)

    def visits(self) -> Array:
        """How many more or fewer visits than usual each day has."""
        return np.array([self._rhythm(self.day(i)) for i in range(self.days)], dtype=np.float32)

    def intent(self, index: int) -> float:
        """How much more the visitors of a day want to buy."""
        promotion = promotion_on(self.day(index))
        return promotion.intent if promotion else 1.0

    def _rhythm(self, day: date) -> float:
        promotion = promotion_on(day)
        return WEEKDAY_RHYTHM[day.weekday()] * (promotion.visits if promotion else 1.0)


def plan(end: date, days: int) -> Stories:
    """The stories of the `days` days that end with `end`: the incident at three fifths, the break at four fifths."""
    first = end - timedelta(days=days - 1)
    incident = midnight(end - timedelta(days=int(days * 0.4)))
    broken = midnight(end - timedelta(days=int(days * 0.22)))
    return Stories(
        first=first,
        days=days,
        break_start=broken,
        break_end=broken + 2 * DAY,
        incident_start=incident + 10 * DAY // 24,
        incident_end=incident + DAY + 22 * DAY // 24,
        export=midnight(end) + EXPORT_HOUR * DAY // 24,
    )


def calendar_rows(first: date, last: date) -> list[dict[str, object]]:
    """One row a day: weekday, weekend, public holiday, promotion and its phase."""
    rows: list[dict[str, object]] = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        promotion = promotion_on(day)
        rows.append(
            {
                "day": day,
                "weekday": "周" + "一二三四五六日"[day.weekday()],
                "is_weekend": day.weekday() >= 5,
                "holiday": HOLIDAYS.get((day.month, day.day)),
                "promotion": promotion.name if promotion else None,
                "promotion_phase": promotion.phase if promotion else None,
            }
        )
    return rows
