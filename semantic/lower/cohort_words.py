"""Cohorts in one word for each entity, where the events that bring it back are those that make it a member.

Its first event then is its word's lowest bit, and nothing else need be kept of it. Where events may lie before the
cohorts asked for, bit 0 stands for all of them, and the cohorts' periods begin at bit 1.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

from semantic.lower.cohort_events import ENTITY
from semantic.lower.cohort_question import CohortQuestion
from semantic.lower.shifts import to_local
from semantic.plan.build import conjunction
from semantic.plan.expr import ZERO, Binary, BitOf, Case, Col, Const, Expr, LowestBit, PeriodStart, Shifted
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Plan, Project
from semantic.plan.operators import BinaryOp
from semantic.plan.word import WORD
from semantic.query.bound import Key, TimeKey
from semantic.query.cells import later
from semantic.query.period import local_day
from semantic.time import Grain, day_begin, period_start, zone

PLACE, FIRST_DAY, SEEN_IN = "place#", "first_day#", "seen_in#"
_EPOCH = date(1900, 1, 1)
"""The day that PeriodStart counts from."""


def has_own_word(ask: CohortQuestion) -> bool:
    """Whether one word for each entity says when it began and when it came back."""
    definition = ask.definition
    if not ask.first_time or definition.cohort != definition.returns or ask.is_row or ask.open_ended:
        return False
    if not ask.fits() or definition.grain is Grain.MONTH or not all(_of_period(ask, key) for key in ask.keys):
        return False
    known = _all_matter(ask) or ask.end == _period_end(ask)
    return known and _places(ask) <= WORD and _days_in_order(ask)


def own_words(ask: CohortQuestion) -> Plan:
    """A row for each entity: `first_day#` of its cohort's period, and SEEN_IN, its returns from that period on."""
    members = ask.members
    earlier, begin = _may_be_earlier(ask), _begin(ask)
    place: Expr = ask.period_number(members.time.day, _base(ask))
    if earlier:
        place = Case(((members.time.since(begin), place),), ZERO)
    found = members.conditions(None if earlier else begin, ask.horizon())
    rows = members.rows(((PLACE, place),), found, ask.mixed, dated=True)
    seen = Agg(Fold.BIT_OR, BitOf(Col(PLACE), _places(ask)))
    entities: Plan = Aggregate(rows, ((ENTITY, Col(ENTITY)),), ((SEEN_IN, seen),))
    first = LowestBit(Col(SEEN_IN))
    limits: list[Expr] = [Binary(BinaryOp.GT, first, ZERO)] if earlier else []
    if not _all_matter(ask):
        limits.append(Binary(BinaryOp.LTE, first, Const(ask.number(ask.days[1]) - _base(ask))))
    limit = conjunction(limits)
    entities = entities if limit is None else Filter(entities, limit)
    return Project(entities, ((FIRST_DAY, _day(ask, first)), (SEEN_IN, Shifted(Col(SEEN_IN), first, ask.kept))))


def _day(ask: CohortQuestion, place: Expr) -> Expr:
    """The first day of the period that a bit stands for."""
    length = 7 if ask.definition.grain is Grain.WEEK else 1
    first = period_start(ask.days[0], ask.definition.grain, ask.view.week_start)
    base = later(first, _base(ask) - ask.number(ask.days[0]), ask.definition.grain)
    days = place if length == 1 else Binary(BinaryOp.MULTIPLY, place, Const(length))
    return PeriodStart(Binary(BinaryOp.ADD, days, Const((base - _EPOCH).days)))


def _of_period(ask: CohortQuestion, key: Key) -> bool:
    """Whether the cohort's period alone tells the key."""
    grain = ask.definition.grain
    return isinstance(key, TimeKey) and (key.grain is grain or (grain is Grain.DAY and not key.grain.is_clock))


def _places(ask: CohortQuestion) -> int:
    """How many bits a word may need."""
    last = local_day(ask.members.time.bounds.last, ask.view.zone)
    furthest = min(ask.number(ask.days[1]) + ask.furthest + 1, ask.number(last))
    return max(furthest - _base(ask) + 1, 1)


def _base(ask: CohortQuestion) -> int:
    """The number of the period that bit 0 stands for: the first cohort's, or that before it."""
    return ask.number(ask.days[0]) - (1 if _may_be_earlier(ask) else 0)


def _may_be_earlier(ask: CohortQuestion) -> bool:
    """Whether events may lie before the cohorts asked for."""
    return _before(ask, ask.members.time.bounds.first, _begin(ask))


def _all_matter(ask: CohortQuestion) -> bool:
    """Whether no event lies behind the cohorts asked for, or behind the returns that matter."""
    ends = [end for end in (ask.end, ask.horizon()) if end is not None]
    return all(_before(ask, ask.members.time.bounds.last, end) for end in ends)


def _days_in_order(ask: CohortQuestion) -> bool:
    """Whether of two events the later is never of an earlier day, as it may be where clocks go back over midnight."""
    bounds = ask.members.time.bounds
    if not isinstance(bounds.first, datetime):
        return True
    for tz in (ask.view.zone, zone(ask.members.time.dataset.timezone)):
        for (_, before), (change, after) in pairwise(to_local(tz, bounds)):
            walls = [change + timedelta(seconds=seconds) for seconds in (before, after)]
            if min(walls).date() != (max(walls) - timedelta(microseconds=1)).date():
                return False
    return True


def _before(ask: CohortQuestion, moment: date | datetime, instant: datetime) -> bool:
    """Whether a bound lies before an instant; a date stands at its local midnight."""
    return (moment if isinstance(moment, datetime) else day_begin(moment, ask.view.zone)) < instant


def _begin(ask: CohortQuestion) -> datetime:
    """From when on events make members."""
    return ask.start if ask.start is not None else day_begin(ask.days[0], ask.view.zone)


def _period_end(ask: CohortQuestion) -> datetime:
    """The end of the last cohort's period."""
    start = period_start(ask.days[1], ask.definition.grain, ask.view.week_start)
    return day_begin(later(start, 1, ask.definition.grain), ask.view.zone)
