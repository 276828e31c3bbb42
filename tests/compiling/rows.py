"""The rows of the golden models: the same at every run, with nulls, repeated keys and the edges of days in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.compiling.bazaar import bazaar
from tests.reference.rows import Row
from tests.reference.world import Table

SEED = 20261101
_NOVEMBER = datetime(2026, 10, 30)
_RECEIVED = {"received_at": "TIMESTAMP"}


def _time(random: Random, first: datetime, days: int) -> datetime:
    """Some minute, often near the edge of a day somewhere on earth."""
    day = first + timedelta(days=random.randrange(days))
    edge = random.choice((0, 4, 5, 8, 15, 16, 17, 23))
    return day + timedelta(hours=random.choice((edge, random.randrange(24))), minutes=random.choice((0, 29, 30, 59)))


def _cents(random: Random, most: int) -> Decimal:
    return Decimal(random.randrange(most * 100)) / 100


def _rows(make: Callable[[Random, int], Row], count: int, repeats: int = 0) -> list[Row]:
    """Rows; the last `repeats` say something else under the key of an earlier one, and may have been received first."""
    random = Random(f"{SEED} {make.__name__}")
    rows = [make(random, number) for number in range(count)]
    rows += [make(random, random.randrange(count)) for _ in range(repeats)]
    if repeats:
        moments = random.sample(range(100_000), len(rows))
        for row, moment in zip(rows, moments, strict=True):
            row["received_at"] = _NOVEMBER + timedelta(seconds=moment)
    return rows


def _event(random: Random, number: int) -> Row:
    return {
        "event_id": f"e{number}",
        "event": random.choice(("page_view", "page_view", "click")),
        "event_time": _time(random, _NOVEMBER, 12),
        "user_id": random.choice((None, *(f"u{n}" for n in range(8)))),
        "session_id": random.choice((None, *(f"s{n}" for n in range(20)))),
        "channel": random.choice((None, "ads", "search", "朋友圈", "100%")),
        "platform": random.choice((None, "ios", "android", "pc")),
        "stay_ms": random.choice((None, random.randrange(60_000))),
        "is_bot": random.random() < 0.1,
    }


def _order(random: Random, number: int) -> Row:
    created = _time(random, _NOVEMBER, 12)
    return {
        "order_id": number,
        "user_id": random.choice((None, *(f"u{n}" for n in range(10)))),
        "created_at": created.replace(tzinfo=UTC),
        "paid_at": random.choice((None, *[(created + timedelta(minutes=7)).replace(tzinfo=UTC)] * 5)),
        "channel": random.choice((None, "ads", "search", "朋友圈", "直播")),
        "shop_id": 2**53 + random.randrange(3),
        "amount": random.choice((None, _cents(random, 300), _cents(random, 300))),
        "item_count": random.choice((None, 1, 2, 5)),
    }


def _user(random: Random, number: int) -> Row:
    return {
        "user_id": f"u{number}",
        "member_level": random.choice((None, "gold", "silver")),
        "joined_on": random.choice((None, date(2026, 10, 1) + timedelta(days=random.randrange(40)))),
        "city_id": random.choice((None, 1, 2, 9)),
    }


def _city(random: Random, number: int) -> Row:
    return {"city_id": number, "province": random.choice((None, "浙江", "上海"))}


def _spend(random: Random, number: int) -> Row:
    return {
        "day": date(2026, 10, 30) + timedelta(days=number % 12),
        "channel": random.choice((None, "ads", "朋友圈", "直播")),
        "campaign": random.choice((None, "双11", "brand")),
        "cost": random.choice((None, _cents(random, 50))),
    }


def _mall() -> Mapping[str, Table]:
    return {
        "events": Table(
            {
                "event_id": "VARCHAR",
                "event": "VARCHAR",
                "event_time": "TIMESTAMP",
                "user_id": "VARCHAR",
                "session_id": "VARCHAR",
                "channel": "VARCHAR",
                "platform": "VARCHAR",
                "stay_ms": "BIGINT",
                "is_bot": "BOOLEAN",
            }
            | _RECEIVED,
            _rows(_event, 160, 20),
            (90,),
        ),
        "orders": Table(
            {
                "order_id": "BIGINT",
                "user_id": "VARCHAR",
                "created_at": "TIMESTAMP WITH TIME ZONE",
                "paid_at": "TIMESTAMP WITH TIME ZONE",
                "channel": "VARCHAR",
                "shop_id": "BIGINT",
                "amount": "DECIMAL(12,2)",
                "item_count": "INTEGER",
            },
            _rows(_order, 80),
        ),
        "users": Table(
            {"user_id": "VARCHAR", "member_level": "VARCHAR", "joined_on": "DATE", "city_id": "BIGINT"} | _RECEIVED,
            _rows(_user, 8, 2),
        ),
        "cities": Table({"city_id": "BIGINT", "province": "VARCHAR"}, _rows(_city, 4)),
        "ad_spend": Table(
            {"day": "DATE", "channel": "VARCHAR", "campaign": "VARCHAR", "cost": "DECIMAL(12,2)"}, _rows(_spend, 40)
        ),
    }


_SHORT_DAYS = datetime(2026, 2, 20)
"""New York's clocks spring forward on 8 March 2026 and fall back on 1 November."""


