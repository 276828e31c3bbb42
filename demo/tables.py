"""The shop's tables: which columns they have and how batches fill them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from demo import channels, write
from demo.batch import NEVER, Array
from demo.events import Rows
from demo.orders import Lines, Orders, Refunds
from demo.people import People
from demo.products import BRANDS, CATEGORIES, Products
from demo.stories import DAY
from demo.visits import Visits
from demo.words import (
    AGE_BANDS,
    APPS,
    CITY_TIERS,
    EVENTS,
    GENDERS,
    MEMBER_LEVELS,
    PAGES,
    PLATFORMS,
    PROVINCES,
    REFUND_REASONS,
    STATUSES,
    VERSIONS,
)

Table: TypeAlias = dict[str, Any]
"""A table about to be written: column name to Arrow array."""

FIRST_USER_ID = 1_000_000
ZONE_OFFSET = 8 * DAY // 24

TEXT = pa.dictionary(pa.int16(), pa.string())
TOKEN = pa.dictionary(pa.int32(), pa.string())

ORDERS_SCHEMA = pa.schema(
    {
        "order_id": pa.string(),
        "parent_order_id": pa.string(),
        "user_id": pa.int64(),
        "session_id": pa.int64(),
        "submitted_at": write.TIMESTAMP,
        "paid_at": write.TIMESTAMP,
        "paid_date": pa.date32(),
        "status": TEXT,
        "item_count": pa.int32(),
        "original_amount": write.MONEY,
        "discount_amount": write.MONEY,
        "amount": write.MONEY,
        "refunded_amount": write.MONEY,
        "coupon_used": pa.bool_(),
        "seconds_to_pay": pa.int32(),
        "app_id": TEXT,
        "platform": TEXT,
        "scene": pa.int16(),
        "channel": TEXT,
        "campaign": TEXT,
        "from_openid": TOKEN,
    }
)
ITEMS_SCHEMA = pa.schema(
    {
        "order_id": pa.string(),
        "line_no": pa.int32(),
        "user_id": pa.int64(),
        "paid_at": write.TIMESTAMP,
        "sku": TEXT,
        "quantity": pa.int32(),
        "unit_price": write.MONEY,
        "original_amount": write.MONEY,
        "amount": write.MONEY,
        "scene": pa.int16(),
        "channel": TEXT,
        "campaign": TEXT,
        "from_openid": TOKEN,
    }
)
REFUNDS_SCHEMA = pa.schema(
    {
        "refund_id": pa.string(),
        "order_id": pa.string(),
        "user_id": pa.int64(),
        "refunded_at": write.TIMESTAMP,
        "amount": write.MONEY,
        "reason": TEXT,
        "platform": TEXT,
        "scene": pa.int16(),
        "channel": TEXT,
        "campaign": TEXT,
        "from_openid": TOKEN,
    }
)
USERS_SCHEMA = pa.schema(
    {
        "user_id": pa.int64(),
        "unionid": TOKEN,
        "gender": TEXT,
        "age_band": TEXT,
        "province": TEXT,
        "city_tier": TEXT,
        "member_level": TEXT,
        "registered_at": write.TIMESTAMP,
        "first_visit_at": write.TIMESTAMP,
        "first_visit_date": pa.date32(),
        "first_paid_at": write.TIMESTAMP,
        "first_channel": TEXT,
    }
)


def user_ids(user: Array) -> Any:
    """Identity numbers as the column `user_id`."""
    return write.integers(np.where(user < 0, -1, user + FIRST_USER_ID))


def events_table(rows: Rows, ids: Array, made: People, shelf: Products) -> Table:
    """The event log, columns as the tracker delivers them."""
    person = rows.device >> 1
    union = np.where((rows.device >= 0) & made.union[person], person, -1)
    return {
        "event_id": pa.array(ids),
        "event": write.coded(rows.event, EVENTS),
        "event_time": write.timestamps(rows.time),
        "received_at": write.timestamps(rows.received),
        "app_id": write.coded(rows.app, APPS),
        "openid": write.tokens(rows.device, "oX5k"),
        "unionid": write.tokens(union, "oU9t"),
        "user_id": user_ids(rows.user),
        "session_id": write.integers(rows.session),
        **_source(rows),
        "share_id": write.numbers_as_text(rows.share, "sh"),
        "page_path": write.coded(rows.page, PAGES),
        "page_seq": write.integers(rows.page_seq, pa.int32()),
        "platform": write.coded(rows.platform, PLATFORMS),
        "app_version": write.coded(rows.version, VERSIONS),
        "sku": write.coded(rows.sku, shelf.sku()),
        "order_id": write.numbers_as_text(rows.order),
        "amount": write.money(rows.amount),
        "stay_ms": write.integers(rows.stay, pa.int32()),
        "is_bot": pa.array(rows.bot),
    }


def orders_table(placed: Orders, given: Refunds, visits: Visits) -> Table:
    """The orders, with what was refunded of them so far."""
    source = visits.take(placed.visit)
    refunded = np.zeros(len(placed), dtype=np.int64)
    refunded[given.position] = given.amount
    paid = placed.paid != NEVER
    status = np.where(paid, np.where(refunded == 0, 1, np.where(refunded < placed.amount, 2, 3)), 0)
    return {
        "order_id": write.numbers_as_text(placed.order),
        "parent_order_id": write.numbers_as_text(placed.parent),
        "user_id": user_ids(source.user),
        "session_id": write.integers(source.session),
        "submitted_at": write.timestamps(placed.submitted),
        "paid_at": write.timestamps(placed.paid),
        "paid_date": local_dates(placed.paid),
        "status": write.coded(status, STATUSES),
        "item_count": pa.array(placed.items, pa.int32()),
        "original_amount": write.money(placed.original),
        "discount_amount": write.money(placed.original - placed.amount),
        "amount": write.money(placed.amount),
        "refunded_amount": write.money(refunded),
        "coupon_used": pa.array(placed.coupon),
        "seconds_to_pay": write.integers(np.where(paid, (placed.paid - source.start) // 1_000_000, -1), pa.int32()),
        "app_id": write.coded(source.app, APPS),
        "platform": write.coded(source.platform, PLATFORMS),
        **_source(source),
    }


def items_table(lines: Lines, placed: Orders, visits: Visits) -> Table:
    """The lines of these orders; `paid_at` is the order's."""
    position = np.searchsorted(placed.order, lines.order).clip(max=max(len(placed) - 1, 0))
    kept = placed.order[position] == lines.order if len(placed) else np.zeros(len(lines), dtype=bool)
    lines, position = lines.take(kept), position[kept]
    source = visits.take(lines.visit)
    return {
        "order_id": write.numbers_as_text(lines.order),
        "line_no": pa.array(lines.number, pa.int32()),
        "user_id": user_ids(source.user),
        "paid_at": write.timestamps(placed.paid[position]),
        "sku": write.coded(lines.sku, [f"SKU{code + 1:05d}" for code in range(int(lines.sku.max(initial=0)) + 1)]),
        "quantity": pa.array(lines.quantity, pa.int32()),
        "unit_price": write.money(lines.price),
        "original_amount": write.money(lines.original),
        "amount": write.money(lines.amount),
        **_source(source),
    }


