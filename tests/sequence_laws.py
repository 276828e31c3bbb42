"""What must hold of every funnel and retention, whatever the data: functions over a way to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

from semantic.query.funnel import FunnelQuery
from semantic.query.query import MetricField, MetricQuery
from semantic.query.retention import RetentionQuery
from tests.reference.rows import Row, distinct_rows
from tests.reference.world import Table, World
from tests.sequences import Ask, Question, differences, key_of

# --- laws of funnels (semantics.md §1) -------------------------------------------------------------------------------


def counts(row: Row) -> list[int]:
    """The counts of a row, step by step."""
    return [row[f"count{number}"] for number in range(1, 100) if f"count{number}" in row]


def summed(rows: Sequence[Row]) -> list[int]:
    return [sum(column) for column in zip(*map(counts, rows), strict=True)]


async def counts_never_rise(ask: Ask, world: World, query: FunnelQuery) -> None:
    for row in await ask(world, query):
        assert counts(row) == sorted(counts(row), reverse=True), row


async def order_of_rows_is_nothing(ask: Ask, world: World, query: Question, turn: Callable[[list[Row]], None]) -> None:
    """`turn` reorders rows in place. Rows that repeat a key are left out first: of those the order decides."""
    model = world.model()
    unique = {name: distinct_rows(model.datasets[name], table.rows) for name, table in world.tables.items()}
    turned = {name: list(rows) for name, rows in unique.items()}
    for rows in turned.values():
        turn(rows)
    before, after = (_with_rows(world, rows) for rows in (unique, turned))
    assert not differences(await ask(before, query), await ask(after, query))


def _with_rows(world: World, rows: Mapping[str, list[Row]]) -> World:
    return replace(world, tables={name: Table(table.columns, rows[name]) for name, table in world.tables.items()})


async def longer_windows_lower_nothing(ask: Ask, world: World, query: FunnelQuery, longer: FunnelQuery) -> None:
    """For funnels that remove nobody, without a breakdown: groups may gain from each other."""
    before = {key_of(row): row for row in await ask(world, query)}
    after = {key_of(row): row for row in await ask(world, longer)}
    assert before.keys() == after.keys()
    for key, row in before.items():
        assert all(one <= other for one, other in zip(counts(row), counts(after[key]), strict=True)), (row, after[key])


async def drop_off_keeps_step_1(ask: Ask, world: World, query: FunnelQuery) -> None:
    """For funnels whose exclusions all drop off, without a breakdown."""
    funnels = [{**funnel, "exclude": []} for funnel in world.document["funnels"]]
    free = replace(world, document={**world.document, "funnels": funnels})
    with_exclusions, without = await ask(world, query), await ask(free, query)
    assert [row["count1"] for row in with_exclusions] == [row["count1"] for row in without]


async def groups_sum_to_the_total(ask: Ask, world: World, query: FunnelQuery) -> None:
    """For a question without a grain."""
    (total,) = await ask(world, replace(query, breakdown=()))
    groups = await ask(world, query)
    assert summed(groups) == counts(total) if groups else not any(counts(total)), (total, groups)


async def other_events_are_nothing(ask: Ask, world: World, query: FunnelQuery) -> None:
    """For funnels that are not strict and whose steps all name events; no new day is added."""
    events = world.tables["events"]
    others = [{**row, "id": -1 - n, "event": "Z", "channel": None, "city": None} for n, row in enumerate(events.rows)]
    more = replace(world, tables={**world.tables, "events": Table(events.columns, [*others, *events.rows])})
    assert not differences(await ask(world, query), await ask(more, query))


# --- laws of retention (semantics.md §2) -----------------------------------------------------------------------------


def cells(row: Row) -> list[int]:
    """The cells of a row, in order."""
    return [row[f"cell{number}"] for number in range(1, 100) if f"cell{number}" in row]


async def nobody_returns_who_is_not_there(ask: Ask, world: World, query: RetentionQuery) -> None:
    mode = next(r["mode"] for r in world.document["retentions"] if r["name"] == query.retention)
    for row in await ask(world, query):
        assert all(0 <= cell <= row["size"] for cell in cells(row)), row
        assert mode != "within" or cells(row) == sorted(cells(row)), row
        # Falling, but for one rise: a final cell sees complete days only, the first that is not final all of them.
        rises = sum(later > before for before, later in pairwise(cells(row)))
        assert mode != "on_or_after" or rises <= 1, row


async def groups_make_the_cohorts(ask: Ask, world: World, query: RetentionQuery) -> None:
    whole = {row["cohort"]: [row["size"], *cells(row)] for row in await ask(world, replace(query, breakdown=()))}
    parts: dict[date, list[int]] = {}
    for row in await ask(world, query):
        numbers = [row["size"], *cells(row)]
        known = parts.get(row["cohort"], [0] * len(numbers))
        parts[row["cohort"]] = [sum(pair) for pair in zip(known, numbers, strict=True)]
    assert parts == whole


# --- laws of metrics -------------------------------------------------------------------------------------------------


async def beside_others_as_alone(ask: Ask, world: World, query: MetricQuery) -> None:
    """Metrics asked for together have the values that each has alone; rows that only one has are there."""
    together = {key_of(row): row for row in await ask(world, query)}
    keys = [field for field in query.fields if not isinstance(field, MetricField)]
    found: dict[object, Row] = {}
    for field in query.metrics:
        for row in await ask(world, replace(query, fields=(*keys, field))):
            found.setdefault(key_of(row), {other.key: None for other in query.metrics}).update(row)
    counted = {"uv": 0, "pv": 0}  # what a count is where there are no rows
    expected = [
        row | {f.key: counted[f.metric] for f in query.metrics if f.metric in counted and row[f.key] is None}
        for row in found.values()
    ]
    assert not differences(expected, list(together.values()))
