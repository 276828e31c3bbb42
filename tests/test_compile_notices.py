"""Warnings: what a reader should know although the answer is right."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from semantic.compile import compile_query
from semantic.model.expression import Expression
from semantic.model.facts import Bounds, Facts
from semantic.model.policy import DatasetPolicy
from semantic.query.notice import stale
from semantic.query.query import ANONYMOUS, Dates, DimensionField, MetricField, MetricQuery, TimeField, Viewer
from semantic.query.warning import WarningCode
from semantic.time import Duration, Grain, Unit
from tests.compiling import questions

DAY = TimeField("time", Grain.DAY)
GMV = MetricField("gmv", "gmv")
OWN = DatasetPolicy("own", "orders", Expression("channel = 'ads'"), unless=Expression(":role = 'head'"))
WHOLE = Dates(date(2026, 11, 2), date(2026, 11, 8))


def warned(*fields: Any, **around: Any) -> list[str]:
    query = MetricQuery(tuple(fields), **around)
    found = compile_query(questions.model("mall"), query, questions.facts("mall")).warnings
    return [f"{warning.code}: {warning.message}" for warning in found]


def test_a_plain_question_has_none() -> None:
    assert warned(DAY, GMV, time_range=WHOLE) == []


def test_days_after_the_last_complete_one() -> None:
    """The newest order is of 11 November in Shanghai."""
    told = ["INCOMPLETE_DATA: Days after 2026-11-10 are incomplete."]
    assert warned(GMV, time_range=Dates(date(2026, 11, 9), date(2026, 11, 11))) == told
    assert warned(DAY, GMV) == told
    assert warned(GMV) == []


def test_credit_that_still_grows() -> None:
    """Of touches in the last seven days, their lookback, before 10 November."""
    credit = MetricField("credit", "credited_orders")
    told = ['INCOMPLETE_DATA: "credited_orders" of touches after 2026-11-03 will still grow, for as long as 7 days.']
    assert warned(credit, time_range=WHOLE) == told
    assert warned(credit, time_range=Dates(date(2026, 11, 2), date(2026, 11, 3))) == []
    assert warned(credit) == []
    assert warned(MetricField("credit", "credited_gmv"), time_range=WHOLE) == []


def test_periods_that_the_range_cuts() -> None:
    cut = ["PARTIAL_PERIOD: The time range cuts the first or last week: its numbers are of a part of it."]
    assert warned(TimeField("time", Grain.WEEK), GMV, time_range=WHOLE) == []
    assert warned(TimeField("time", Grain.WEEK), GMV, time_range=Dates(date(2026, 11, 3), date(2026, 11, 8))) == cut


def test_windows_that_begin_before_the_data() -> None:
    week = MetricField("week", "gmv", rolling=Duration(7, Unit.DAY))
    told = ["WINDOW_BEFORE_DATA: `week`: the first windows begin before the data does."]
    assert warned(DAY, week, time_range=WHOLE) == told
    assert warned(DAY, week, time_range=Dates(date(2026, 11, 6), date(2026, 11, 8))) == []


def test_metrics_that_are_null_by_choice() -> None:
    told = ['UNALLOCATED: "platform_cost" can\'t be split as asked, and is null here.']
    assert warned(DimensionField("p", "platform"), MetricField("pv", "pv"), MetricField("c", "platform_cost")) == told


def test_what_the_files_have_to_say() -> None:
    known = questions.facts("mall")
    spend = replace(known.datasets["ad_spend"], warnings=("Three rows were left out.",))
    facts = Facts("2", {**known.datasets, "ad_spend": spend})
    query = MetricQuery((MetricField("cost", "ad_cost"),))
    found = compile_query(questions.model("mall"), query, facts).warnings
    assert [(one.code, one.message) for one in found] == [(WarningCode.DATA, "Three rows were left out.")]


@pytest.mark.parametrize(
    ("newest", "now", "is_stale"),
    [
        (datetime(2026, 11, 10, 15), datetime(2026, 11, 11, 15), False),
        (datetime(2026, 11, 10, 15), datetime(2026, 11, 11, 15, 0, 1), True),
        (date(2026, 11, 10), datetime(2026, 11, 11, 16), False),
        (date(2026, 11, 10), datetime(2026, 11, 11, 16, 0, 1), True),
    ],
)
def test_data_that_has_grown_old(newest: Any, now: datetime, is_stale: bool) -> None:
    """A day of Shanghai ends at 16:00 UTC. Who may not see every row is not told of which day the newest is."""
    model, known = questions.model("mall"), questions.facts("mall")
    datasets = {**model.datasets, "orders": replace(model.datasets["orders"], warn_after=Duration(1, Unit.DAY))}
    orders = replace(known.datasets["orders"], bounds={"paid_at": Bounds(newest, newest)})
    facts = Facts("2", {**known.datasets, "orders": orders})
    model = replace(model, datasets=datasets, policies={"own": OWN})
    for viewer, told in (
        (Viewer("head", (("role", "head"),)), 'The newest row of "orders" is of 2026-11-10, more than 1 day ago.'),
        (ANONYMOUS, 'The newest row of "orders" is more than 1 day old.'),
    ):
        found = list(stale(model, viewer, facts, ["events", "orders", "users"], now))
        assert [warning.message for warning in found] == ([told] if is_stale else [])
