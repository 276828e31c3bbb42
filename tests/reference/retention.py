"""Retention: a second answer, from every entity's first and later events (semantics.md §2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from semantic.model.model import Model
from semantic.model.sequence import Clock, CohortType, RetentionDefinition, RetentionMode
from semantic.query.retention import RetentionQuery
from semantic.time import Grain
from tests.reference.clock import ONE_DAY, Moment, add_months, day_begin, last_day
from tests.reference.funnel import rate
from tests.reference.refused import Unspecified
from tests.reference.rows import Tables
from tests.reference.timeline import Happening, Timeline, shown

Answer = dict[str, Any]
Counts = Callable[[Happening], bool]


def answer_retention(model: Model, tables: Tables, asked: RetentionQuery) -> Answer:
    """`cohorts`, `overall`, `groups` as GraphQL has them. Unspecified where a tie decides what is asked."""
    return Report(model, tables, asked).answer()


def retention_rows(model: Model, tables: Tables, asked: RetentionQuery) -> list[Answer]:
    """One row for each cohort that has members and breakdown value: its size, and who came back in every cell."""
    return Report(model, tables, asked).rows()


@dataclass(frozen=True, slots=True)
class Member:
    """An entity in a cohort: the period, the cohort event, and every return event."""

    cohort: date
    start: Happening
    returns: tuple[Happening, ...]


class Followed:
    """The members of a retention's cohorts, and which cells they count in."""

    def __init__(self, timeline: Timeline, retention: RetentionDefinition) -> None:
        self.timeline = timeline
        self.retention = retention
        self.datasets = list(dict.fromkeys((retention.cohort.dataset, retention.returns.dataset)))
        self.through = timeline.data_through(self.datasets)
        self.qualifying = self._by_entity(retention.cohort)
        self.returns = self._by_entity(retention.returns)

    def _by_entity(self, events: Any) -> dict[str, list[Happening]]:
        found: dict[str, list[Happening]] = {}
        for one in self.timeline.happenings(events.dataset, self.retention.entity, events.where):
            found.setdefault(one.entity, []).append(one)
        return found

    # --- cohorts ---------------------------------------------------------------------------------------------------

    def cohort_of(self, when: Moment) -> date:
        period = self.timeline.period(when, self.retention.grain)
        assert isinstance(period, date)
        return period

    def members(self, in_range: Counts, passes: Counts, value: Callable[[Happening], Any]) -> list[Member]:
        """Everybody whose cohort event lies in the range and passes the filters.

        `value`: what of a cohort event matters beyond its time; several at one instant must agree on it.
        """
        found = []
        for entity, events in self.qualifying.items():
            for candidates in self._candidates(events, in_range):
                start = self._first(candidates, lambda one: (in_range(one) and passes(one), value(one)))
                if in_range(start) and passes(start):
                    returns = tuple(self.returns.get(entity, ()))
                    found.append(Member(self.cohort_of(start.when), start, returns))
        return found

    def _candidates(self, events: list[Happening], in_range: Counts) -> list[list[Happening]]:
        """An entity's events among which the first is its cohort event: all, or those of one period in the range."""
        if self.retention.cohort_type is CohortType.FIRST_TIME:
            return [events]
        periods: dict[date, list[Happening]] = {}
        for one in filter(in_range, events):
            periods.setdefault(self.cohort_of(one.when), []).append(one)
        return list(periods.values())

    def _first(self, events: Sequence[Happening], what: Callable[[Happening], Any]) -> Happening:
        first = min(one.micros for one in events)
        tied = [one for one in events if one.micros == first]
        if any(what(one) != what(tied[0]) for one in tied):
            raise Unspecified("which of several events at one instant is the first")
        return tied[0]

    # --- cells -----------------------------------------------------------------------------------------------------

    def cells(self, periods: int | None) -> int:
        """How many cells a cohort has: as many as asked for, at most one for each bracket."""
        brackets = self.retention.brackets
        if self.retention.mode is RetentionMode.BRACKET:
            return len(brackets) if periods is None else min(periods, len(brackets))
        return self.retention.periods if periods is None else periods

    def index(self, member: Member, back: Happening) -> int:
        """How many periods after the cohort event something happened; negative: before."""
        grain = self.retention.grain
        if self.retention.clock is Clock.ELAPSED:
            return (back.micros - member.start.micros) // (self._length() // timedelta(microseconds=1))
        period = self.cohort_of(back.when)
        if grain is Grain.MONTH:
            return (period.year - member.cohort.year) * 12 + period.month - member.cohort.month
        return (period - member.cohort).days // (7 if grain is Grain.WEEK else 1)

    def _length(self) -> timedelta:
        """A period of elapsed time."""
        return {Grain.DAY: timedelta(hours=24), Grain.WEEK: timedelta(hours=24 * 7)}[self.retention.grain]

    def is_retained(self, member: Member, cell: int) -> bool:
        """Did a member come back as the cell says? An open-ended cell that is final sees no day beyond the last
        complete one; until then it counts what is seen so far.
        """
        final = self.retention.mode is RetentionMode.ON_OR_AFTER and self.is_mature(member.cohort, cell)
        last = self.through if final else None
        return any(self._falls_in(member, one, cell) for one in member.returns if last is None or one.when.day <= last)

    def _falls_in(self, member: Member, back: Happening, cell: int) -> bool:
        index = self.index(member, back)
        match self.retention.mode:
            case RetentionMode.EXACT if cell == 0:
                return index == 0 and back.micros > member.start.micros
            case _ if cell == 0:
                raise Unspecified("period 0 of several periods")
            case RetentionMode.EXACT:
                return index == cell
            case RetentionMode.WITHIN:
                return 1 <= index <= cell
            case RetentionMode.ON_OR_AFTER:
                return index >= cell
            case RetentionMode.BRACKET:
                first, last = self.retention.brackets[cell - 1]
                return first <= index <= last

    def is_mature(self, cohort: date, cell: int) -> bool:
        """Does the cell's (last) period lie in the complete days, for every possible member of the cohort?"""
        if self.through is None:
            return False
        number = self.retention.brackets[cell - 1][1] if self.retention.mode is RetentionMode.BRACKET else cell
        if self.retention.clock is Clock.ELAPSED:
            latest = day_begin(last_day(cohort, self.retention.grain) + ONE_DAY, self.timeline.zone)
            until = self.timeline.complete_until(self.through)
            return until is not None and latest + (number + 1) * self._length() <= until
        return last_day(self._later(cohort, number), self.retention.grain) <= self.through

    def _later(self, cohort: date, periods: int) -> date:
        match self.retention.grain:
            case Grain.MONTH:
                return add_months(cohort, periods)
            case Grain.WEEK:
                return cohort + timedelta(days=7 * periods)
            case _:
                return cohort + timedelta(days=periods)

    def pooled(self, members: Sequence[Member], cell: int, mature: int | None = None) -> tuple[int, int]:
        """Who came back and how many there were, over the cohorts for which the cell (or a later one) is final."""
        needed = cell if mature is None else mature
        final = [member for member in members if self.is_mature(member.cohort, needed)]
        return sum(self.is_retained(member, cell) for member in final), len(final)


