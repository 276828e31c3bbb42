"""Reports from rows: shares, periods and cells at their edges. The rows are made up; what they mean is not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from semantic.load import load_texts
from semantic.model.facts import Bounds, DatasetFacts, Facts, Kind
from semantic.query.bind_funnel import bind_funnel
from semantic.query.bind_retention import bind_retention
from semantic.query.bound import BoundFunnel, BoundRetention
from semantic.query.funnel import FunnelQuery, FunnelReport
from semantic.query.query import Dates
from semantic.query.retention import RetentionQuery
from semantic.report.funnel import drop_offs, funnel_groups, funnel_periods, funnel_steps, is_mature, time_buckets
from semantic.report.group import KeyPart
from semantic.report.retention import cohorts, periods, pooled, retention_groups
from semantic.time import Duration, Grain, Unit

MODEL = """
version: 1
timezone: {zone}
dimensions: [{{name: channel, type: string}}]
datasets:
  - name: events
    source: data/events.parquet
    primary_key: event_id
    time_dimension: event_time
    entities: {{user: user_id}}
    dimensions: [{{name: channel}}]
    {through}
funnels:
  - name: f
    entity: user
    dataset: events
    window: 1 day
    steps: [{{name: a, label: {{en: Look, zh: 看}}}}, {{name: b}}, {{name: c}}]
retentions:
  - {{name: r, entity: user, cohort: {{dataset: events}}, return: {{dataset: events}}, periods: 2}}
  - {{name: e, entity: user, cohort: {{dataset: events}}, return: {{dataset: events}}, periods: 2, clock: elapsed}}
  - {{name: w, entity: user, cohort: {{dataset: events}}, return: {{dataset: events}}, periods: 2, grain: week}}
