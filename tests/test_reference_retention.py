"""Retention: the reference against figures by hand, the engine and GraphQL against the reference, the laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from semantic.query.query import Between, Compare, Dates, Operator
from semantic.query.retention import RetentionQuery
from tests import sequence_laws as laws
from tests.live import LiveServer
from tests.reference.refused import Unspecified
from tests.reference.retention import answer_retention, retention_rows
from tests.reference.sequence_cases import answers
from tests.reference.served import serve
from tests.reference.world import Table, World
from tests.sequences import (
    ask,
    ask_engine,
    ask_http,
    asked_in_graphql,
    differences,
    is_in_graphql,
    json_differences,
    outcome,
    outcome_of,
    reply_differences,
    sequence_cases,
)
from tests.strategies.choices import Choices
from tests.strategies.sequence_queries import make_retention_query
from tests.strategies.sequence_worlds import make_world

CASES = sequence_cases("retention(")
QUERIES = 6
"""Questions about one world: opening one costs more than asking."""


def test_there_are_contract_cases() -> None:
    assert len(CASES) > 10


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_contract_case(case: dict[str, Any]) -> None:
    assert not json_differences(case["expect"]["data"], answers(case))


# --- figures by hand -------------------------------------------------------------------------------------------------

START = datetime(2026, 11, 2)  # a Monday


def visits(text: str, through: str = "2026-11-30", timezone: str = "UTC", **more: Any) -> World:
    """`u 0 24 48r`: after how many hours a user came; r stands for the channel. A line is a user."""
    rows: list[dict[str, Any]] = []
    for line in text.splitlines():
        user, *happened = line.split()
        for one in happened:
            at = START + timedelta(hours=float(one.rstrip("rg")))
            channel = one.lstrip("0123456789.") or None
            rows.append({"id": len(rows), "user_id": user, "at": at, "channel": channel})
    kinds = {"id": "BIGINT", "user_id": "VARCHAR", "at": "TIMESTAMP", "channel": "VARCHAR"}
    dataset = {
        "name": "events",
        "source": "data/events/*.parquet",
        "time_dimension": "at",
        "entities": {"user": "user_id"},
        "dimensions": [{"name": "channel", "type": "string"}],
        "data_through": through,
    }
    cohort = {"dataset": "events", "type": more.pop("type", "first_time")}
    retention = {"name": "r", "entity": "user", "cohort": cohort, "return": {"dataset": "events"}, "periods": 3}
    document = {"version": 1, "timezone": timezone, "datasets": [dataset], "retentions": [retention | more]}
    return World(document, {"events": Table(kinds, rows)})


def ask_reference(world: World, **around: Any) -> Any:
    return answer_retention(world.model(), world.rows, RetentionQuery("r", **around))


def counts(cells: list[dict[str, Any]]) -> list[int]:
    return [cell["count"] for cell in cells]


@pytest.mark.parametrize(
    ("happened", "more", "first_cohort"),
    [
        ("u 0 24 72", {}, [1, 0, 1]),
        ("u 0 24 72", {"mode": "within"}, [1, 1, 1]),
        ("u 0 48", {"mode": "on_or_after"}, [1, 1, 0]),
        ("u 0 48", {"mode": "bracket", "brackets": [[1, 2], [3, 9]]}, [1, 0]),
        ("u 0 5", {}, [0, 0, 0]),  # the same day is period 0
        ("u 23 24", {}, [1, 0, 0]),  # calendar days
        ("u 23 24 46.9", {"clock": "elapsed"}, [0, 0, 0]),  # 23 h 54 m is not a day
        ("u 23 24 47", {"clock": "elapsed"}, [1, 0, 0]),
        ("u 120 168", {"grain": "week"}, [1, 0, 0]),  # Saturday, then Monday
        ("u 120 168", {"grain": "week", "clock": "elapsed"}, [0, 0, 0]),
        ("u 0 696", {"grain": "month"}, [1, 0, 0]),  # 1 December
        ("u 15.9 16", {"timezone": "Asia/Shanghai"}, [1, 0, 0]),
    ],
)
def test_counts(happened: str, more: dict[str, Any], first_cohort: list[int]) -> None:
    assert counts(ask_reference(visits(happened, **more))["cohorts"][0]["cells"]) == first_cohort


def test_the_first_event_ever_is_the_cohort_event() -> None:
    world = visits("u 0g 24r 48\nv 24r 48")
    cohorts = ask_reference(world, where=Compare("channel", Operator.EQ, "r"))["cohorts"]
    assert [cohort["size"] for cohort in cohorts] == [0, 1, 0]


def test_recurring_cohorts_are_of_every_period() -> None:
    cohorts = ask_reference(visits("u 0 1 24 48", type="recurring"))["cohorts"]
    assert [(cohort["size"], counts(cohort["cells"])) for cohort in cohorts] == [
        (1, [1, 1, 0]),
        (1, [1, 0, 0]),
        (1, [0, 0, 0]),
    ]


def test_only_mature_cohorts_are_pooled() -> None:
    lines = [f"a{n} 0 {'24' if n < 5 else ''}" for n in range(10)]
    lines += [f"b{n} 24 {'48' if n < 4 else ''}" for n in range(5)]
    lines += [f"c{n} 48 {'72' if n < 1 else ''}" for n in range(7)]
    answer = ask_reference(visits("\n".join(lines), through="2026-11-04"))
    assert answer["overall"][0] == {"period": 1, "count": 9, "rate": 0.6, "mature": True, "eligible": 15}
    young = answer["cohorts"][2]["cells"][0]
    assert young == {"period": 1, "count": 1, "rate": None, "mature": False, "eligible": 0}


def test_groups_are_by_the_cohort_event() -> None:
    groups = ask_reference(visits("u 0r 24g\nv 0 24\nw 0r"), breakdown=("channel",))["groups"]
    found = {group["key"][0]["value"]: (group["size"], counts(group["cells"])) for group in groups}
    assert found == {"r": (2, [1, 0, 0]), None: (1, [1, 0, 0])}


def test_a_tie_of_cohort_events_leaves_the_group_open() -> None:
    with pytest.raises(Unspecified):
        ask_reference(visits("u 0r 0g"), breakdown=("channel",))


# --- the engine, GraphQL and the reference ---------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.data())
async def test_the_engine_is_the_reference(data: st.DataObject) -> None:
    choices = Choices(lambda count: data.draw(st.integers(0, count - 1)))
    world = make_world(choices)
    model = world.model()
    async with serve(world, model) as served:
        for _ in range(QUERIES):
            query = make_retention_query(choices, world)
            expected = outcome(partial(retention_rows, model, world.rows, query))
            if expected is not None:
                assert not differences(expected, await outcome_of(ask_engine(served, query))), query


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_graphql_is_the_reference(live: LiveServer, seed: int) -> None:
    choices = Choices(Random(seed).randrange)
    world = make_world(choices, most=40)
    model = world.model()
    queries = list(filter(is_in_graphql, (make_retention_query(choices, world) for _ in range(QUERIES))))
    replies = ask_http(live, world, [asked_in_graphql(query) for query in queries])
    for query, reply in zip(queries, replies, strict=True):
        expected = outcome(partial(answer_retention, model, world.rows, query))
        if expected is not None:
            assert not reply_differences(expected, reply, "retention"), query


# --- members who come back by the events that made them members: a word for each says it all ----------------------

MIDNIGHT_AGAIN = datetime(2010, 11, 7, 2, 31)
"""When the clocks of St. John's went back from a minute after midnight, to the day before."""
PLACES = (
    ("UTC", START),
    ("Asia/Shanghai", START),
    ("America/St_Johns", MIDNIGHT_AGAIN - timedelta(days=3)),
    ("America/St_Johns", MIDNIGHT_AGAIN - timedelta(hours=2)),
)


