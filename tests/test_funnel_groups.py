"""Lists that hold the events of many entities: the kernel tells them apart, whatever their numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from random import Random

import duckdb
import numpy as np
import pytest

from engine.functions import register
from engine.funnel import solve
from engine.groups import solve_groups
from engine.order import RUN, SHORT, sort_each
from semantic.compile import compile_query, datasets_needed
from semantic.errors import QueryError
from semantic.query.funnel import FunnelQuery
from semantic.sql.packing import FUNNEL_MANY, NARROW_BITS, PERIOD_BITS
from tests.reference.funnel import funnel_rows
from tests.reference.rows import Row
from tests.reference.served import Served, serve
from tests.reference.world import Table, World
from tests.sequences import ask_engine, differences, outcome, outcome_of
from tests.strategies.choices import Choices
from tests.strategies.sequence_queries import make_funnel_query
from tests.strategies.sequence_worlds import make_world
from tests.test_marks import Knowing

BITS = 4
"""Three steps, and that an event opens an attempt."""
WIDE = 1 << 64
CODES = (0, 1, 2, 3, 1 << 20, 1 << 36)
"""Numbers of groups: few, and more than fit beside a mask of all bits."""
EDGES = (0, -1, 1, 2**63 - 1, -(2**63), 2**62, 7 << 32, 8 << 32, 9 << 32, -(5 << 40))

Event = tuple[int, int, int, int]
"""Who, when, mask, label."""


def events(random: Random, count: int, periods: bool, codes: bool) -> list[Event]:
    owners = random.choice((EDGES, range(40), [number << 12 for number in range(40)]))
    found = []
    for _ in range(count):
        who = random.choice(owners)
        period, code = random.randrange(3) if periods else 0, random.choice(CODES) if codes else 0
        found.append((who, random.randrange(200), random.choice((9, 2, 4, 6, 1, 8)), code << PERIOD_BITS | period))
    return found


def spec(periods: bool, codes: bool, times: bool, room: int = 0) -> list[int]:
    return [3, 60, 0, 0, int(periods), int(codes), int(times), -1, BITS, room]


def packed(event: Event, room: int) -> int:
    """An event as a word below its entity; all ones where its code does not fit."""
    who, time, mask, label = event
    code = min(label >> PERIOD_BITS, (1 << room) - 1)
    return who * (1 << NARROW_BITS) + (time << BITS + room | code << BITS | mask)


def beside(given: list[Event], room: int) -> list[int]:
    """The labels of the events that say so."""
    return [event[3] for event in given if event[3] >> PERIOD_BITS >= (1 << room) - 1]


def apart(given: list[Event], numbers: list[int]) -> dict[int, list[list[int]]]:
    """The records of each entity, one entity after the other."""
    found = {}
    for who in {event[0] for event in given}:
        own = [event for event in given if event[0] == who]
        time = np.array([event[1] for event in own], np.int64)
        order = np.arange(len(own), dtype=np.int64)
        sort_each(time, order, np.array([0, len(own)], np.int64))
        mask = np.array([event[2] for event in own], np.int64)[order]
        label = np.array([event[3] for event in own], np.int64)[order]
        code, period = label >> PERIOD_BITS, label & ((1 << PERIOD_BITS) - 1)
        offsets = np.array([0, len(own)], np.int64)
        none, rules = np.zeros(0, np.int64), np.zeros((0, 4), np.int64)
        records, edges, _ = solve(time, mask, code, period, none, offsets, np.array(numbers, np.int64), rules)
        found[who] = [records[begin:end].tolist() for begin, end in pairwise(edges.tolist())]
    return {who: records for who, records in found.items() if records}


@pytest.mark.parametrize(
    ("periods", "codes", "room"),
    [(False, False, 0), (True, True, 0), (True, False, 0), (False, True, 0), (False, True, 2), (False, True, 20)],
)
def test_entities_are_told_apart(periods: bool, codes: bool, room: int) -> None:
    random = Random(11)
    labelled = periods or codes
    for times in (False, True):
        numbers = spec(periods, codes, times, room)
        lists = [events(random, random.choice((0, 1, 7, 300)), periods, codes) for _ in range(12)]
        given = [event for one in lists for event in one]
        halves = b"".join(packed(event, room).to_bytes(16, "little", signed=True) for event in given)
        words = np.frombuffer(halves, np.int64).reshape(-1, 2)
        marks = [beside(one, room) if labelled else [] for one in lists]
        labels = np.array([label for one in marks for label in one], np.int64)
        offsets, places = (np.cumsum([0, *map(len, found)], dtype=np.int64) for found in (lists, marks))
        rules = np.zeros((0, 4), np.int64)
        records, edges, owners = solve_groups(words, labels, offsets, places, np.array(numbers, np.int64), rules)
        told = [records[begin:end].tolist() for begin, end in pairwise(edges.tolist())]
        for one, (begin, end) in zip(lists, pairwise(owners.tolist()), strict=True):
            found: dict[int, list[list[int]]] = {}
            for who, *record in told[begin:end]:
                found.setdefault(who, []).append(record)
            assert found == apart(one, numbers)


def test_statements_tell_them_apart_too() -> None:
    given = events(Random(3), 4000, True, True)
    asked = spec(True, True, True)
    rows = [(who, time << BITS | mask, label, time * WIDE + (label << BITS | mask)) for who, time, mask, label in given]
    with duckdb.connect() as connection:
        register(connection)
        connection.execute("CREATE TABLE e (who BIGINT, word BIGINT, label BIGINT, wide HUGEINT)")
        connection.executemany("INSERT INTO e VALUES (?, ?, ?, ?)", rows)
        by_entity = connection.execute(
            "SELECT who, unnest(headwater_funnel(list(wide), ?::BIGINT[])) AS r FROM e GROUP BY who", [asked]
        ).fetchall()
        together = connection.execute(
            "SELECT unnest(headwater_funnel_many(list(owned), list(label), ?::BIGINT[])) AS r "
            f"FROM (SELECT who::HUGEINT * {1 << NARROW_BITS} + word AS owned, * FROM e) GROUP BY hash(who) & 7",
            [asked],
        ).fetchall()
    assert sorted(([who, *record] for who, record in by_entity)) == sorted(record for (record,) in together)


def numbered(world: World) -> World:
    """The same world, whose users are whole numbers, some of them below 0."""
    tables = {}
    for name, table in world.tables.items():
        rows = [
            {**row, "user_id": None if row["user_id"] is None else int(row["user_id"][1:]) - 2} for row in table.rows
        ]
        tables[name] = replace(table, columns={**table.columns, "user_id": "BIGINT"}, rows=rows)
    return replace(world, tables=tables)


async def rows(served: Served, query: FunnelQuery) -> list[Row] | str:
    try:
        return await ask_engine(served, query)
    except QueryError as error:
        return error.code


async def test_whole_numbers_and_texts_are_counted_alike() -> None:
    random = Random(5)
    together = 0
    for _ in range(12):
        choices = Choices(random.randrange)
        world = make_world(choices, 60)
        whole = numbered(world)
        async with serve(world, world.model()) as by_text, serve(whole, whole.model()) as by_number:
            for _ in range(6):
                query = make_funnel_query(choices, world)
                expected = await rows(by_text, query)
                assert await rows(by_number, query) == expected, (world.text, query)
                if not isinstance(expected, str):
                    facts = await by_number.engine.facts(datasets_needed(by_number.model, query))
                    together += FUNNEL_MANY in compile_query(by_number.model, query, facts).statement.sql
    assert together > 20


async def test_groups_of_known_values_are_the_same() -> None:
    """Whether the values of a breakdown were read from the rows or are known; and the reference says so, too."""
    random = Random(7)
    known = 0
    for _ in range(14):
        choices = Choices(random.randrange)
        world = make_world(choices, 60)
        whole = numbered(world)
        async with serve(world, world.model()) as by_text, serve(whole, whole.model()) as by_number:
            knowing = [Knowing(by_text.model, by_text.engine, world), Knowing(by_number.model, by_number.engine, whole)]
            for _ in range(6):
                query = replace(
                    make_funnel_query(choices, world), breakdown=(choices.pick(("channel", "city", "event")),)
                )
                expected = outcome(partial(funnel_rows, by_text.model, world.rows, query))
                if not isinstance(expected, list):
                    continue
                for served in knowing:
                    assert not differences(expected, await outcome_of(served.rows(query))), (world.text, query)
                    facts = await served.engine.facts(datasets_needed(served.model, query))
                    known += 'unnest(CAST(? AS BIGINT[])) AS "#code"' in served.compiled(query, facts).sql
    assert known > 40


def spread(random: Random, kind: str, year: int) -> World:
    """Many channels, and a last event in some year: the later, the less room an event has for its channel."""
    start = datetime(2026, 11, 2)
    found = [(random.randrange(40), start + timedelta(minutes=random.randrange(300))) for _ in range(900)]
    events = [
        {"id": place, "user_id": user, "at": at, "event": random.choice("ABC"), "channel": random.choice("abcdefghij")}
        for place, (user, at) in enumerate([*found, (1, datetime(year, 12, 30))])
    ]
    rows = [{**event, "user_id": f"{event['user_id']}" if kind == "VARCHAR" else event["user_id"]} for event in events]
    columns = {"id": "BIGINT", "user_id": kind, "at": "TIMESTAMP", "event": "VARCHAR", "channel": "VARCHAR"}
    dataset = {
        "name": "events",
        "source": "data/events/*.parquet",
        "time_dimension": "at",
        "entities": {"user": "user_id"},
        "dimensions": [{"name": "channel", "type": "string"}],
    }
    steps = [{"name": letter.lower(), "where": f"event = '{letter}'"} for letter in "ABC"]
    funnel = {"name": "f", "entity": "user", "dataset": "events", "window": "1 hour", "steps": steps}
    return World({"version": 1, "datasets": [dataset], "funnels": [funnel]}, {"events": Table(columns, rows)})


@pytest.mark.parametrize(("year", "room"), [(2027, 13), (8700, 1), (9999, 1), (5000, 2)])
async def test_codes_without_room_stand_beside(year: int, room: int) -> None:
    query = FunnelQuery("f", breakdown=("channel",))
    worlds = [spread(Random(year), kind, year) for kind in ("VARCHAR", "BIGINT")]
    async with serve(worlds[0], worlds[0].model()) as by_text, serve(worlds[1], worlds[1].model()) as by_number:
        found = await rows(by_number, query)
        assert found == await rows(by_text, query)
        assert len(found) > 8
        facts = await by_number.engine.facts(datasets_needed(by_number.model, query))
        statement = compile_query(by_number.model, query, facts).statement
    assert [value[-1] for value in statement.params if isinstance(value, tuple) and value][-1] == room


@pytest.mark.parametrize(("events", "lists"), [(0, 4096), (102_400_000, 4096), (102_400_001, 8192), (10**9, 65536)])
async def test_many_events_have_more_lists(events: int, lists: int) -> None:
    """So that the lists put to the kernel at a time stay bounded."""
    world = spread(Random(1), "BIGINT", 2027)
    model, query = world.model(), FunnelQuery("f")
    async with serve(world, model) as served:
        facts = await served.engine.facts(datasets_needed(model, query))
    known = replace(facts.datasets["events"], rows=events)
    statement = compile_query(model, query, replace(facts, datasets={"events": known})).statement
    assert f'hash("events"."user_id") & {lists - 1}' in statement.sql


@pytest.mark.parametrize("length", [0, 1, SHORT, SHORT + 1, 50, 400])
@pytest.mark.parametrize("runs", [1, 2, 3, 7, 400])
def test_sorting(length: int, runs: int) -> None:
    """Runs that are in order, two, many, and no order at all; what belongs to a time stays with it."""
    random = Random(length * 1000 + runs)
    cuts = sorted(random.randrange(length + 1) for _ in range(runs - 1))
    times = [random.randrange(50) for _ in range(length)]
    times = [time for begin, end in pairwise([0, *cuts, length]) for time in sorted(times[begin:end])]
    time, tag = np.array(times, np.int64), np.arange(length, dtype=np.int64)
    sort_each(time, tag, np.array([0, length], np.int64))
    assert time.tolist() == sorted(times)
    assert [times[place] for place in tag] == time.tolist()
    assert sorted(tag.tolist()) == list(range(length))
    assert RUN <= SHORT
