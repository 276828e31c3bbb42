"""The rows of the golden model of people with several ids and money in several currencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.reference.world import Table

_FIRST = datetime(2026, 11, 1)
_PEOPLE = tuple(f"p{number}" for number in range(5))
_OPENIDS = tuple(f"o{number}" for number in range(4))
_IDS = tuple(f"{app}/{openid}" for app in ("mall", "club") for openid in _OPENIDS)
_CURRENCIES = ("CNY", "CNY", "USD", "JPY", None)


def _moment(random: Random) -> datetime:
    return _FIRST + timedelta(days=random.randrange(6), minutes=random.randrange(24 * 60))


def _visit(random: Random, number: int) -> dict[str, Any]:
    return {
        "visit_id": number,
        "visited_at": _moment(random).replace(tzinfo=UTC),
        "app_id": random.choice(("mall", "club")),
        "openid": random.choice((None, *_OPENIDS)),
        "unionid": random.choice((None, None, *_PEOPLE)),
        "scene": random.choice((None, 1001, 1005, 9999)),
        "channel": random.choice((None, None, "ads")),
    }


def _order(random: Random, number: int) -> dict[str, Any]:
    return {
        "order_id": number,
        "buyer_id": random.choice((None, *_PEOPLE, *_IDS)),
        "paid_at": random.choice((None, *[_moment(random).replace(tzinfo=UTC)] * 5)),
        "channel": random.choice((None, "ads", "search")),
        "amount": random.choice((None, *[Decimal(random.randrange(40_000)) / 4] * 5)),
        "currency": random.choice(_CURRENCIES),
    }


def _refund(random: Random, number: int) -> dict[str, Any]:
    return {
        "refund_id": number,
        "order_id": random.randrange(70),
        "refunded_on": (_FIRST + timedelta(days=random.randrange(2, 9))).date(),
        "amount": random.randrange(100),
    }


def _identity(random: Random, number: int) -> dict[str, Any]:
    return {
        "id": random.choice((None, *_IDS)),
        "person_id": random.choice((None, *_PEOPLE)),
        "bound_at": random.choice((None, _moment(random))),
    }


def _rates() -> list[dict[str, Any]]:
    """Of every day and currency but some."""
    days = [date(2026, 11, 1) + timedelta(days=day) for day in range(7)]
    pairs = [(day, currency, rate) for day in days for currency, rate in (("USD", 7.25), ("JPY", 0.05))]
    known = [{"day": day, "currency": currency, "rate": rate} for day, currency, rate in pairs]
    return [*known[:5], *known[8:], {"day": days[2], "currency": None, "rate": 2.0}]


def _table(kinds: dict[str, str], make: Callable[[Random, int], dict[str, Any]], count: int) -> Table:
    random = Random(f"bazaar {make.__name__}")
    return Table(kinds, [make(random, number) for number in range(count)])


def bazaar() -> Mapping[str, Table]:
    instant = "TIMESTAMP WITH TIME ZONE"
    visits = {"visit_id": "BIGINT", "visited_at": instant, "app_id": "VARCHAR", "openid": "VARCHAR"}
    visits |= {"unionid": "VARCHAR", "scene": "BIGINT", "channel": "VARCHAR"}
    orders = {"order_id": "BIGINT", "buyer_id": "VARCHAR", "paid_at": instant, "channel": "VARCHAR"}
    orders |= {"amount": "DECIMAL(12,2)", "currency": "VARCHAR"}
    refunds = {"refund_id": "BIGINT", "order_id": "BIGINT", "refunded_on": "DATE", "amount": "BIGINT"}
    scenes = [{"scene": 1001, "channel": "quick_entry"}, {"scene": 1005, "channel": "search"}]
    people = [{"person_id": person, "level": "gold" if person < "p2" else "basic"} for person in _PEOPLE]
    return {
        "visits": _table(visits, _visit, 90),
        "orders": _table(orders, _order, 60),
        "refunds": _table(refunds, _refund, 20),
        "scenes": Table({"scene": "BIGINT", "channel": "VARCHAR"}, scenes),
        "people": Table({"person_id": "VARCHAR", "level": "VARCHAR"}, people),
        "identity_map": _table({"id": "VARCHAR", "person_id": "VARCHAR", "bound_at": "TIMESTAMP"}, _identity, 14),
        "fx_rates": Table({"day": "DATE", "currency": "VARCHAR", "rate": "DOUBLE"}, _rates()),
    }
