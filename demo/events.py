"""Rows of the event log: the decisions of `browse`, put in order, given times, and damaged as real logs are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from demo.batch import NEVER, Array, Batch, chance
from demo.browse import MOST_EXPOSURES, Cycles, Deeds
from demo.orders import Checkouts, Orders, Refunds
from demo.stories import Stories
from demo.visits import Shares, Visits
from demo.words import BROKEN, IOS, SECONDS_BEFORE, Event, Page

CYCLE, VISIT = 1 << 5, 1 << 12
"""Factors of a row's place: visit, then cycle (0 the launch, TAIL the end), then position in the cycle."""
TAIL = 100

LATE = 0.012
DUPLICATES = 0.004
LOST_IN_BREAK = 0.9
"""The share of page views and exposures the broken version on iOS never sends."""


VISIT_COLUMNS = (
    *("user", "device", "session", "app", "scene", "explicit", "resolved", "campaign"),
    *("sharer", "platform", "version", "bot"),
)
"""What every event says of its visit."""


@dataclass(frozen=True, slots=True)
class Rows(Batch):
    """One entry an event; -1 is null. Instants are microseconds in UTC, `amount` is cents, `stay` milliseconds."""

    time: Array
    received: Array
    event: Array
    page: Array
    page_seq: Array
    sku: Array
    order: Array
    amount: Array
    stay: Array
    user: Array
    device: Array
    session: Array
    app: Array
    scene: Array
    explicit: Array
    resolved: Array
    campaign: Array
    share: Array
    sharer: Array
    platform: Array
    version: Array
    bot: Array


@dataclass(frozen=True, slots=True)
class _Marks(Batch):
    """Events before they have times: which visit, which place in it, what."""

    visit: Array
    place: Array
    event: Array
    page: Array
    sku: Array


def rows(rng: np.random.Generator, visits: Visits, cycles: Cycles, deeds: Deeds, made: Checkouts) -> Rows:
    """Every event of the visits, complete and in order of visit and time."""
    marks = _Marks.concat([*_launch(visits, deeds), *_cycles(rng, cycles), *_tail(deeds)])
    marks = marks.take(np.argsort(marks.place))
    visit, event = marks.visit, marks.event
    time = _times(rng, visits, visit, event)
    ordering = np.isin(event, (Event.ORDER_SUBMIT, Event.PAY_SUCCESS, Event.PAY_FAIL))
    page_view = event == Event.PAGE_VIEW
    from_visit = {name: getattr(visits, name)[visit] for name in VISIT_COLUMNS}
    return Rows(
        time=time,
        received=time + (rng.lognormal(-0.5, 0.8, len(time)) * 1000).astype(np.int64) * 1000,
        event=event,
        page=marks.page,
        page_seq=np.where(page_view, _ordinals(visit, page_view), -1),
        sku=marks.sku,
        order=np.where(ordering | (event == Event.COUPON_USE), made.number[visit], -1),
        amount=np.where(ordering, made.cents[visit], -1),
        stay=_stays(visit, event, time, page_view),
        share=np.where(event == Event.SHARE, visits.session[visit], visits.share[visit]),
        **from_visit,
    )


def moments(made: Rows, visits: Visits, event: Event) -> Array:
    """When an event happened in each visit; NEVER where it did not."""
    found = np.full(len(visits), NEVER)
    at = made.event == event
    found[np.searchsorted(visits.session, made.session[at])] = made.time[at]
    return found


def shares(made: Rows) -> Shares:
    """The links that were passed on in these rows."""
    sent = made.take(made.event == Event.SHARE)
    return Shares(sent.share, sent.device, sent.time)


def refund_rows(visits: Visits, placed: Orders, given: Refunds) -> Rows:
    """What the server logs for a refund: an event outside any visit, with the order's source."""
    order = placed.take(given.position)
    source = visits.take(order.visit)
    count = len(given)
    none = np.full(count, -1, dtype=np.int64)
    return Rows(
        time=given.time,
        received=given.time + 200_000,
        event=np.full(count, Event.REFUND_SUCCESS, dtype=np.int8),
        page=none.astype(np.int8),
        page_seq=none,
        sku=none.astype(np.int16),
        order=order.order,
        amount=given.amount,
        stay=none,
        share=source.share,
        **{name: getattr(source, name) for name in VISIT_COLUMNS} | {"session": none},
    )


def damage(rng: np.random.Generator, made: Rows, stories: Stories) -> Rows:
    """The rows that reach the log: some late, some lost to the broken version, none after the export."""
    late = chance(rng, LATE, len(made))
    delay = np.exp(rng.uniform(np.log(120), np.log(130_000), len(made))).astype(np.int64) * 1_000_000
    arrived = replace(made, received=made.received + np.where(late, delay, 0))
    within = (made.time >= stories.break_start) & (made.time < stories.break_end)
    broken = within & (made.version == BROKEN) & (made.platform == IOS)
    affected = broken & ((made.event == Event.PAGE_VIEW) | (made.event == Event.EXPOSURE))
    lost = affected & chance(rng, LOST_IN_BREAK, len(made))
    return arrived.take(~lost & (arrived.received < stories.export))


def repeat_some(rng: np.random.Generator, made: Rows, export: int) -> tuple[Array, Rows]:
    """Delivery is at least once: the positions of rows sent again, and the same rows as received the second time."""
    position = np.flatnonzero(chance(rng, DUPLICATES, len(made)))
    again = made.take(position)
    again = replace(again, received=again.received + rng.integers(1, 1800, len(position)) * 1_000_000)
    kept = again.received < export
    return position[kept], again.take(kept)


