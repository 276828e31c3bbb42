"""Groups of too few people: none is shown, and none can be told by subtraction. Counted in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.compile import Compiled, compile_query
from semantic.errors import Code, QueryError
from semantic.load import load_texts
from semantic.model.policy import DatasetPolicy
from semantic.query.funnel import FunnelQuery
from semantic.query.journey import JourneyQuery
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.query import (
    And,
    Compare,
    DimensionField,
    Field,
    Having,
    MetricField,
    MetricQuery,
    Operator,
    OrderBy,
    TimeField,
    Viewer,
)
from semantic.query.retention import RetentionQuery
from semantic.query.touch_path import TouchPathQuery
from semantic.query.values import ValuesQuery
from semantic.query.visible import Question
from semantic.time import Duration, Grain, Unit
from tests.compiling import questions
from tests.compiling.database import database
from tests.reference.rows import Row
from tests.reference.world import Table

K = 3
MODEL = load_texts(
    {
        "m.yml": """
version: 1
datasets:
  - name: visits
    source: visits.parquet
    time_dimension: day
    entities: {user: user_id, device: device_id}
    dimensions: [{name: city, type: string}, {name: kind, type: string}]
  - name: spend
    source: spend.parquet
    time_dimension: day
    dimensions: [{name: city, type: string}]
metrics:
  - {name: visits, type: simple, dataset: visits, agg: count}
  - {name: paid, type: simple, dataset: visits, agg: count, where: kind = 'buy'}
  - {name: unpaid, type: derived, expr: visits - paid}
  - {name: by_day, type: simple, dataset: visits, agg: count, time_dimension: day}
  - {name: by_later, type: simple, dataset: visits, agg: count, time_dimension: later}
  - {name: amount, type: simple, dataset: visits, agg: sum, expr: amount}
  - {name: people, type: simple, dataset: visits, agg: count_distinct, expr: user_id}
  - {name: largest, type: simple, dataset: visits, agg: max, expr: amount}
  - {name: devices, type: simple, dataset: visits, agg: count_distinct, expr: device_id}
  - {name: each, type: ratio, numerator: amount, denominator: people}
  - {name: twice, type: derived, expr: amount * 2}
  - {name: amount_7d, type: cumulative, metric: amount, window: 7 days}
  - {name: cost, type: simple, dataset: spend, agg: sum, expr: cost}
  - {name: roi, type: ratio, numerator: amount, denominator: cost}
  - {name: bought, type: conversion, funnel: buying, from: see, to: buy}
  - {name: back, type: retention, retention: users, period: 1}
  - {name: worth, type: retention, retention: users, period: 1, value: amount}
  - {name: credit, type: attribution, attribution: last}
funnels:
  - name: buying
    entity: user
    dataset: visits
    window: 30 days
    steps: [{name: see, where: kind = 'see'}, {name: buy, where: kind = 'buy'}]
  - name: by_device
    entity: device
    dataset: visits
    window: 30 days
    steps: [{name: see, where: kind = 'see'}, {name: buy, where: kind = 'buy'}]
retentions:
  - {name: users, entity: user, cohort: {dataset: visits}, return: {dataset: visits}, periods: 3}
attributions:
  - name: last
    entity: user
    conversion: {dataset: visits, where: kind = 'buy'}
    touch: {dataset: visits, dimensions: [city]}
    lookback: 7 days
policies:
  - {name: few, dataset: visits, k: 3, unless: role = 'analyst'}
