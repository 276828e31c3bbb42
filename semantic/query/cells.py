"""The cells of a retention.

which periods after the cohort's each stands for, and when it is final (semantics.md §2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from semantic.model.sequence import Clock, RetentionDefinition, RetentionMode
from semantic.time import Grain, Weekday, add_months, day_begin, period_end, period_start


@dataclass(frozen=True, slots=True)
class Cell:
    """Cell `number`.

    entities that came back in any of the periods `low` … `high` (None: to the end) after the cohort's.
    """

    number: int
    low: int
    high: int | None


def cell(definition: RetentionDefinition, number: int) -> Cell:
    """One cell of a retention, by its number."""
    match definition.mode:
        case RetentionMode.EXACT:
            return Cell(number, number, number)
        case RetentionMode.WITHIN:
            return Cell(number, 1, number)
        case RetentionMode.ON_OR_AFTER:
            return Cell(number, number, None)
        case RetentionMode.BRACKET:
            low, high = definition.brackets[number - 1]
            return Cell(number, low, high)


def cells(definition: RetentionDefinition, periods: int | None = None) -> tuple[Cell, ...]:
    """Cells 1 to `periods` (None: the definition's own); brackets have one each."""
    count = definition.periods if periods is None else periods
    if definition.mode is RetentionMode.BRACKET:
        count = len(definition.brackets) if periods is None else min(periods, len(definition.brackets))
    return tuple(cell(definition, number) for number in range(1, count + 1))


def period_index(day: date, grain: Grain, week_start: Weekday) -> int:
    """The number of a day's period, as plan.expr.PeriodIndex counts: the next period's is one more."""
    if grain is Grain.MONTH:
        return day.year * 12 + day.month
    if grain is Grain.WEEK:
        return ((day - date(1900, 1, 1)).days - week_start.number) // 7
    return (day - date(1970, 1, 1)).days


def later(start: date, periods: int, grain: Grain) -> date:
    """The start of the period some periods after (negative: before) the one that starts at `start`."""
    if grain is Grain.MONTH:
        return add_months(start, periods)
    return start + timedelta(days=periods * (7 if grain is Grain.WEEK else 1))


def last_mature(definition: RetentionDefinition, asked: Cell, through: date, week_start: Weekday, tz: ZoneInfo) -> date:
    """The start of the last cohort period whose cell is final when days up to `through` are complete."""
    grain = definition.grain
    ahead = asked.high if asked.high is not None else asked.low
    if definition.clock is Clock.CALENDAR:
        incomplete = period_start(through + timedelta(days=1), grain, week_start)
        return later(incomplete, -(ahead + 1), grain)
    elapsed = timedelta(days=(ahead + 1) * (7 if grain is Grain.WEEK else 1))
    complete = day_begin(through + timedelta(days=1), tz)
    start = period_start(through - elapsed + timedelta(days=1), grain, week_start)
    while day_begin(period_end(start, grain), tz) + elapsed > complete:  # even the last of the cohort
        start = later(start, -1, grain)
    return start