def make_own_word(choices: Choices) -> tuple[World, list[RetentionQuery]]:
    """Some visitors over a few days or many, and questions that begin and end anywhere among them."""
    timezone, first = choices.pick(PLACES)
    hours = 24 * choices.pick((4, 90, 1, 30, 130))
    since = (first - START) / timedelta(hours=1)
    lines = []
    for user in range(1 + choices.below(6)):
        happened = (since + choices.below(4 * hours) / 4 for _ in range(1 + choices.below(9)))
        lines.append(" ".join([f"u{user}", *map(str, happened)]))
    modes: tuple[dict[str, Any], ...] = ({}, {"mode": "within"}, {"mode": "bracket", "brackets": [[1, 2], [3, 70]]})
    more = {"grain": choices.pick(("day", "week")), "periods": choices.pick((3, 65)), **choices.pick(modes)}
    through = (first + timedelta(hours=hours + 48)).date().isoformat()
    world = visits("\n".join(lines), through, timezone, **more)
    queries = [RetentionQuery("r")]
    for _ in range(3):
        begin = first + timedelta(hours=choices.pick((hours // 3, -24, 0, hours)) + choices.below(24))
        end = begin + timedelta(hours=1 + choices.below(hours))
        span = Dates(begin.date(), end.date()) if choices.chance(2) else Between(begin, end)
        queries.append(RetentionQuery("r", time_range=span))
    return world, queries


@settings(max_examples=12, deadline=None)
@given(st.data())
async def test_one_word_says_it_all(data: st.DataObject) -> None:
    world, queries = make_own_word(Choices(lambda count: data.draw(st.integers(0, count - 1))))
    model = world.model()
    async with serve(world, model) as served:
        for query in queries:
            expected = outcome(partial(retention_rows, model, world.rows, query))
            assert expected is not None
            assert not differences(expected, await outcome_of(ask_engine(served, query))), query


# --- laws ------------------------------------------------------------------------------------------------------------

LAW = settings(max_examples=8, deadline=None)
seeds = given(seed=st.integers(0, 2**32))


def drawn(seed: int, **changes: Any) -> tuple[World, RetentionQuery]:
    """A world, and a question that neither is refused nor a tie decides."""
    choices = Choices(Random(seed).randrange)
    world = make_world(choices, most=40)
    query = replace(make_retention_query(choices, world), **changes)
    assume(isinstance(outcome(partial(retention_rows, world.model(), world.rows, query)), list))
    return world, query


@LAW
@seeds
async def test_nobody_returns_who_is_not_there(seed: int) -> None:
    await laws.nobody_returns_who_is_not_there(ask, *drawn(seed))


@LAW
@seeds
async def test_the_order_of_rows_is_nothing(seed: int) -> None:
    await laws.order_of_rows_is_nothing(ask, *drawn(seed), Random(seed).shuffle)


@LAW
@seeds
async def test_groups_make_the_cohorts(seed: int) -> None:
    await laws.groups_make_the_cohorts(ask, *drawn(seed, breakdown=("channel", "city")))
