"""The reference against real HTTP: several random queries in one document, with their totals."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.settings import Settings
from semantic.model.model import Model
from semantic.query.query import MetricQuery
from tests.live import LiveServer
from tests.reference import Refused, Unspecified, answer
from tests.reference.document import NotExpressible, document, parsed, shown
from tests.reference.rows import Row
from tests.reference.same import differences
from tests.reference.world import World
from tests.strategies import queries, worlds

SAME_MISTAKE = {"UNKNOWN_NAME": "SEGMENT_NOT_SHARED"}
"""A segment that no dataset has is not shared either."""


UNASKED = 1000
"""The limit of a query that asks for none."""


def totals_of(query: MetricQuery) -> MetricQuery:
    """The query that totals are: the same without keys and without what is done to rows."""
    return replace(query, fields=query.metrics, having=(), order_by=(), limit=None, offset=0, fill=False)


def expected_of(model: Model, world: World, query: MetricQuery) -> list[Row] | str | None:
    """Rows as JSON, an error's code, or None where the documents are silent."""
    try:
        return list(shown(answer(model, world.rows, query), query, model.timezone))
    except Refused as refused:
        return refused.code.value
    except Unspecified:
        return None


def check(model: Model, world: World, query: MetricQuery, reply: dict[str, Any], alias: str) -> None:
    """One root field of a reply: it fails whole, when its rows or its totals are refused."""
    expected = [expected_of(model, world, asked) for asked in (query, totals_of(query))]
    if None in expected:
        return
    refusals = {SAME_MISTAKE.get(found, found) for found in expected if isinstance(found, str)}
    found = reply["data"][alias]
    if refusals:
        codes = {error["extensions"]["code"] for error in reply["errors"] if error["path"][0] == alias}
        assert found is None
        assert {SAME_MISTAKE.get(code, code) for code in codes} <= refusals
        return
    assert found is not None, f"{reply['errors']}: {document(query)}"
    for wanted, got in zip(expected, (found["rows"], [found["totals"]]), strict=True):
        assert isinstance(wanted, list)
        different = differences(wanted, got)
        assert not different, "\n".join([*different, f"expected {wanted}", f"got {got}", document(query)])


def expressible(query: MetricQuery) -> bool:
    try:
        document(query)
    except NotExpressible:
        return False
    return True


@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_http_answers_are_the_references(live: LiveServer, data: st.DataObject) -> None:
    world = data.draw(worlds(), label="world")
    model = world.model()
    drawn = [data.draw(queries(world, model), label=f"query {n}") for n in range(3)]
    limited = [query if query.limit is not None else replace(query, limit=UNASKED) for query in drawn]
    asked = {f"q{n}": query for n, query in enumerate(limited) if expressible(query)}
    if not asked:
        return
    text = "{ " + "\n".join(document(query, alias) for alias, query in asked.items()) + " }"
    folder = Path(tempfile.mkdtemp(prefix="world-"))
    try:
        world.write(folder)
        with live.serving(Settings(model=folder, reload=False)):
            answered = live.ask(text)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert answered.status == 200, answered.body.decode()
    reply = parsed(answered.body)
    for alias, query in asked.items():
        check(model, world, query, reply, alias)
