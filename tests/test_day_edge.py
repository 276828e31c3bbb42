"""Where a local day begins, against every quarter of an hour around every change of clocks; and where no day does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from semantic.errors import QueryError
from semantic.query.retention import RetentionQuery
from semantic.time import day_begin, day_edge, utc_offsets
from tests.reference.served import serve
from tests.sequences import ask_engine
from tests.test_reference_retention import visits

ONE_DAY = timedelta(days=1)


def days_of_changes(tz: ZoneInfo) -> Iterator[date]:
    for change, _ in utc_offsets(tz, datetime(1971, 1, 1), datetime(2030, 1, 1))[1:]:
        yield from (change.date() + n * ONE_DAY for n in (-1, 0, 1))


def edge_of(day: date, tz: ZoneInfo) -> datetime | None:
    with suppress(QueryError):
        return day_edge(day, tz)
    return None


def parts(day: date, edge: datetime, tz: ZoneInfo) -> bool:
    """Whether no moment before the instant is of that day or later, and none from it on is of an earlier one."""
    noon = datetime(day.year, day.month, day.day, 12)
    for n in range(-4 * 48, 4 * 24):
        for instant in (noon + n * timedelta(minutes=15), edge + n * timedelta(minutes=15)):
            if (instant.replace(tzinfo=UTC).astimezone(tz).date() >= day) != (instant >= edge):
                return False
    return True


@pytest.mark.parametrize(
    ("name", "twice"),
    [
        ("America/St_Johns", 24),
        ("America/Goose_Bay", 24),
        ("Antarctica/Casey", 1),
        ("America/Havana", 0),  # goes back to midnight, not over it
        ("America/Santiago", 0),  # goes back at midnight, which comes once
        ("America/New_York", 0),
        ("Pacific/Apia", 0),  # left a day out
    ],
)
def test_a_day_has_an_edge_or_is_refused(name: str, twice: int) -> None:
    tz, refused = ZoneInfo(name), set[date]()
    for day in days_of_changes(tz):
        edge = edge_of(day, tz)
        if edge is None:
            refused.add(day)
            assert not parts(day, day_begin(day, tz), tz)
        else:
            assert parts(day, edge, tz), day
    assert len(refused) == twice


@pytest.mark.parametrize(("through", "refused"), [("2010-11-05", False), ("2010-11-06", True), ("2010-11-07", False)])
async def test_returns_are_not_counted_up_to_a_day_that_begins_twice(through: str, refused: bool) -> None:
    """A final open-ended cell sees no return after the last complete day."""
    world = visits("u -140000 -139976", through, "America/St_Johns", mode="on_or_after")
    async with serve(world, world.model()) as served:
        if not refused:
            await ask_engine(served, RetentionQuery("r"))
            return
        with pytest.raises(QueryError, match="2010-11-07 begins twice in America/St_Johns"):
            await ask_engine(served, RetentionQuery("r"))