class Report:
    """One question about a retention."""

    def __init__(self, model: Model, tables: Tables, asked: RetentionQuery) -> None:
        self.asked = asked
        self.timeline = Timeline(model, tables, asked.timezone)
        self.followed = Followed(self.timeline, model.retentions[asked.retention])
        self.range = self.timeline.range(asked.time_range, self.followed.datasets)
        days = self.timeline.days(self.range, [self.followed.retention.cohort.dataset])
        self.cohorts = self.timeline.periods(days, self.followed.retention.grain)
        self.cells = range(1, self.followed.cells(asked.periods) + 1)

    def answer(self) -> Answer:
        members = self.followed.members(self.in_range, self.passes, self._value)
        groups: dict[tuple[Any, ...], list[Member]] = {}
        for member in members if self.asked.breakdown else ():
            groups.setdefault(self._value(member.start), []).append(member)
        return {
            "cohorts": self._cohorts(members),
            "overall": self._pooled(members),
            "groups": [self._group(values, some) for values, some in groups.items()],
        }

    def _group(self, values: tuple[Any, ...], members: list[Member]) -> Answer:
        return {
            "key": self._key(values),
            "size": len(members),
            "cells": self._pooled(members),
            "cohorts": self._cohorts(members),
        }

    def rows(self) -> list[Answer]:
        groups: dict[tuple[date, tuple[Any, ...]], list[Member]] = {}
        for member in self.followed.members(self.in_range, self.passes, self._value):
            groups.setdefault((member.cohort, self._value(member.start)), []).append(member)
        return [self._row(cohort, values, some) for (cohort, values), some in groups.items()]

    def _row(self, cohort: date, values: tuple[Any, ...], members: list[Member]) -> Answer:
        cells = {f"cell{n}": sum(self.followed.is_retained(member, n) for member in members) for n in self.cells}
        by = {f"by{place}": value for place, value in enumerate(values)}
        return {"cohort": cohort, **by, "size": len(members), **cells}

    def in_range(self, one: Happening) -> bool:
        return self.range is None or self.range.holds(one.when)

    def passes(self, one: Happening) -> bool:
        passes = self.timeline.source.holds(self.asked.where, one.dataset, one.row)
        return passes and self.timeline.segments_hold(one, self.asked.segments)

    def _value(self, one: Happening) -> tuple[Any, ...]:
        return self.timeline.values(one, self.asked.breakdown)

    def _key(self, values: tuple[Any, ...]) -> list[Answer]:
        pairs = zip(self.asked.breakdown, values, strict=True)
        return [{"dimension": name, "value": value} for name, value in pairs]

    def _pooled(self, members: list[Member]) -> list[Answer]:
        return [self._overall(members, cell) for cell in self.cells]

    def _cohorts(self, members: list[Member]) -> list[Answer]:
        found = []
        for cohort in self.cohorts:
            some = [member for member in members if member.cohort == cohort]
            cells = [self._cell(cohort, some, cell) for cell in self.cells]
            found.append({"time": shown(cohort, self.timeline.zone), "size": len(some), "cells": cells})
        return found

    def _cell(self, cohort: date, members: list[Member], cell: int) -> Answer:
        mature = self.followed.is_mature(cohort, cell)
        count = sum(self.followed.is_retained(member, cell) for member in members)
        return {
            "period": cell,
            "count": count,
            "rate": rate(count, len(members)) if mature else None,
            "mature": mature,
            "eligible": len(members) if mature else 0,
        }

    def _overall(self, members: list[Member], cell: int) -> Answer:
        count, size = self.followed.pooled(members, cell)
        mature = any(self.followed.is_mature(cohort, cell) for cohort in self.cohorts)
        return {"period": cell, "count": count, "rate": rate(count, size), "mature": mature, "eligible": size}
