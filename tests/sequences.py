"""Asking for funnels and retention: of the engine, over HTTP; and comparing with the reference."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from api.settings import Settings
from semantic.compile import compile_query, datasets_needed
from semantic.errors import QueryError
from semantic.model.facts import Facts
from semantic.query.funnel import FunnelQuery
from semantic.query.query import And, Compare, Condition, MetricQuery, Not, Operator, Or
from semantic.query.retention import RetentionQuery
from semantic.sql.statement import Statement
from tests.case import case_files
from tests.live import LiveServer
from tests.reference.refused import Refused, Unspecified
from tests.reference.rows import Row
from tests.reference.same import same_value
from tests.reference.sequence_cases import is_answerable
from tests.reference.served import Served, serve
from tests.reference.world import World
from tests.strategies.sequence_queries import document

FOREIGN = os.environ.get("HEADWATER_CASES")
FOLDERS = [Path(__file__).parent / "cases", *([Path(FOREIGN)] if FOREIGN else [])]

T = TypeVar("T")
Question = FunnelQuery | RetentionQuery | MetricQuery
Ask = Callable[[World, Question], Awaitable[list[Row]]]
"""Rows of one answer."""

COMPARED = {Operator.GT, Operator.GTE, Operator.LT, Operator.LTE}
NUMBERS = ("count", "average", "median", "cell", "size", "m")
"""What the columns of numbers begin with; the others say what a row is of."""


async def ask_engine(served: Served, query: Question) -> list[Row]:
    """The engine's rows. QueryError when the question is refused."""

    def statement(facts: Facts) -> Statement:
        return compile_query(served.model, query, facts).statement

    answer = await served.engine.answer(datasets_needed(served.model, query), statement)
    rows: list[Row] = answer.table.to_pylist()
    return rows


async def ask(world: World, query: Question) -> list[Row]:
    """The rows of one question about one world."""
    async with serve(world, world.model()) as served:
        return await ask_engine(served, query)


def ask_http(live: LiveServer, world: World, questions: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Any]:
    """What GraphQL answers to documents with their variables."""
    with tempfile.TemporaryDirectory() as folder:
        world.write(Path(folder))
        with live.serving(Settings(model=Path(folder), reload=False, deadline=0)):
            return [live.ask(text, variables).json for text, variables in questions]


def sequence_cases(root: str) -> list[dict[str, Any]]:
    """The contract cases with a root field that the reference can answer."""
    found = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in case_files(FOLDERS)]
    return [case for case in found if root in case["query"] and is_answerable(case)]


# --- comparing -------------------------------------------------------------------------------------------------------


def outcome(work: Callable[[], T]) -> T | str | None:
    """The reference's answer; the code of its refusal; None when the documents leave the answer open."""
    try:
        return work()
    except Refused as refused:
        return refused.code.value
    except Unspecified:
        return None


async def outcome_of(work: Awaitable[list[Row]]) -> list[Row] | str:
    """The engine's rows, or the code of its refusal."""
    try:
        return await work
    except QueryError as error:
        return error.code.value


def differences(expected: list[Row] | str, got: list[Row] | str) -> list[str]:
    """What is not the same in two outcomes."""
    if isinstance(expected, str) or isinstance(got, str):
        return [] if expected == got else [f"{expected} expected, {got} got"]
    left, right = _by_key(expected), _by_key(got)
    found = [f"{key}: {left.get(key)} expected, {right.get(key)} got" for key in left.keys() ^ right.keys()]
    for key in left.keys() & right.keys():
        columns = left[key].keys() | right[key].keys()
        wrong = {name: (left[key].get(name), right[key].get(name)) for name in columns}
        wrong = {name: pair for name, pair in wrong.items() if not same_value(*pair)}
        found += [f"{key}: {name}: {one} expected, {other} got" for name, (one, other) in wrong.items()]
    return found


def _by_key(rows: list[Row]) -> dict[tuple[tuple[str, Any], ...], Row]:
    keyed = {key_of(row): row for row in rows}
    assert len(keyed) == len(rows), "two rows of one group"
    return keyed


def key_of(row: Row) -> tuple[tuple[str, Any], ...]:
    """What a row is of."""
    return tuple(sorted((name, value) for name, value in row.items() if not name.startswith(NUMBERS)))


def reply_differences(expected: Any, reply: Mapping[str, Any], root: str) -> list[str]:
    """What is not the same in what GraphQL answers and what the reference says: an answer, or a code."""
    if isinstance(expected, str):
        codes = [error["extensions"]["code"] for error in reply.get("errors", [])]
        return [] if codes == [expected] else [f"{expected} expected, {codes} got"]
    return json_differences({"data": {root: expected}}, reply)


def json_differences(expected: Any, got: Any, at: str = "") -> list[str]:
    """What is not the same in two JSON values; lists of groups compare in any order; labels don't."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return [
            found
            for name in expected.keys() | got.keys()
            for found in json_differences(expected.get(name), got.get(name), f"{at}.{name}")
        ]
    if isinstance(expected, list) and isinstance(got, list):
        if at.endswith(".groups"):
            expected, got = _in_order(expected), _in_order(got)
        if len(expected) != len(got):
            return [f"{at}: {len(expected)} expected, {len(got)} got"]
        pairs = enumerate(zip(expected, got, strict=True))
        return [found for place, (one, other) in pairs for found in json_differences(one, other, f"{at}[{place}]")]
    if isinstance(expected, float) and isinstance(got, int):
        got = float(got)
    return [] if same_value(expected, got) else [f"{at}: {expected} expected, {got} got"]


def _in_order(groups: list[Any]) -> list[Any]:
    return sorted(groups, key=lambda group: str([part["value"] for part in group["key"]]))


STEPS = "{ name index count conversion stepConversion dropOff averageSeconds medianSeconds }"
CELLS = "{ period count rate mature eligible }"
PARTS = f"groups {{ key {{ dimension value }} steps {STEPS} }} periods {{ time mature steps {STEPS} }}"
FUNNEL = f"{{ steps {STEPS} {PARTS} }}"
COHORTS = f"cohorts {{ time size cells {CELLS} }}"
GROUPS = f"groups {{ key {{ dimension value }} size cells {CELLS} {COHORTS} }}"
RETENTION = f"{{ {COHORTS} overall {CELLS} {GROUPS} }}"
"""Selections of everything that is a number."""


def is_in_graphql(query: FunnelQuery | RetentionQuery) -> bool:
    """Can a question be put in GraphQL? Texts are not greater or less there."""
    return not any(compare.operator in COMPARED for compare in _compares(query.where))


def _compares(where: Condition | None) -> Iterator[Compare]:
    match where:
        case Compare():
            yield where
        case Not():
            yield from _compares(where.part)
        case And() | Or():
            for part in where.parts:
                yield from _compares(part)


def asked_in_graphql(query: FunnelQuery | RetentionQuery) -> tuple[str, Mapping[str, Any]]:
    return document(query, FUNNEL if isinstance(query, FunnelQuery) else RETENTION)