def _visit(random: Random, number: int) -> Row:
    arrived = _time(random, random.choice((_SHORT_DAYS, datetime(2026, 10, 25))), 24)
    gone = random.choice((None, (arrived + timedelta(hours=random.randrange(30))).replace(tzinfo=UTC)))
    return {
        "site_id": random.choice(("bronx", "queens")),
        "visit_no": number,
        "patient_id": random.choice((None, *range(12))),
        "arrived_at": arrived.replace(tzinfo=UTC),
        "discharged_at": gone,
        "triage": random.choice((None, 1, 2, 3, 4, 5)),
        "wait_minutes": random.choice((None, random.randrange(200) / 4)),
        "insured": random.choice((None, True, False)),
        "birth_day": random.choice((None, date(1950, 1, 1) + timedelta(days=random.randrange(25_000)))),
    }


def _call(random: Random, number: int) -> Row:
    return {
        "site_id": random.choice((None, "bronx", "staten")),
        "patient_id": random.choice((None, *range(15))),
        "began_at": _time(random, random.choice((_SHORT_DAYS, datetime(2026, 10, 25))), 24),
    }


def _clinic() -> Mapping[str, Table]:
    return {
        "visits": Table(
            {
                "site_id": "VARCHAR",
                "visit_no": "BIGINT",
                "patient_id": "BIGINT",
                "arrived_at": "TIMESTAMP WITH TIME ZONE",
                "discharged_at": "TIMESTAMP WITH TIME ZONE",
                "triage": "INTEGER",
                "wait_minutes": "DOUBLE",
                "insured": "BOOLEAN",
                "birth_day": "DATE",
            }
            | _RECEIVED,
            _rows(_visit, 120, 12),
        ),
        "calls": Table({"site_id": "VARCHAR", "patient_id": "BIGINT", "began_at": "TIMESTAMP"}, _rows(_call, 60)),
    }


SHOPS = ("s1", "s2", "s3")
OWNERS = ("ann", "bob")


def _sale(random: Random, number: int) -> Row:
    return {
        "sale_id": number,
        "shop_id": random.choice((None, *SHOPS, *SHOPS)),
        "product_id": random.choice((None, *range(9))),
        "buyer_id": random.choice((None, "x", "y", "z")),
        "sold_at": _time(random, datetime(2026, 11, 1), 20),
        "amount": random.choice((None, random.randrange(1, 400) / 4)),
        "cost": random.randrange(100) / 4,
    }


def _return(random: Random, number: int) -> Row:
    return {
        "shop_id": random.choice((None, *SHOPS)),
        "buyer_id": random.choice((None, "x", "y")),
        "reason": random.choice((None, "late", "broken")),
        "returned_on": date(2026, 11, 1) + timedelta(days=random.randrange(22)),
        "amount": random.randrange(100) / 4,
    }


def _product(random: Random, number: int) -> Row:
    return {
        "product_id": number,
        "category": random.choice((None, "toys", "books")),
        "brand": random.choice((None, "acme", "zen")),
        "owner": random.choice((None, *OWNERS)),
    }


def _shop(random: Random, number: int) -> Row:
    return {
        "shop_id": (*SHOPS, "s4")[number],
        "region": ("north", "south", "south", "north")[number],
        "owner": ("ann", "bob", "ann", "ann")[number],
        "closed": number == 3,
    }


def _market() -> Mapping[str, Table]:
    return {
        "sales": Table(
            {
                "sale_id": "BIGINT",
                "shop_id": "VARCHAR",
                "product_id": "BIGINT",
                "buyer_id": "VARCHAR",
                "sold_at": "TIMESTAMP",
                "amount": "DOUBLE",
                "cost": "DOUBLE",
            }
            | _RECEIVED,
            _rows(_sale, 120, 15),
        ),
        "returns": Table(
            {
                "shop_id": "VARCHAR",
                "buyer_id": "VARCHAR",
                "reason": "VARCHAR",
                "returned_on": "DATE",
                "amount": "DOUBLE",
            },
            _rows(_return, 50),
        ),
        "products": Table(
            {"product_id": "BIGINT", "category": "VARCHAR", "brand": "VARCHAR", "owner": "VARCHAR"} | _RECEIVED,
            _rows(_product, 8, 2),
        ),
        "shops": Table(
            {"shop_id": "VARCHAR", "region": "VARCHAR", "owner": "VARCHAR", "closed": "BOOLEAN"}, _rows(_shop, 4)
        ),
    }


_MAKERS: Mapping[str, Callable[[], Mapping[str, Table]]] = {
    "mall": _mall,
    "clinic": _clinic,
    "market": _market,
    "bazaar": bazaar,
}


def tables(name: str) -> dict[str, Any]:
    """The tables of a golden model, by dataset."""
    return dict(_MAKERS[name]())
