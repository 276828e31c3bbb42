"""Journeys against the reference, on random events with heavy ties; and their laws."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic.compile import compile_query
from semantic.load import load_texts
from semantic.query.bound import BoundJourney
from semantic.query.journey import JourneyQuery, JourneyReport
from semantic.query.query import Compare, Dates, Operator
from semantic.report.group import Row
from semantic.report.journey import PathLink, PathNode, path_count, path_links, path_nodes, path_sequences
from semantic.time import Duration, Unit
from tests.compiling.database import database
from tests.reference.journey import Asked, Event, flows, paths, sequences
from tests.reference.world import Table

MODEL = load_texts(
    {
        "model.yml": """
version: 1
datasets:
- name: events
  source: events.parquet
  time_dimension: at
  entities: {user: who}
  dimensions: [{name: name, type: string}, {name: anchor, type: boolean}]
"""
    }
)
FIRST, LAST = date(2026, 11, 2), date(2026, 11, 3)
START = datetime(2026, 11, 1, 22)

EVENTS = st.lists(
    st.builds(
        Event,
        st.sampled_from(["a", "b", "c", None]),
        st.integers(0, 25).map(lambda steps: START + timedelta(minutes=30 * steps * steps % 3333)),
        st.sampled_from(["x", "y", "z", None]),
        st.sampled_from([True, False, False]),
    ),
    max_size=40,
)
ASKED = st.builds(
    Asked,
    st.just(datetime(2026, 11, 2)),
    st.just(datetime(2026, 11, 4)),
    st.booleans(),
    st.integers(1, 4),
    st.sampled_from([1, 6, 24, 100]).map(lambda hours: timedelta(hours=hours)),
    st.sampled_from([None, timedelta(minutes=30), timedelta(hours=4)]),
    st.booleans(),
    st.integers(1, 4),
)


def question(asked: Asked, report: JourneyReport) -> JourneyQuery:
    def seconds(length: timedelta) -> Duration:
        return Duration(int(length.total_seconds()), Unit.SECOND)

    return JourneyQuery(
        by="name",
        anchor=Compare("anchor", Operator.EQ, True),
        backward=asked.backward,
        report=report,
        steps=asked.steps,
        time_range=Dates(FIRST, LAST),
        within=seconds(asked.within),
        gap=None if asked.gap is None else seconds(asked.gap),
        repeats=asked.repeats,
        limit=asked.limit,
    )


def answered(events: list[Event], asked: Asked, report: JourneyReport) -> tuple[BoundJourney, list[Row]]:
    columns = {"who": "VARCHAR", "at": "TIMESTAMP", "name": "VARCHAR", "anchor": "BOOLEAN"}
    rows = [{"who": one.who, "at": one.at, "name": one.name, "anchor": one.anchor} for one in events]
    with database({"events": Table(columns, rows)}) as data:
        compiled = compile_query(MODEL, question(asked, report), data.facts(MODEL))
        assert isinstance(compiled.bound, BoundJourney)
        return compiled.bound, list(data.run(compiled.statement))


@settings(max_examples=25, deadline=None)
@given(EVENTS, ASKED)
def test_flows_and_sequences(events: list[Event], asked: Asked) -> None:
    found = paths(events, asked)
    here, ended, links = flows(found, asked)
    bound, rows = answered(events, asked, JourneyReport.LINKS)
    nodes = path_nodes(bound, rows)
    assert path_count(rows) == len(found)
    assert {(node.step, node.name, node.other): node.count for node in nodes} == here
    for node in nodes:
        last = abs(node.step) == asked.steps
        assert node.drop_off == (None if last else ended.get((node.step, node.name, node.other), 0))
    assert len(set(map(key, nodes))) == len(nodes)
    assert {ends(nodes, link): link.count for link in path_links(bound, rows)} == links
    told = path_sequences(*answered(events, asked, JourneyReport.SEQUENCES))
    assert [(one.names, one.count) for one in told] == sequences(found, asked)
    assert all(one.share == one.count / len(found) for one in told)


def key(node: PathNode) -> tuple[int, str | None, bool]:
    return node.step, node.name, node.other


def ends(nodes: tuple[PathNode, ...], link: PathLink) -> tuple[tuple[int, str | None, bool], ...]:
    return key(nodes[link.source]), key(nodes[link.target])


@settings(max_examples=6, deadline=None)
@given(EVENTS, ASKED, st.randoms(use_true_random=False))
def test_laws(events: list[Event], asked: Asked, chance: Random) -> None:
    """Shuffling changes nothing; nobody is lost between steps; a larger limit never changes how many are at a step."""
    bound, rows = answered(events, asked, JourneyReport.LINKS)
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert answered(shuffled, asked, JourneyReport.LINKS)[1] == rows
    nodes, links = path_nodes(bound, rows), path_links(bound, rows)
    outward = {link.target if asked.backward else link.source for link in links}
    for place, node in enumerate(nodes):
        away = sum(link.count for link in links if place == (link.target if asked.backward else link.source))
        assert node.drop_off is None or node.count == away + node.drop_off
        assert node.drop_off is not None or place not in outward
    wide = path_nodes(*answered(events, replace(asked, limit=100), JourneyReport.LINKS))
    assert not any(node.other for node in wide)
    assert at_steps(wide) == at_steps(nodes)


def at_steps(nodes: tuple[PathNode, ...]) -> Counter[int]:
    found: Counter[int] = Counter()
    for node in nodes:
        found[node.step] += node.count
    return found


@pytest.mark.parametrize("backward", [False, True])
def test_the_other_side_of_one_instant(backward: bool) -> None:
    """Of events at one instant what is called later is after the anchor, and the rest before it."""
    noon = datetime(2026, 11, 2, 12)
    events = [Event("a", noon, name, name == "m") for name in ("z", "b", "m")]
    asked = Asked(noon, noon, backward, 3, timedelta(hours=1), None, False, 10)
    (found,) = path_sequences(*answered(events, asked, JourneyReport.SEQUENCES))
    assert found.names == (("b", "m") if backward else ("m", "z"))
