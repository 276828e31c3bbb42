"""The demo shop, day by day: the memory of people in arrays, the events of one day at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

import numpy as np

from demo import ads, channels, tables, write
from demo.batch import NEVER
from demo.browse import browse
from demo.events import Rows, damage, moments, refund_rows, rows, shares
from demo.log import DayLog
from demo.orders import Orders, Refunds, checkouts, known_at, orders, refunds
from demo.people import People, people
from demo.products import Products, products
from demo.stories import DAY, Stories, calendar_rows, midnight, plan, promotion_on
from demo.visits import Shares, Visits, follow, visits_of
from demo.words import Event

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the days done and the days in all."""

DEFAULT_END = date(2026, 11, 20)
BLOCK = 100_000
"""Visits worked on at once: what bounds the memory of a busy day."""
LEAST_BLOCKS = 3
"""A day is cut at least so often, so that links passed on in the morning bring visits in the evening."""
USERS_AT_ONCE = 1_000_000


def generate(
    out: Path,
    *,
    users: int = 30_000,
    days: int = 90,
    seed: int = 7,
    end: date = DEFAULT_END,
    progress: Progress | None = None,
) -> None:
    """Write the demo shop to `out`: the model (`*.yml`) and its data (`data/`), the same for the same arguments.

    `users` people (about 40 events each) over the `days` days that end with `end`, a day that is exported at 18:00
    and therefore incomplete. Files of the shop already in `out` are replaced; other files stay.
    Raises ValueError when `users` or `days` is below 1.
    """
    if users < 1 or days < 1:
        raise ValueError("the demo shop needs at least one user and one day")
    copy_model(out)
    data = out / "data"
    shutil.rmtree(data / "events", ignore_errors=True)
    _Shop.open(data, users, plan(end, days), seed).run(progress)


def copy_model(out: Path) -> None:
    """Copy the model of the demo shop to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for entry in files("demo").joinpath("model").iterdir():
        if entry.name.endswith(".yml"):
            (out / entry.name).write_bytes(entry.read_bytes())


@dataclass(frozen=True, slots=True)
class _Sales:
    """The files that money is written to."""

    orders: write.ParquetStream
    items: write.ParquetStream
    refunds: write.ParquetStream


@dataclass(slots=True)
class _Shop:
    """A run of the generator. `carried` holds rows of visits that went past midnight, `due` refunds to come, by day."""

    data: Path
    seed: int
    stories: Stories
    people: People
    shelf: Products
    passed_on: Shares = field(default_factory=Shares.none)
    carried: list[Rows] = field(default_factory=list)
    due: dict[int, list[Rows]] = field(default_factory=dict)
    spend: list[ads.Record] = field(default_factory=list)
    official: list[ads.Record] = field(default_factory=list)

    @classmethod
    def open(cls, data: Path, users: int, stories: Stories, seed: int) -> _Shop:
        return cls(data, seed, stories, people(users, seed, stories), products(seed))

    def run(self, progress: Progress | None) -> None:
        with ExitStack() as stack:
            sales = _Sales(
                orders=stack.enter_context(self._stream("orders", tables.ORDERS_SCHEMA)),
                items=stack.enter_context(self._stream("order_items", tables.ITEMS_SCHEMA)),
                refunds=stack.enter_context(self._stream("refunds", tables.REFUNDS_SCHEMA)),
            )
            for day in range(self.stories.days):
                self._day(day, sales)
                if progress:
                    progress(day + 1, self.stories.days)
        self._lookups()

    def _stream(self, name: str, schema: object) -> write.ParquetStream:
        return write.ParquetStream(self.data / f"{name}.parquet", schema)

    def _day(self, day: int, sales: _Sales) -> None:
        rng = np.random.default_rng([self.seed, 3, day])
        visits = visits_of(rng, self.people, self.stories, day)
        visits = visits.take(visits.start < self.stories.export)
        self.passed_on = self.passed_on.recent(midnight(self.stories.day(day)) - DAY)
        log = DayLog(self.data / "events", self.stories.day(day), self.stories.export, self.people, self.shelf, rng)
        log.add(*self.carried)
        self.carried = []
        counted = ads.PlatformCount()
        for block in np.array_split(np.arange(len(visits)), max(LEAST_BLOCKS, -(-len(visits) // BLOCK))):
            if len(block):
                log.add(self._block(rng, day, visits.take(block), counted, sales))
        log.add(*self.due.pop(day, []))
        log.flush()
        self.spend.extend(ads.ad_spend(rng, self.stories.day(day), visits))
        self.official.extend(counted.records(rng, self.stories.day(day)))

    def _block(
        self, rng: np.random.Generator, day: int, visits: Visits, counted: ads.PlatformCount, sales: _Sales
    ) -> Rows:
        """What the visitors of a stretch of a day did, ordered and passed on; the day's rows that reach the log."""
        visits = follow(rng, visits, self.passed_on.take(self.passed_on.time < visits.start[0]))
        cycles, deeds = browse(rng, visits, self.people, self.shelf, self.stories, self.stories.intent(day))
        ordered = checkouts(rng, visits, cycles, deeds, self.shelf, promotion_on(self.stories.day(day)) is not None)
        made = rows(rng, visits, cycles, deeds, ordered)
        counted.add(visits, made)
        self.passed_on = Shares.concat([self.passed_on, shares(made)])
        submitted, paid = moments(made, visits, Event.ORDER_SUBMIT), moments(made, visits, Event.PAY_SUCCESS)
        placed = known_at(orders(ordered, deeds, submitted, paid), self.stories.export)
        given = refunds(rng, placed, self.stories.export)
        sales.orders.add(tables.orders_table(placed, given, visits))
        sales.items.add(tables.items_table(ordered.lines, placed, visits))
        sales.refunds.add(tables.refunds_table(given, placed, visits))
        self._remember(visits, placed, given)
        midnight_after = midnight(self.stories.day(day)) + DAY
        arrived = damage(rng, made, self.stories)
        self.carried.append(arrived.take(arrived.time >= midnight_after))
        return arrived.take(arrived.time < midnight_after)

    def _remember(self, visits: Visits, placed: Orders, given: Refunds) -> None:
        paid = placed.take((placed.paid != NEVER) & (visits.user[placed.visit] >= 0))
        self.people.note_payments(visits.user[paid.visit], paid.paid, paid.amount)
        events = refund_rows(visits, placed, given)
        index = (events.time - midnight(self.stories.first)) // DAY
        for day in np.unique(index):
            self.due.setdefault(int(day), []).append(events.take(index == day))

    def _lookups(self) -> None:
        """The tables that are known only at the end, and the small ones that people edit."""
        last = self.stories.day(self.stories.days - 1)
        write.write_parquet(tables.products_table(self.shelf), self.data / "products.parquet")
        opened = date(self.stories.first.year - 2, 1, 1)
        for name, rows_of in {
            "ad_spend": self.spend,
            "official_stats": self.official,
            "channels": channels.channel_rows(),
            "channel_groups": channels.group_rows(),
            "calendar": calendar_rows(opened, date(last.year, 12, 31)),
        }.items():
            write.write_csv(rows_of, self.data / f"{name}.csv")
        known = (self.people.first_visit != NEVER) | (self.people.first_paid != NEVER)
        user = np.flatnonzero(known)
        with self._stream("users", tables.USERS_SCHEMA) as stream:
            for start in range(0, len(user), USERS_AT_ONCE):
                stream.add(tables.users_table(self.people, user[start : start + USERS_AT_ONCE]))