def _launch(visits: Visits, deeds: Deeds) -> list[_Marks]:
    everyone = np.arange(len(visits))
    follows = np.flatnonzero(visits.share >= 0)
    pushed = np.flatnonzero(np.isin(visits.scene, (1014, 1107, 1043)))
    searches = np.flatnonzero(deeds.search)
    return [
        _marks(everyone, 0, 0, Event.APP_LAUNCH),
        _marks(everyone, 0, 1, Event.APP_SHOW),
        _marks(pushed, 0, 2, Event.PUSH_OPEN),
        _marks(follows, 0, 3, Event.SHARE_OPEN),
        _marks(everyone, 0, 4, Event.PAGE_VIEW, Page.HOME),
        _marks(np.flatnonzero(deeds.register & ~deeds.submit), 0, 5, Event.REGISTER, Page.MEMBER),
        _marks(np.flatnonzero(deeds.coupon), 0, 6, Event.COUPON_RECEIVE, Page.HOME),
        _marks(searches, 0, 7, Event.PAGE_VIEW, Page.SEARCH),
        _marks(searches, 0, 8, Event.SEARCH, Page.SEARCH),
    ]


def _cycles(rng: np.random.Generator, cycles: Cycles) -> list[_Marks]:
    viewed = np.flatnonzero(cycles.viewed)
    clicked = viewed[cycles.exposures[viewed] > 0]

    def mark(index: Array, position: int, event: Event, page: Page = Page.DETAIL) -> _Marks:
        return _marks(cycles.visit[index], cycles.number[index], position, event, page, cycles.sku[index])

    shown = []
    for position in range(MOST_EXPOSURES):
        index = np.flatnonzero(cycles.exposures > position)
        marks = mark(index, position, Event.EXPOSURE, Page.HOME)
        shown.append(marks if position == 0 else replace(marks, sku=rng.permutation(marks.sku)))
    return [
        *shown,
        mark(clicked, 10, Event.CLICK, Page.HOME),
        mark(viewed, 11, Event.PAGE_VIEW),
        mark(viewed, 12, Event.DETAIL_VIEW),
        mark(np.flatnonzero(cycles.favorite), 13, Event.FAVORITE),
        mark(np.flatnonzero(cycles.carted), 14, Event.ADD_TO_CART),
        mark(np.flatnonzero(cycles.removed), 15, Event.REMOVE_FROM_CART, Page.CART),
    ]


def _tail(deeds: Deeds) -> list[_Marks]:
    def mark(did: Array, position: int, event: Event, page: Page) -> _Marks:
        return _marks(np.flatnonzero(did), TAIL, position, event, page)

    return [
        mark(deeds.cart_page, 0, Event.PAGE_VIEW, Page.CART),
        mark(deeds.register & deeds.submit, 1, Event.REGISTER, Page.MEMBER),
        mark(deeds.checkout, 2, Event.PAGE_VIEW, Page.CHECKOUT),
        mark(deeds.checkout, 3, Event.CHECKOUT_START, Page.CHECKOUT),
        mark(deeds.coupon_used, 4, Event.COUPON_USE, Page.CHECKOUT),
        mark(deeds.submit, 5, Event.ORDER_SUBMIT, Page.CHECKOUT),
        mark(deeds.pay_fail, 6, Event.PAY_FAIL, Page.CHECKOUT),
        mark(deeds.pay_success, 7, Event.PAY_SUCCESS, Page.CHECKOUT),
        mark(deeds.pay_success, 8, Event.PAGE_VIEW, Page.RESULT),
        mark(deeds.subscribe, 9, Event.SUBSCRIBE_ACCEPT, Page.RESULT),
        mark(deeds.share, 10, Event.SHARE, Page.DETAIL),
        _marks(np.arange(len(deeds)), TAIL, 20, Event.APP_HIDE),
    ]


def _marks(
    visit: Array, cycle: Array | int, position: int, event: Event, page: Page | None = None, sku: Array | None = None
) -> _Marks:
    count = len(visit)
    return _Marks(
        visit=visit,
        place=visit * VISIT + cycle * CYCLE + position,
        event=np.full(count, event, dtype=np.int8),
        page=np.full(count, -1 if page is None else page, dtype=np.int8),
        sku=np.full(count, -1, dtype=np.int16) if sku is None else sku,
    )


def _times(rng: np.random.Generator, visits: Visits, visit: Array, event: Array) -> Array:
    """The start of the visit plus what passed before each of its events; whole milliseconds."""
    waits = (SECONDS_BEFORE[event] * rng.exponential(1.0, len(event)) * 1000).astype(np.int64)
    passed = np.cumsum(waits)
    first = np.flatnonzero(event == Event.APP_LAUNCH)
    times: Array = visits.start[visit] + (passed - passed[first][visit]) * 1000
    return times


def _ordinals(visit: Array, counted: Array) -> Array:
    """How many counted rows of its visit a row is or has before it."""
    running = np.cumsum(counted)
    before = np.searchsorted(visit, np.arange(visit[-1] + 1 if len(visit) else 0))
    ordinals: Array = running - (running[before] - counted[before])[visit]
    return ordinals


def _stays(visit: Array, event: Array, time: Array, page_view: Array) -> Array:
    """Milliseconds on a page (until the next page or the end) and, at app_hide, in the visit; else -1."""
    stay = np.full(len(event), -1, dtype=np.int64)
    ends = np.flatnonzero(event == Event.APP_HIDE)
    turns = np.flatnonzero(page_view | (event == Event.APP_HIDE))
    until = np.append(time[turns[1:]], 0)
    pages = page_view[turns]
    stay[turns[pages]] = (until - time[turns])[pages] // 1000
    starts = np.flatnonzero(event == Event.APP_LAUNCH)
    stay[ends] = (time[ends] - time[starts]) // 1000
    return stay
