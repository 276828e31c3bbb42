"""Orders, their lines and their refunds: money in whole cents, one checkout sometimes two orders."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demo.batch import NEVER, Array, Batch, chance
from demo.browse import Cycles, Deeds
from demo.products import Products
from demo.stories import DAY
from demo.visits import Visits
from demo.words import REFUND_REASONS

PROMOTION_RATE = 0.15
COUPON_CENTS = 2000
SPLIT = 0.12
"""The share of checkouts of several lines that leave from two warehouses, as two orders."""
RESTLESS_DAYS = 3.2


@dataclass(frozen=True, slots=True)
class Lines(Batch):
    """One entry an order line. `visit` is a position in the visits; `number` counts from 1 within a checkout."""

    visit: Array
    number: Array
    order: Array
    sku: Array
    quantity: Array
    price: Array
    original: Array
    amount: Array


@dataclass(frozen=True, slots=True)
class Orders(Batch):
    """One entry an order. `parent` is the number of the checkout an order was split from, else -1."""

    visit: Array
    order: Array
    parent: Array
    items: Array
    original: Array
    amount: Array
    submitted: Array
    paid: Array
    coupon: Array


@dataclass(frozen=True, slots=True)
class Refunds(Batch):
    """One entry a refund: position in the orders, cents, when, why (a code of REFUND_REASONS)."""

    position: Array
    amount: Array
    time: Array
    reason: Array


@dataclass(frozen=True, slots=True)
class Checkouts:
    """What a block of visits ordered: lines, and by visit the checkout's number and cents (-1: no checkout)."""

    lines: Lines
    number: Array
    cents: Array


def checkouts(
    rng: np.random.Generator, visits: Visits, cycles: Cycles, deeds: Deeds, shelf: Products, promotion: bool
) -> Checkouts:
    """The lines of every submitted order: what was kept in the cart, or else the product looked at last."""
    chosen = _chosen(cycles, deeds)
    visit = cycles.visit[chosen]
    quantity = 1 + chance(rng, 0.22, len(visit)).astype(np.int64) + chance(rng, 0.06, len(visit))
    price = shelf.price[cycles.sku[chosen]]
    original = price * quantity
    totals = np.bincount(visit, weights=original, minlength=len(visits)).astype(np.int64)
    cents = _payable(totals, deeds.coupon_used, promotion)
    first = _first_of_each(visit)
    amount = original * cents[visit] // np.maximum(totals[visit], 1)
    amount[first] += (cents - np.bincount(visit, weights=amount, minlength=len(visits)).astype(np.int64))[visit[first]]
    number = np.where(deeds.submit, _checkout_number(visits), -1)
    line = np.arange(len(visit)) - np.repeat(first, np.diff(np.append(first, len(visit)))) + 1
    split = (np.bincount(visit, minlength=len(visits)) > 1) & chance(rng, SPLIT, len(visits))
    lines = Lines(
        visit=visit,
        number=line,
        order=number[visit] + np.where(split[visit], 1 + (line > 1), 0),
        sku=cycles.sku[chosen],
        quantity=quantity,
        price=price,
        original=original,
        amount=amount,
    )
    return Checkouts(lines, number, np.where(deeds.submit, cents, -1))


def orders(made: Checkouts, deeds: Deeds, submitted: Array, paid: Array) -> Orders:
    """The orders the lines belong to; `submitted` and `paid` are instants by visit, NEVER where it did not happen."""
    lines = made.lines
    order, first, inverse = np.unique(lines.order, return_index=True, return_inverse=True)
    visit = lines.visit[first]

    def total(column: Array) -> Array:
        return np.bincount(inverse, weights=column, minlength=len(order)).astype(np.int64)

    return Orders(
        visit=visit,
        order=order,
        parent=np.where(order != made.number[visit], made.number[visit], -1),
        items=total(lines.quantity),
        original=total(lines.original),
        amount=total(lines.amount),
        submitted=submitted[visit],
        paid=paid[visit],
        coupon=deeds.coupon_used[visit],
    )


def known_at(placed: Orders, export: int) -> Orders:
    """The orders as an export at that instant knows them: no later order, no later payment."""
    kept = placed.take(placed.submitted < export)
    return replace(kept, paid=np.where(kept.paid < export, kept.paid, NEVER))


def refunds(rng: np.random.Generator, placed: Orders, export: int) -> Refunds:
    """The refunds of paid orders that were completed before the export: most in full, some in part, days later."""
    position = np.flatnonzero((placed.paid != NEVER) & chance(rng, 0.07, len(placed)))
    wait = (DAY * RESTLESS_DAYS * rng.lognormal(0, 0.7, len(position))).astype(np.int64)
    full = chance(rng, 0.8, len(position))
    amount = placed.amount[position]
    made = Refunds(
        position=position,
        amount=np.where(full, amount, (amount // 2).clip(min=1)),
        time=placed.paid[position] + wait - wait % 1000,
        reason=rng.integers(0, len(REFUND_REASONS), len(position)),
    )
    return made.take(made.time < export)


def _chosen(cycles: Cycles, deeds: Deeds) -> Array:
    """Positions of the cycles whose product is ordered, in order of visit."""
    kept = cycles.carted & ~cycles.removed & deeds.submit[cycles.visit]
    bought = np.zeros(len(deeds), dtype=bool)
    bought[cycles.visit[kept]] = True
    direct = np.flatnonzero(cycles.viewed & deeds.submit[cycles.visit] & ~bought[cycles.visit])
    last = direct[np.append(np.diff(cycles.visit[direct]) > 0, True)[: len(direct)]]
    return np.sort(np.concatenate([np.flatnonzero(kept), last]))


def _payable(totals: Array, coupon: Array, promotion: bool) -> Array:
    rate = PROMOTION_RATE if promotion else 0.0
    reduced = totals - (totals * rate).astype(np.int64)
    payable: Array = np.maximum(reduced - np.where(coupon, COUPON_CENTS, 0), np.minimum(totals, 100))
    return payable


def _first_of_each(visit: Array) -> Array:
    """Positions at which a new visit begins; `visit` is sorted."""
    return np.flatnonzero(np.diff(visit, prepend=-1))


def _checkout_number(visits: Visits) -> Array:
    """A checkout's number, above 2^53 as real ones are; the two after it are for the orders it may be split into."""
    numbers: Array = visits.session * 10_000
    return numbers