def refunds_table(given: Refunds, placed: Orders, visits: Visits) -> Table:
    """The refunds, with the source of the order they belong to."""
    order = placed.take(given.position)
    source = visits.take(order.visit)
    return {
        "refund_id": write.numbers_as_text(order.order, "R"),
        "order_id": write.numbers_as_text(order.order),
        "user_id": user_ids(source.user),
        "refunded_at": write.timestamps(given.time),
        "amount": write.money(given.amount),
        "reason": write.coded(given.reason, REFUND_REASONS),
        "platform": write.coded(source.platform, PLATFORMS),
        **_source(source),
    }


def users_table(made: People, user: Array) -> Table:
    """These identities, as the shop knows them at the export."""
    person = user // 2
    return {
        "user_id": user_ids(user),
        "unionid": write.tokens(np.where(made.union[person], person, -1), "oU9t"),
        "gender": write.coded(np.where(made.gender[person] < len(GENDERS), made.gender[person], -1), GENDERS),
        "age_band": write.coded(made.age[person], AGE_BANDS),
        "province": write.coded(made.province[person], PROVINCES),
        "city_tier": write.coded(made.tier[person], CITY_TIERS),
        "member_level": write.coded(made.level()[person], MEMBER_LEVELS),
        "registered_at": write.timestamps(made.registered[person]),
        "first_visit_at": write.timestamps(made.first_visit[user]),
        "first_visit_date": local_dates(made.first_visit[user]),
        "first_paid_at": write.timestamps(made.first_paid[user]),
        "first_channel": write.coded(made.first_channel[user], channels.RESOLVED_NAMES),
    }


def products_table(shelf: Products) -> Table:
    """The shelf."""
    return {
        "sku": pa.array(shelf.sku()),
        "product_name": pa.array(shelf.name),
        "category": write.coded(shelf.category, CATEGORIES),
        "brand": write.coded(shelf.brand, BRANDS),
        "price": write.money(shelf.price),
        "cost": write.money(shelf.cost),
    }


def local_dates(instants: Array) -> Any:
    """The Shanghai day of each instant; null at NEVER."""
    never = instants == NEVER
    days = (np.where(never, 0, instants) + ZONE_OFFSET) // DAY
    return pa.array(days.astype(np.int32).astype("datetime64[D]"), pa.date32(), mask=never)


def _source(batch: Rows | Visits) -> Table:
    """Where a visit came from, as its launch says: the four columns every fact carries."""
    return {
        "scene": write.integers(batch.scene, pa.int16()),
        "channel": write.coded(batch.explicit, channels.NAMES),
        "campaign": write.coded(batch.campaign, channels.CAMPAIGN_NAMES),
        "from_openid": write.tokens(batch.sharer, "oX5k"),
    }
