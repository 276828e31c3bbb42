"""Funnels: the reference against figures by hand, the engine and GraphQL against the reference, the laws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from semantic.query.funnel import FunnelQuery
from semantic.query.query import Compare, Operator
from semantic.time import Duration, Grain, Unit
from tests import sequence_laws as laws
from tests.live import LiveServer
from tests.reference.funnel import answer_funnel, funnel_rows
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
from tests.strategies.sequence_queries import document, make_funnel_query
from tests.strategies.sequence_worlds import make_world

CASES = sequence_cases("funnel(")
QUERIES = 6
"""Questions about one world: opening one costs more than asking."""


def test_there_are_contract_cases() -> None:
    assert len(CASES) > 10


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_contract_case(case: dict[str, Any]) -> None:
    assert not json_differences(case["expect"]["data"], answers(case))


# --- figures by hand -------------------------------------------------------------------------------------------------

START = datetime(2026, 11, 2)


def events(text: str, **more: Any) -> World:
    """`u A0 B5 Xr9`: what users did, and after how many minutes; r and g stand for channels. A line is a user."""
    rows: list[dict[str, Any]] = []
    for line in text.splitlines():
        user, *happened = line.split()
        for one in happened:
            minutes = int("".join(c for c in one if c.isdigit()))
            channel = "".join(c for c in one[1:] if c.isalpha()) or None
            at = START + timedelta(minutes=minutes)
            rows.append({"id": len(rows), "user_id": user, "at": at, "event": one[0], "channel": channel})
    kinds = {"id": "BIGINT", "user_id": "VARCHAR", "at": "TIMESTAMP", "event": "VARCHAR", "channel": "VARCHAR"}
    dataset: dict[str, Any] = {
        "name": "events",
        "source": "data/events/*.parquet",
        "time_dimension": "at",
        "entities": {"user": "user_id"},
        "dimensions": [{"name": "channel", "type": "string"}],
    }
    dataset |= {key: more.pop(key) for key in ("passive", "data_through") if key in more}
    steps = [
        {"name": f"s{place}", "where": f"event in ({_quoted(letters)})"}
        for place, letters in enumerate(more.pop("steps").split(), start=1)
    ]
    funnel = {"name": "f", "entity": "user", "dataset": "events", "window": "10 minutes", "steps": steps}
    return World({"version": 1, "datasets": [dataset], "funnels": [funnel | more]}, {"events": Table(kinds, rows)})


def _quoted(name: str) -> str:
    return ", ".join(f"'{letter}'" for letter in name)


def ask_reference(world: World, **around: Any) -> Any:
    return answer_funnel(world.model(), world.rows, FunnelQuery("f", **around))


def reached(answer: Any) -> list[int]:
    return [step["count"] for step in answer["steps"]]


@pytest.mark.parametrize(
    ("happened", "steps", "more", "counts"),
    [
        ("u A0 B10", "A B", {}, [1, 1]),  # the window is inclusive
        ("u A0 B5 C11", "A B C", {}, [1, 1, 0]),  # and counted from step 1
        ("u A0 A8 B12", "A B", {}, [1, 1]),  # any entry may be the one
        ("u A0 A8 B12", "A B", {"entry": "first"}, [1, 0]),
        ("u A0 B0 C0", "C B A", {}, [1, 1, 1]),  # ties are order-free
        ("u A0 A0", "A A A", {}, [1, 1, 0]),  # one event fills one step
        ("u A0 B0 A1", "A AB A", {}, [1, 1, 1]),
        ("u B0 A1 A1 B1", "AB A B", {}, [1, 1, 1]),
        ("u A0 X1 B2", "A B", {"order": "strict"}, [1, 0]),
        ("u A0 X1 B2", "A B", {"order": "strict", "passive": "event = 'X'"}, [1, 1]),
        ("u A0 A1 B2 B3 C4", "A B C", {"order": "strict"}, [1, 1, 1]),  # repeats collapse
        ("u A0 X0 B1", "A B", {"order": "strict"}, [1, 1]),  # X may have been before A
        ("u A0 B1 X1 C2", "A B C", {"order": "strict"}, [1, 1, 0]),  # after B, at the latest, it ends the run
        ("u C0 A1 B2", "A B C", {"order": "any"}, [1, 1, 1]),
        ("u A0 A1", "A AB", {"order": "any"}, [1, 1]),
        ("u A0 X5 B6", "A B", {"exclude": [("X", 1, 2, "drop_off")]}, [1, 0]),
        ("u A0 X6 B6", "A B", {"exclude": [("X", 1, 2, "drop_off")]}, [1, 1]),  # equal times do not exclude
        ("u A0 X0 B6", "A B", {"exclude": [("X", 1, 2, "drop_off")]}, [1, 1]),
        ("u A0 B1 X2 C3", "A B C", {"exclude": [("X", 1, 3, "drop_off")]}, [1, 1, 0]),
        (
            "u A0 X5 B6 A20 B21",
            "A B",
            {"exclude": [("X", 1, 2, "drop_off")]},
            [1, 1],
        ),  # another entry is free of it
        ("u A0 X5 B6 A20 B21", "A B", {"exclude": [("X", 1, 2, "remove")]}, [1, 1]),
        ("u A0 X5\nv A0", "A B", {"exclude": [("X", 1, 2, "remove")]}, [1, 0]),  # also when B is never reached
        ("u A0 X10\nv A0", "A B", {"exclude": [("X", 1, 2, "remove")]}, [2, 0]),  # the window has ended
        ("u Ar0 Bg1 Br2 Cr3", "A B C", {"hold": ["channel"]}, [1, 1, 1]),
        ("u Ar0 Bg1", "A B", {"hold": ["channel"]}, [1, 0]),
        ("u A0 B1", "A B", {"hold": ["channel"]}, [0, 0]),  # unknown is no value
        ("u Ar0 Ag1 Bg2", "A B", {"hold": ["channel"], "entry": "first"}, [1, 0]),  # the first entry of all
        ("u Ar0 Ag0 Bg2", "A B", {"hold": ["channel"], "entry": "first"}, [1, 1]),
        ("u Ar0 Bg1 Br2", "A B", {"hold": ["channel"], "order": "strict"}, [1, 0]),  # any event breaks the run
        ("u Ar0 Ag1 Br2", "A B", {"hold": ["channel"], "order": "strict"}, [1, 0]),  # also a step with another value
        ("u Ar0 A1 Br2", "A B", {"hold": ["channel"], "order": "strict"}, [1, 0]),  # or with none
        ("u Ar0 Ag1 Br2", "A B", {"hold": ["channel"], "order": "strict", "passive": "event = 'A'"}, [1, 1]),
        ("u Ar0 Xg5 Br6", "A B", {"hold": ["channel"], "exclude": [("X", 1, 2, "drop_off")]}, [1, 0]),
        ("u Ar0 X5 Br6", "A B", {"hold": ["channel"], "exclude": [("X", 1, 2, "drop_off")]}, [1, 0]),
        ("u A0 A1440 B1441", "A B", {"window": "same_day", "entry": "first"}, [1, 0]),
        ("u B0 C1 A2 X3", "A B C", {"order": "any", "exclude": [("X", 1, 3, "drop_off")]}, [1, 1, 1]),
        ("u B0 C1 X2 A3", "A B C", {"order": "any", "exclude": [("X", 1, 3, "drop_off")]}, [1, 1, 0]),
        ("u B0 C1 X9", "A B C", {"order": "any", "exclude": [("X", 1, 3, "remove")]}, [0, 0, 0]),
        ("u A1430 B1435 A1438 B1441", "A B", {"window": "same_day"}, [1, 1]),
        ("u A1438 B1441", "A B", {"window": "same_day"}, [1, 0]),
    ],
)
def test_counts(happened: str, steps: str, more: dict[str, Any], counts: list[int]) -> None:
    rules = [
        {"where": f"event = '{event}'", "from": f"s{first}", "to": f"s{last}", "effect": effect}
        for event, first, last, effect in more.pop("exclude", [])
    ]
    world = events(happened, steps=steps, exclude=rules, **more)
    assert reached(ask_reference(world)) == counts


def test_times_are_of_the_chosen_attempt() -> None:
    answer = ask_reference(events("u A0 B4 A5 B9 C10\nv A0 B1\nw A0 B0", steps="A B C"))
    assert reached(answer) == [3, 3, 1]
    assert [step["averageSeconds"] for step in answer["steps"]] == [None, 100.0, 360.0]
    assert [step["medianSeconds"] for step in answer["steps"]] == [None, 60.0, 360.0]
    assert [step["conversion"] for step in answer["steps"]] == [1.0, 1.0, 1 / 3]
    assert [step["dropOff"] for step in answer["steps"]] == [None, 0, 2]


def test_groups_are_by_the_entry_of_the_chosen_attempt() -> None:
    answer = ask_reference(events("u Ar0 Ag5 Bg12\nv Ar0\nw A0", steps="A B"), breakdown=("channel",))
    groups = {group["key"][0]["value"]: reached(group) for group in answer["groups"]}
    assert groups == {"g": [1, 1], "r": [1, 0], None: [1, 0]}


def test_a_filter_is_on_the_entry() -> None:
    where = Compare("channel", Operator.EQ, "r")
    assert reached(ask_reference(events("u Ar0 Bg5\nv Ag0 Br1", steps="A B"), where=where)) == [1, 1]


def test_periods_count_an_entity_once_each_and_say_whether_they_are_final() -> None:
    world = events("u A0 A0 A1440 B1441", steps="A B", data_through="2026-11-03")
    answer = ask_reference(world, grain=Grain.DAY, window=Duration(1, Unit.DAY))
    assert [(p["time"], p["mature"], reached(p)) for p in answer["periods"]] == [
        ("2026-11-02", True, [1, 0]),
        ("2026-11-03", False, [1, 1]),
    ]
    assert reached(answer) == [1, 1]


def test_a_tie_of_entries_is_counted_under_the_first_value() -> None:
    answer = ask_reference(events("u A0 Ar0 Ag0", steps="A B"), breakdown=("channel",))
    assert [(group["key"][0]["value"], reached(group)) for group in answer["groups"]] == [("g", [1, 0])]


def test_a_tie_of_attempts_is_timed_by_the_first_times() -> None:
    answer = ask_reference(events("u A0 B0 B3", steps="AB B B"))
    assert [step["averageSeconds"] for step in answer["steps"]] == [None, 0.0, 180.0]


def test_what_differs_is_found() -> None:
    row = {"by0": "a", "count1": 2, "median2": 1.5}
    assert not differences([row], [dict(row)])
    for wrong in ({"count1": 3}, {"by0": "b"}, {"median2": None}, {"median2": 1.6}):
        assert differences([row], [row | wrong])
    assert differences([row], [])
    assert differences([row], "UNKNOWN")


# --- the engine, GraphQL and the reference ---------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(st.data())
async def test_the_engine_is_the_reference(data: st.DataObject) -> None:
    choices = Choices(lambda count: data.draw(st.integers(0, count - 1)))
    world = make_world(choices)
    model = world.model()
    async with serve(world, model) as served:
        for _ in range(QUERIES):
            query = make_funnel_query(choices, world)
            expected = outcome(partial(funnel_rows, model, world.rows, query))
            if expected is not None:
                assert not differences(expected, await outcome_of(ask_engine(served, query))), query


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_graphql_is_the_reference(live: LiveServer, seed: int) -> None:
    choices = Choices(Random(seed).randrange)
    world = make_world(choices, most=40)
    model = world.model()
    queries = list(filter(is_in_graphql, (make_funnel_query(choices, world) for _ in range(QUERIES))))
    replies = ask_http(live, world, [asked_in_graphql(query) for query in queries])
    for query, reply in zip(queries, replies, strict=True):
        expected = outcome(partial(answer_funnel, model, world.rows, query))
        if expected is not None:
            assert not reply_differences(expected, reply, "funnel"), query


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_whole_is_counted_from_the_groups(live: LiveServer, seed: int) -> None:
    choices = Choices(Random(seed).randrange)
    world = make_world(choices, most=40)
    model = world.model()
    asked = (replace(make_funnel_query(choices, world), breakdown=("channel",), grain=None) for _ in range(QUERIES))
    queries = list(filter(is_in_graphql, asked))
    counts = "{ steps { count conversion dropOff } groups { key { value } steps { count } } }"
    replies = ask_http(live, world, [document(query, counts) for query in queries])
    for query, reply in zip(queries, replies, strict=True):
        expected = outcome(partial(answer_funnel, model, world.rows, replace(query, breakdown=())))
        if isinstance(expected, dict) and "errors" not in reply:
            wanted = [{name: step[name] for name in ("count", "conversion", "dropOff")} for step in expected["steps"]]
            assert not json_differences(wanted, reply["data"]["funnel"]["steps"]), query


# --- laws ------------------------------------------------------------------------------------------------------------

LAW = settings(max_examples=8, deadline=None)


def drawn(
    seed: int, edit: Callable[[dict[str, Any]], None] = lambda funnel: None, **changes: Any
) -> tuple[World, FunnelQuery]:
    """A world whose funnels are edited, and a question that neither is refused nor a tie decides."""
    choices = Choices(Random(seed).randrange)
    world = make_world(choices, most=40)
    for funnel in world.document["funnels"]:
        edit(funnel)
    query = replace(make_funnel_query(choices, world), **changes)
    assume(isinstance(outcome(partial(funnel_rows, world.model(), world.rows, query)), list))
    return world, query


def drop_off_only(funnel: dict[str, Any]) -> None:
    """With exclusions that drop off."""
    rule = {
        "where": "event = 'D'",
        "from": "s0",
        "to": "s1" if funnel["order"] != "any" else funnel["steps"][-1]["name"],
    }
    funnel["exclude"] = [rule, *({**other, "effect": "drop_off"} for other in funnel.get("exclude", []))]


def of_named_events(funnel: dict[str, Any]) -> None:
    """Not strict, and every step says of which events it is."""
    if funnel["order"] == "strict":
        funnel["order"] = "ordered"
    for step in funnel["steps"]:
        step.setdefault("where", "event = 'A'")


seeds = given(seed=st.integers(0, 2**32))


@LAW
@seeds
async def test_counts_never_rise(seed: int) -> None:
    await laws.counts_never_rise(ask, *drawn(seed))


@LAW
@seeds
async def test_the_order_of_rows_is_nothing(seed: int) -> None:
    await laws.order_of_rows_is_nothing(ask, *drawn(seed), Random(seed).shuffle)


@LAW
@seeds
async def test_longer_windows_lower_nothing(seed: int) -> None:
    world, query = drawn(seed, drop_off_only, breakdown=(), window=Duration(2, Unit.HOUR))
    await laws.longer_windows_lower_nothing(ask, world, query, replace(query, window=Duration(1, Unit.DAY)))


@LAW
@seeds
async def test_drop_off_keeps_step_1(seed: int) -> None:
    await laws.drop_off_keeps_step_1(ask, *drawn(seed, drop_off_only, breakdown=()))


@LAW
@seeds
async def test_groups_sum_to_the_total(seed: int) -> None:
    await laws.groups_sum_to_the_total(ask, *drawn(seed, breakdown=("channel", "city"), grain=None))


@LAW
@seeds
async def test_other_events_are_nothing(seed: int) -> None:
    await laws.other_events_are_nothing(ask, *drawn(seed, of_named_events))