"""
COLUMNS = {
    "event_id": Kind.INTEGER,
    "user_id": Kind.STRING,
    "event_time": Kind.TIMESTAMP,
    "channel": Kind.STRING,
}
DAYS = {"event_time": Bounds(datetime(2026, 11, 1, 1), datetime(2026, 11, 5, 1))}


def world(through: str | None, zone: str, rows: bool = True) -> tuple[Any, Facts]:
    declared = f"data_through: {through}" if through else ""
    model = load_texts({"m.yml": MODEL.format(zone=zone, through=declared)})
    return model, Facts("1", {"events": DatasetFacts("1", COLUMNS, bounds=DAYS if rows else {})})


def funnel(through: str | None = "2026-11-05", zone: str = "UTC", **asked: Any) -> BoundFunnel:
    model, facts = world(through, zone)
    return bind_funnel(model, FunnelQuery("f", **asked), facts)


def retention(name: str = "r", through: str | None = "2026-11-05", rows: bool = True, **asked: Any) -> BoundRetention:
    model, facts = world(through, "UTC", rows)
    return bind_retention(model, RetentionQuery(name, **asked), facts)


# --- funnels ---------------------------------------------------------------------------------------------------------


def test_shares_of_a_step() -> None:
    row = {"count1": 8, "count2": 4, "count3": 0, "average2": 1.5, "median2": 1.0, "average3": None, "median3": None}
    first, second, third = funnel_steps(funnel(), row, "zh")
    assert (first.name, first.label, first.index, second.label) == ("a", "看", 1, "b")
    assert (first.conversion, first.step_conversion, first.drop_off) == (1.0, None, None)
    assert (first.average_seconds, first.median_seconds) == (None, None)
    assert (second.conversion, second.step_conversion, second.drop_off) == (0.5, 0.5, 4)
    assert (second.average_seconds, second.median_seconds) == (1.5, 1.0)
    assert (third.conversion, third.step_conversion, third.drop_off) == (0.0, 0.0, 4)


@pytest.mark.parametrize("row", [{"count1": 0, "count2": 0, "count3": 0}, {"count1": None}, {}])
def test_shares_of_nobody_are_unknown(row: dict[str, Any]) -> None:
    steps = funnel_steps(funnel(times=False), row)
    assert [step.count for step in steps] == [0, 0, 0]
    assert [step.conversion for step in steps] == [None, None, None]
    assert [step.drop_off for step in steps] == [None, 0, 0]


def test_groups_keep_what_is_not_set() -> None:
    rows: list[dict[str, Any]] = [{"by0": "ads", "count1": 1}, {"by0": None, "count1": 2}]
    groups = funnel_groups(funnel(breakdown=("channel",)), rows)
    assert [group.key for group in groups] == [(KeyPart("channel", "ads"),), (KeyPart("channel", None),)]
    assert [group.steps[0].count for group in groups] == [1, 2]


@pytest.mark.parametrize(
    ("grain", "window", "period", "mature"),
    [
        (Grain.DAY, None, date(2026, 11, 4), True),
        (Grain.DAY, None, date(2026, 11, 5), False),
        (Grain.DAY, Duration(2, Unit.DAY), date(2026, 11, 3), True),
        (Grain.DAY, Duration(2, Unit.DAY), date(2026, 11, 4), False),
        (Grain.DAY, Duration(1, Unit.SECOND), date(2026, 11, 5), False),
        (Grain.WEEK, None, date(2026, 10, 26), True),
        (Grain.WEEK, None, date(2026, 11, 2), False),
        (Grain.MONTH, None, date(2026, 10, 1), True),
        (Grain.HOUR, Duration(1, Unit.HOUR), datetime(2026, 11, 5, 22, tzinfo=UTC), True),
        (Grain.HOUR, Duration(1, Unit.HOUR), datetime(2026, 11, 5, 23, tzinfo=UTC), False),
    ],
)
def test_mature_when_the_last_entry_has_had_its_window(
    grain: Grain, window: Duration | None, period: date | datetime, mature: bool
) -> None:
    assert is_mature(funnel(grain=grain, window=window), period) is mature


def test_mature_by_the_clock_of_the_zone() -> None:
    """A day of 25 hours ends an hour later than the one before it began, plus a day."""
    asked = {"through": "2026-11-02", "zone": "America/New_York", "grain": Grain.DAY}
    assert is_mature(funnel(**asked, window=Duration(24, Unit.HOUR)), date(2026, 11, 1))
    assert not is_mature(funnel(**asked, window=Duration(25, Unit.HOUR)), date(2026, 11, 1))
    assert is_mature(funnel(**asked, window=Duration(49, Unit.HOUR)), date(2026, 10, 31))
    assert not is_mature(funnel(**asked, window=Duration(50, Unit.HOUR)), date(2026, 10, 31))


def test_mature_on_the_same_day() -> None:
    assert is_mature(funnel(same_day=True, grain=Grain.DAY), date(2026, 11, 5))
    assert not is_mature(funnel(same_day=True, grain=Grain.DAY), date(2026, 11, 6))
    assert is_mature(funnel(same_day=True, grain=Grain.HOUR), datetime(2026, 11, 5, 23, tzinfo=UTC))


def test_nothing_is_mature_without_complete_days() -> None:
    model, facts = world(None, "UTC", rows=False)
    assert not is_mature(bind_funnel(model, FunnelQuery("f", grain=Grain.DAY), facts), date(2020, 1, 1))


def test_periods_are_told_in_the_zone() -> None:
    rows: list[dict[str, Any]] = [{"period": datetime(2026, 11, 1, 16, tzinfo=UTC), "count1": 3}]
    [period] = funnel_periods(funnel(zone="Asia/Shanghai", grain=Grain.HOUR), rows)
    assert str(period.time) == "2026-11-02 00:00:00+08:00"
    assert period.steps[0].count == 3


def test_every_bucket_is_there_and_the_last_ends_with_the_window() -> None:
    asked: dict[str, Any] = {"report": FunnelReport.HISTOGRAM, "window": Duration(10, Unit.SECOND)}
    found = time_buckets(funnel(**asked, buckets=3), [{"bucket": 1, "count": 5}])
    assert [(bucket.from_seconds, bucket.to_seconds, bucket.count) for bucket in found] == [
        (0.0, 3.333334, 0),
        (3.333334, 6.666668, 5),
        (6.666668, 10, 0),
    ]
    assert time_buckets(funnel(report=FunnelReport.HISTOGRAM, same_day=True, buckets=1), [])[0].to_seconds == 25 * 3600


def test_drop_offs_are_told_in_the_zone() -> None:
    bound = funnel(zone="Asia/Shanghai", report=FunnelReport.DROP_OFFS, step=1)
    [found] = drop_offs(bound, [{"entity": "u", "last_seen": datetime(2026, 11, 1, 16, tzinfo=UTC)}])
    assert (found.entity, str(found.last_seen)) == ("u", "2026-11-02 00:00:00+08:00")


# --- retention -------------------------------------------------------------------------------------------------------

THREE = Dates(date(2026, 11, 2), date(2026, 11, 4))
ROWS: list[dict[str, Any]] = [
    {"cohort": date(2026, 11, 2), "by0": "ads", "size": 10, "cell1": 5, "cell2": 1},
    {"cohort": date(2026, 11, 4), "by0": None, "size": 5, "cell1": 4, "cell2": 2},
]


def test_a_cohort_for_each_period_also_empty_ones() -> None:
    first, second, third = cohorts(retention(time_range=THREE), ROWS)
    assert [(cohort.time.day, cohort.size) for cohort in (first, second, third)] == [(2, 10), (3, 0), (4, 5)]
    assert [(cell.period, cell.count, cell.rate, cell.eligible) for cell in first.cells] == [
        (1, 5, 0.5, 10),
        (2, 1, 0.1, 10),
    ]
    assert [(cell.rate, cell.mature, cell.eligible) for cell in second.cells] == [(None, True, 0), (None, True, 0)]
    assert [(cell.count, cell.rate, cell.mature) for cell in third.cells] == [(4, 0.8, True), (2, None, False)]
    assert third.cells[1].eligible == 0


def test_pooled_over_mature_cohorts_only() -> None:
    first, second = pooled(retention(time_range=THREE), ROWS)
    assert (first.count, first.eligible, first.rate, first.mature) == (9, 15, 0.6, True)
    assert (second.count, second.eligible, second.rate, second.mature) == (1, 10, 0.1, True)
    for cell in pooled(retention(time_range=THREE, through="2026-11-02"), ROWS):
        assert (cell.count, cell.eligible, cell.rate, cell.mature) == (0, 0, None, False)


def test_nothing_is_known_without_complete_days() -> None:
    bound = retention(through=None, rows=False, time_range=THREE)
    assert [cell.mature for cell in cohorts(bound, [])[0].cells] == [False, False]
    assert periods(retention(through=None, rows=False)) == ()
    assert [cell.mature for cell in pooled(retention(through=None, rows=False), [])] == [False, False]


def test_groups_know_their_own() -> None:
    ads, unset = retention_groups(retention(time_range=THREE, breakdown=("channel",)), ROWS)
    assert (ads.key, unset.key) == ((KeyPart("channel", "ads"),), (KeyPart("channel", None),))
    assert (ads.size, unset.size) == (10, 5)
    assert [cell.rate for cell in ads.cells] == [0.5, 0.1]
    assert [cell.rate for cell in unset.cells] == [0.8, None]
    assert [cohort.size for cohort in unset.cohorts] == [0, 0, 5]


def test_weeks_are_named_by_their_first_day() -> None:
    assert periods(retention("w", time_range=THREE)) == (date(2026, 11, 2),)
    assert periods(retention("w")) == (date(2026, 10, 26), date(2026, 11, 2))


def test_elapsed_cells_need_a_day_more() -> None:
    for name, mature in (("r", [True, True, True]), ("e", [True, True, False])):
        found = cohorts(retention(name, time_range=THREE, periods=1), ROWS)
        assert [cohort.cells[0].mature for cohort in found] == mature, name