"""
    }
)
OF_METRIC = replace(
    MODEL,
    policies=load_texts(
        {
            "m.yml": "version: 1\ndatasets: [{name: visits, source: v, entities: {user: user_id}}]\n"
            "metrics: [{name: amount, type: simple, dataset: visits, agg: sum, expr: amount}]\n"
            "policies: [{name: few, metrics: [amount], k: 3}]\n"
        }
    ).policies,
)
GUEST, ANALYST = Viewer("guest"), Viewer("analyst", (("role", "analyst"),))

Counts = Callable[[Row], bool]
WHO: dict[str, Counts] = {
    "visits": lambda row: True,
    "paid": lambda row: row["kind"] == "buy",
    "amount": lambda row: row["amount"] is not None,
    "people": lambda row: row["user_id"] is not None,
    "largest": lambda row: row["amount"] is not None,
    "devices": lambda row: row["device_id"] is not None,
}
"""Whose rows a metric is made of."""


@st.composite
def visits(draw: st.DrawFn) -> list[Row]:
    row = st.fixed_dictionaries(
        {
            "user_id": st.sampled_from([None, *(f"u{number}" for number in range(7))]),
            "device_id": st.sampled_from([None, "d1", "d2", "d3", "d4"]),
            "day": st.integers(1, 4).map(lambda day: date(2026, 11, day)),
            "city": st.sampled_from([None, "a", "b", "c", "d"]),
            "kind": st.sampled_from(["see", "buy", "x"]),
            "amount": st.sampled_from([None, 1, 10, 100, 1000]),
        }
    )
    return draw(st.lists(row, max_size=60))


def tables(rows: list[Row]) -> dict[str, Table]:
    kinds = {"user_id": "VARCHAR", "device_id": "VARCHAR", "day": "DATE", "city": "VARCHAR", "kind": "VARCHAR"}
    spend = [{"day": date(2026, 11, day), "city": city, "cost": 5} for day in (1, 2) for city in ("a", "b", "z")]
    return {
        "visits": Table({**kinds, "later": "DATE", "amount": "BIGINT"}, [row | {"later": row["day"]} for row in rows]),
        "spend": Table({"day": "DATE", "city": "VARCHAR", "cost": "BIGINT"}, spend),
    }


def answers(rows: list[Row], *asked: Question, viewer: Viewer = GUEST, model: Any = MODEL) -> list[list[Row]]:
    with database(tables(rows)) as connected:
        facts = connected.facts(model)
        return [connected.run(compile_query(model, one, facts, viewer).statement) for one in asked]


def people(rows: Iterable[Row], metric: str) -> set[Any]:
    """Those whose rows a metric is made of."""
    return {row["user_id"] for row in rows if WHO[metric](row) and row["user_id"] is not None}


def made(rows: Iterable[Row], metric: str) -> bool:
    """Whether there is anything that a metric is made of, if only of nobody who is known."""
    return any(map(WHO[metric], rows))


def split(rows: Sequence[Row], names: Sequence[str]) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return found


def field(name: str) -> Field:
    return TimeField("day", Grain.DAY) if name == "day" else DimensionField(name, name)


@settings(max_examples=40, deadline=None)
@given(
    rows=visits(),
    names=st.sampled_from([("city",), ("day",), ("city", "kind"), ("city", "day")]),
    metrics=st.one_of(
        st.just(["paid"]), st.lists(st.sampled_from(sorted(WHO.keys() - {"paid"})), min_size=1, max_size=3, unique=True)
    ),
)
def test_no_group_of_few_is_shown_nor_can_be_told(rows: list[Row], names: tuple[str, ...], metrics: list[str]) -> None:
    fields = (*map(field, names), *(MetricField(name, name) for name in metrics))
    question = MetricQuery(fields, limit=None)
    totals = MetricQuery(tuple(MetricField(name, name) for name in metrics))
    shown, [whole] = answers(rows, question, totals)
    full, [everything] = answers(rows, question, totals, viewer=ANALYST)
    groups = split(rows, names)
    exact = {tuple(row[name] for name in names): row for row in full}
    told = {tuple(row[name] for name in names): row for row in shown}
    for key, row in told.items():
        assert any(row[name] is not None for name in metrics)
        for name in metrics:
            size = len(people(groups[key], name))
            assert size >= K or row[name] is None
            assert row[name] in (None, exact[key][name])
            assert size < K or row[name] is not None
            assert size >= K or not made(groups[key], name), "its other numbers could tell it"
    for name in metrics:
        missing = [group for key, group in groups.items() if told.get(key, {}).get(name) is None]
        hidden = [group for group in missing if made(group, name)]
        if any(len(people(group, name)) < K for group in hidden) and len(hidden) < len(groups):
            rest = people([row for group in hidden for row in group], name)
            assert whole[name] is None or len(rest) >= K, "the total tells it"
            assert whole[name] is None or len(hidden) > 1
        enough = len(people(rows, name)) >= K
        assert whole[name] == (everything[name] if enough else None)
    small = any(len(people(group, name)) < K and made(group, name) for group in groups.values() for name in metrics)
    if not small:
        expected = [key for key, group in groups.items() if any(len(people(group, name)) >= K for name in metrics)]
        assert set(told) == set(expected), "nothing is withheld without need"


ROWS: list[Row] = [
    {
        "user_id": f"{city}{user}",
        "device_id": f"d{user % 2}",
        "day": date(2026, 11, 1 + user % 2),
        "city": city,
        "kind": kind,
    }
    | {"amount": 10}
    for city, users in (("a", range(6)), ("b", range(4)), ("c", range(1)), ("d", range(5)))
    for user in users
    for kind in ("see", "buy")
]
"""Cities of 6, 4, 1 and 5 people, each of whom saw and bought."""


def by_city(*names: str, **more: Any) -> MetricQuery:
    return MetricQuery((DimensionField("city", "city"), *(MetricField(name, name) for name in names)), **more)


TOTAL = MetricQuery((MetricField("amount", "amount"),))


def cities(rows: list[Row]) -> list[Any]:
    return [row["city"] for row in rows]


def test_the_smallest_that_would_be_shown_is_withheld_too() -> None:
    [shown] = answers(ROWS, by_city("amount"))
    assert shown == [{"city": "a", "amount": 120}, {"city": "d", "amount": 100}]
    [every] = answers(ROWS, by_city("amount"), viewer=ANALYST)
    assert cities(every) == ["a", "b", "c", "d"]


def test_rows_of_nobody_who_is_known_are_told_by_no_total() -> None:
    nobody = {"user_id": None, "device_id": None, "day": date(2026, 11, 3), "city": "n", "kind": "see", "amount": 777}
    known = [row for row in ROWS if row["city"] != "c"]
    [shown], [every] = answers([*known, nobody], by_city("amount")), answers([*known, nobody], TOTAL, viewer=ANALYST)
    assert cities(shown) == ["a", "d"]
    assert answers([*known, nobody], TOTAL) == [every]
    [kept] = answers([*known, nobody | {"amount": None}], by_city("amount"))
    assert cities(kept) == ["a", "b", "d"], "there is nothing to be told"


def test_what_is_withheld_is_neither_ordered_nor_filtered_nor_counted() -> None:
    ordered, kept, counted, paged = answers(
        ROWS,
        by_city("amount", order_by=(OrderBy("amount"),)),
        by_city("amount", having=(Having("amount", Operator.LT, 100),)),
        by_city("amount", count_rows=True),
        by_city("amount", limit=1, offset=1),
    )
    assert cities(ordered) == ["d", "a"]
    assert kept == []
    assert {row["__row_count"] for row in counted} == {2}
    assert cities(paged) == ["d"]


def test_filled_periods_say_nothing() -> None:
    question = MetricQuery((TimeField("day", Grain.DAY), MetricField("n", "visits")), fill=True)
    rows = [row | {"day": date(2026, 11, 1 if row["user_id"] != "a0" else 3)} for row in ROWS]
    [shown] = answers(rows, question)
    assert {row["day"]: row["n"] for row in shown} == {date(2026, 11, day): None for day in (1, 2, 3)}


def test_numbers_that_are_not_protected_stay() -> None:
    [shown] = answers(ROWS, by_city("amount", "cost", "roi"))
    assert {row["city"]: (row["amount"], row["cost"], row["roi"]) for row in shown} == {
        "a": (120, 10, 12.0),
        "b": (None, 10, None),
        "d": (100, None, None),
        "z": (None, 10, None),
    }


@pytest.mark.parametrize("metric", ["each", "twice", "bought", "back", "amount_7d", "largest", "devices"])
def test_metrics_of_every_type_are_withheld(metric: str) -> None:
    [every] = answers(ROWS, by_city(metric), viewer=ANALYST)
    assert cities(every) == ["a", "b", "c", "d"]
    [shown] = answers(ROWS, by_city(metric))
    assert set(cities(shown)) <= {"a", "d"}
    exact = {row["city"]: row for row in every}
    assert all(row == exact[row["city"]] for row in shown)
    assert bool(shown) is (metric != "back")  # nobody came back: of too few


def refused(question: Question, model: Any = MODEL) -> str:
    with pytest.raises(QueryError) as caught:
        answers(ROWS, question, model=model)
    assert caught.value.code is Code.FORBIDDEN
    answers(ROWS, question, viewer=ANALYST)
    return caught.value.message


@pytest.mark.parametrize(
    "question",
    [
        by_city("worth"),
        by_city("credit"),
        FunnelQuery("buying"),
        FunnelQuery("by_device"),
        RetentionQuery("users"),
        LifecycleQuery("users"),
        JourneyQuery("city", And(())),
        TouchPathQuery("last"),
        MetricQuery((TimeField("day", Grain.DAY), MetricField("n", "amount", rolling=Duration(2, Unit.DAY)))),
        MetricQuery((TimeField("day", Grain.DAY), MetricField("n", "amount_7d"))),
        MetricQuery((MetricField("all", "amount"), MetricField("n", "amount", offset=Duration(1, Unit.DAY)))),
        MetricQuery(
            (MetricField("all", "amount"), MetricField("n", "amount", Compare("city", Operator.NE, "c"))),
        ),
    ],
)
def test_what_cannot_be_told_is_refused(question: Question) -> None:
    refused(question)


@pytest.mark.parametrize(
    "metrics", [("visits", "paid"), ("visits", "unpaid"), ("visits", "by_later"), ("bought", "visits")]
)
def test_metrics_of_different_rows_are_refused_together(metrics: tuple[str, ...]) -> None:
    assert "overlapping rows" in refused(by_city(*metrics))
    assert "overlapping rows" in refused(MetricQuery(tuple(MetricField(name, name) for name in metrics)))
    assert answers(ROWS, *map(by_city, {*metrics} - {"unpaid"}))


def test_a_metric_computed_from_different_rows_says_how_to_ask() -> None:
    with pytest.raises(QueryError) as caught:
        answers(ROWS, by_city("unpaid"))
    assert caught.value.code is Code.FORBIDDEN
    assert '"unpaid" is computed from metrics of different rows' in str(caught.value)


def test_metrics_of_the_same_rows_or_of_other_datasets_are_answered_together() -> None:
    [shown] = answers(ROWS, by_city("visits", "by_day", "people", "each", "amount", "cost"))
    assert [row["by_day"] for row in shown if row["visits"]] == [12, 10]


def test_values_that_few_have_are_not_listed() -> None:
    [shown] = answers(ROWS, ValuesQuery("city"))
    assert {row["value"]: row["count"] for row in shown} == {"a": 14, "b": 2, "d": 10, "z": 2}
    [filtered] = answers(ROWS, ValuesQuery("city", where=Compare("kind", Operator.EQ, "buy")))
    assert {row["value"]: row["count"] for row in filtered} == {"a": 6, "d": 5}


@settings(max_examples=20, deadline=None)
@given(rows=visits(), name=st.sampled_from(["city", "kind"]))
def test_no_value_that_few_have_can_be_told(rows: list[Row], name: str) -> None:
    [shown] = answers(rows, ValuesQuery(name, where=Compare("kind", Operator.NE, "x")))  # which spend has no column for
    groups = {value: group for (value,), group in split([r for r in rows if r["kind"] != "x"], (name,)).items()}
    told = {row["value"]: row["count"] for row in shown}
    assert told == {value: len(groups[value]) for value in told}
    assert all(len(people(groups[value], "visits")) >= K for value in told)
    rest = [group for value, group in groups.items() if value not in told]
    few = any(len(people(group, "visits")) < K for group in rest)
    assert bool(rest) is few, "nothing is withheld without need"
    if few and told:
        assert len(rest) > 1
        assert len(people([row for group in rest for row in group], "visits")) >= K


def test_a_policy_of_a_metric_is_of_that_metric() -> None:
    [shown] = answers(ROWS, by_city("amount"), model=OF_METRIC)
    assert cities(shown) == ["a", "d"]
    [counted] = answers(ROWS, by_city("visits"), model=OF_METRIC)
    assert cities(counted) == ["a", "b", "c", "d"]
    [derived] = answers(ROWS, by_city("twice"), model=OF_METRIC)
    assert cities(derived) == ["a", "d"]


def test_a_compiled_question_says_whether_it_is_guarded() -> None:
    with database(tables(ROWS)) as connected:
        facts = connected.facts(MODEL)

        def compiled(question: Question, viewer: Viewer = GUEST) -> Compiled:
            return compile_query(MODEL, question, facts, viewer)

        assert compiled(by_city("amount")).guarded
        assert not compiled(by_city("amount"), ANALYST).guarded
        assert compiled(ValuesQuery("city")).guarded


def test_warnings_count_nothing_that_may_be_of_a_few() -> None:
    bazaar = questions.model("bazaar")
    open_to_all = replace(bazaar, policies=MappingProxyType({}))
    few = replace(bazaar, policies=MappingProxyType({"few": DatasetPolicy("few", "visits", k=K)}))
    facts, question = questions.facts("bazaar"), MetricQuery((MetricField("uv", "uv"),))
    assert compile_query(open_to_all, question, facts).audits
    assert not compile_query(few, question, facts).audits
