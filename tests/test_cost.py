"""The estimate of the rows a plan reads, against counting the rows of evenly spread data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantic.compile import compile_query
from semantic.model.facts import Bounds, Facts
from semantic.query.query import Dates, Last, MetricField, MetricQuery, TimeField
from semantic.time import Duration, Grain, Unit
from tests.api.shop import shop_facts, shop_model

MODEL = shop_model()
FIRST, DAYS, EACH = datetime(2026, 1, 1), 100, 24
HOURS = [FIRST + timedelta(hours=hour) for hour in range(DAYS * EACH)]
LOCAL = timedelta(hours=8)


def facts(rows: int = len(HOURS)) -> Facts:
    """An event and an order in every hour of a hundred days."""
    bounds = Bounds(HOURS[0], HOURS[-1])
    plain = shop_facts()
    known = dict(plain.datasets)
    known["events"] = replace(known["events"], bounds={"event_time": bounds, "day": bounds}, rows=rows)
    known["orders"] = replace(known["orders"], bounds={"paid_at": bounds}, rows=rows)
    known["ids"] = replace(known["ids"], rows=4)
    return Facts("1", known)


def read(*fields: MetricField | TimeField, first: date | None = None, last: date | None = None) -> int:
    span = Dates(first, last) if first and last else None
    return compile_query(MODEL, MetricQuery(fields, span), facts()).rows_read


def counted(first: date, last: date) -> int:
    """The rows of these days of Shanghai."""
    return sum(first <= (hour + LOCAL).date() <= last for hour in HOURS)


UV, GMV = MetricField("uv", "uv"), MetricField("gmv", "gmv")


@given(st.integers(0, DAYS - 1), st.integers(0, 60))
def test_days(start: int, length: int) -> None:
    first = (FIRST + timedelta(days=start)).date()
    last = first + timedelta(days=length)
    assert read(UV, first=first, last=last) == pytest.approx(counted(first, last), abs=EACH + 1)
    assert read(UV, GMV, first=first, last=last) == pytest.approx(2 * counted(first, last), abs=2 * EACH + 2)


def test_all_time_is_all_rows() -> None:
    assert read(UV) == len(HOURS)
    assert read(UV, GMV) == 2 * len(HOURS)
    assert read(MetricField("id", "largest_id")) == 4


def test_a_window_reads_what_it_reaches_back_to() -> None:
    day = date(2026, 3, 1)
    week = MetricField("uv_7d", "uv_7d")
    assert read(TimeField("t", Grain.DAY), week, first=day, last=day) == pytest.approx(7 * EACH, abs=EACH + 1)
    before = replace(UV, offset=Duration(30, Unit.DAY))
    assert read(before, first=day, last=day) == pytest.approx(EACH, abs=2)


def test_days_without_data_cost_nothing() -> None:
    assert read(UV, first=date(2027, 1, 1), last=date(2027, 2, 1)) == 0
    assert read(UV, first=date(2025, 1, 1), last=date(2025, 2, 1)) == 0


def test_the_last_days_are_those_of_the_data() -> None:
    query = MetricQuery((UV,), Last(10, Unit.DAY))
    assert compile_query(MODEL, query, facts()).rows_read == pytest.approx(10 * EACH, abs=EACH + 1)


def test_a_retention_reads_its_events_once() -> None:
    first = date(2026, 3, 1)
    found = read(MetricField("d1", "d1_retention"), first=first, last=first)
    assert 0 < found <= 6 * EACH


def test_data_of_a_single_moment() -> None:
    moment = Bounds(FIRST, FIRST)
    known = dict(facts().datasets)
    known["events"] = replace(known["events"], bounds={"event_time": moment}, rows=5)
    query = MetricQuery((UV,), Dates(date(2026, 1, 1), date(2026, 1, 1)))
    assert compile_query(MODEL, query, Facts("1", known)).rows_read == 5
