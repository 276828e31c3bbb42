"""Funnels in GraphQL: what is selected is asked, once and of one version; who may see what; what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.context import Outcome
from api.resolvers.limits import Limits
from api.showing import shown, title
from tests.api.around import around
from tests.api.shop import Shop, open_shop, shop_facts, shop_model, write_tables
from tests.api.test_schema import schema_of

RANGE = 'timeRange: {dates: {from: "2026-11-02", to: "2026-11-04"}}'


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("shop"))


@pytest_asyncio.fixture
async def shop(files: Path) -> AsyncIterator[Shop]:
    async with open_shop(files) as opened:
        yield opened


@pytest.mark.parametrize(
    ("selection", "statements"),
    [
        ("meta { cached }", 0),
        ("__typename groups { steps { count } } periods { time }", 0),
        ("steps { count }", 1),
        ("a: steps { count } b: steps { conversion label }", 1),
        ("a: steps { count } b: steps { medianSeconds }", 2),
        ("steps { count } a: timeToConvert { count } b: timeToConvert(step: 2) { count }", 3),
        ("a: dropOffs(step: 1) { entity } b: dropOffs(step: 1, limit: 100, offset: 0) { lastSeen }", 1),
    ],
)
async def test_what_is_selected_is_asked_once(shop: Shop, selection: str, statements: int) -> None:
    watched, engine = around(shop)
    assert (await watched.ask(f"{{ funnel(name: CHECKOUT) {{ {selection} }} }}")).data["funnel"]
    assert len(engine.asked) == statements


@pytest.mark.parametrize(
    ("selection", "statements"),
    [
        ("steps { count } groups { steps { count } }", 1),
        ("a: steps { conversion } steps { medianSeconds } groups { steps { averageSeconds } }", 2),
        ("steps { count } groups { steps { medianSeconds } }", 1),
    ],
)
async def test_the_groups_are_enough_to_count_the_whole(shop: Shop, selection: str, statements: int) -> None:
    watched, engine = around(shop)
    document = f"{{ funnel(name: CHECKOUT, breakdown: [CHANNEL]) {{ {selection} }} }}"
    split = (await watched.ask(document)).data["funnel"]
    assert len(engine.asked) == statements
    whole = (await shop.ask(document.replace(", breakdown: [CHANNEL]", ""))).data["funnel"]
    assert {**split, "groups": []} == {**whole, "groups": []}


async def test_parts_run_side_by_side(shop: Shop) -> None:
    watched, engine = around(shop, before=0.05)
    selection = "steps { medianSeconds } groups { steps { count } } periods { time } timeToConvert { count }"
    await watched.ask(f"{{ funnel(name: CHECKOUT, breakdown: [CHANNEL], grain: DAY, {RANGE}) {{ {selection} }} }}")
    assert engine.most == 4


async def test_all_parts_are_of_one_version(tmp_path: Path) -> None:
    """The file is swapped between the statements: both are asked anew."""
    async with open_shop(write_tables(tmp_path)) as own:
        swaps = [tmp_path / "data" / "orders.parquet"]
        watched, engine = around(own, swaps=swaps, gate=asyncio.Semaphore(1))
        document = "{ funnel(name: CHECKOUT) { steps { count } timeToConvert { count } meta { dataVersion } } }"
        version = (await watched.ask(document)).data["funnel"]["meta"]["dataVersion"]
        assert version == (await own.ask(document)).data["funnel"]["meta"]["dataVersion"]
        assert len(engine.asked) == 4


async def test_times_are_computed_when_they_are_selected(shop: Shop) -> None:
    async def sql(field: str) -> str:
        document = f"{{ funnel(name: CHECKOUT) {{ steps {{ {field} }} meta {{ sql }} }} }}"
        text: str = (await shop.ask(document, may_see_sql=True)).data["funnel"]["meta"]["sql"]
        return text

    assert '"median2"' not in await sql("count conversion")
    assert '"median2"' in await sql("averageSeconds")


async def test_meta_is_of_all_statements(shop: Shop) -> None:
    document = """{ funnel(name: CHECKOUT) { bars: steps { count } left: dropOffs(step: 1) { entity }
        meta { sql cached dataThrough durationMs warnings { code } } } }"""
    asked = [(await shop.ask(document, may_see_sql=True)).data["funnel"]["meta"] for _ in range(2)]
    assert [meta["cached"] for meta in asked] == [False, True]
    assert [line for line in asked[0]["sql"].splitlines() if line.startswith("-- ") and ":" not in line] == [
        "-- bars",
        "-- left",
    ]
    assert asked[0]["dataThrough"] == "2026-11-07"  # orders end before events do
    assert (await shop.ask(document)).data["funnel"]["meta"]["sql"] is None


@pytest.mark.parametrize(
    ("locale", "labels"), [("en", ["View", "Click", "order"]), ("zh-CN", ["浏览", "点击", "order"])]
)
async def test_labels_are_in_the_language_of_the_request(shop: Shop, locale: str, labels: list[str]) -> None:
    document = "{ funnel(name: CHECKOUT) { steps { name label } } }"
    steps = (await shop.ask(document, locale=locale)).data["funnel"]["steps"]
    assert [step["label"] for step in steps] == labels
    assert [step["name"] for step in steps] == ["view", "click", "order"]


async def test_who_may_not_see_entities_still_sees_counts(shop: Shop) -> None:
    watched, engine = around(shop)
    document = "{ funnel(name: CHECKOUT) { steps { count } dropOffs(step: 1) { entity } } }"
    asked = await watched.ask(document, may_see_entities=False)
    assert asked.response.outcome is Outcome.PARTIAL
    assert asked.codes == ("FORBIDDEN",)
    assert asked.errors[0]["path"] == ["funnel", "dropOffs"]
    assert asked.body["data"]["funnel"]["dropOffs"] is None
    assert asked.body["data"]["funnel"]["steps"] == [{"count": 7}] * 3
    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    ("field", "code", "suggestion"),
    [
        ("funnel { steps { count } }", "BAD_ARGUMENT", "Give exactly one of `name` and `steps`."),
        ("funnel(name: CHECKOUT, steps: []) { steps { count } }", "BAD_ARGUMENT", "Give exactly one"),
        ("funnel(name: CHECKOUT, entity: USER) { steps { count } }", "BAD_ARGUMENT", "Leave `entity` out."),
        ('funnel(steps: [{name: "a"}, {name: "b"}]) { steps { count } }', "BAD_ARGUMENT", "or `sameDay: true`"),
        ('funnel(steps: [{name: "a"}], sameDay: true) { steps { count } }', "BAD_ARGUMENT", None),
        (
            'funnel(steps: [{name: "a", where: {province: {eq: "x"}}, dataset: EVENTS}, {name: "b"}], sameDay: true)'
            " { steps { count } }",
            "BAD_ARGUMENT",
            None,
        ),
        ("funnel(name: CHECKOUT, breakdown: [PROVINCE]) { groups { steps { count } } }", "DIMENSION_NOT_SHARED", None),
        ("funnel(name: CHECKOUT, grain: MINUTE) { periods { time } }", "GRAIN_NOT_POSSIBLE", "HOUR"),
        ("funnel(name: CHECKOUT, window: {count: 1, unit: YEAR}) { steps { count } }", "BAD_ARGUMENT", "weeks"),
        ("funnel(name: CHECKOUT, window: {count: -1, unit: DAY}) { steps { count } }", "BAD_ARGUMENT", None),
        ("funnel(name: CHECKOUT) { dropOffs(step: 4) { entity } }", "BAD_ARGUMENT", None),
        ("funnel(name: CHECKOUT) { dropOffs(step: 1, limit: 20000) { entity } }", "BAD_ARGUMENT", None),
        ("funnel(name: CHECKOUT) { timeToConvert(buckets: 1001) { count } }", "BAD_ARGUMENT", None),
        ('funnel(name: CHECKOUT, timezone: "Nowhere/Now") { steps { count } }', "BAD_TIMEZONE", "IANA"),
        (
            'funnel(name: CHECKOUT, timeRange: {dates: {from: "2026-11-02", to: "2026-11-01"}}) { steps { count } }',
            "BAD_TIME_RANGE",
            "Swap",
        ),
    ],
    ids=lambda part: str(part)[:60],
)
async def test_refused(shop: Shop, field: str, code: str, suggestion: str | None) -> None:
    asked = await shop.ask(f"{{ it: {field} neighbour: catalog {{ timezone }} }}")
    assert asked.codes == (code,)
    assert asked.body["data"] == {"it": None, "neighbour": {"timezone": "Asia/Shanghai"}}
    [error] = asked.errors
    assert error["path"] == ["it"]
    assert error["extensions"]["fault"] == "user"
    if suggestion is not None:
        assert suggestion in error["extensions"]["suggestion"]


@pytest.mark.parametrize(
    "field",
    [
        "funnel(name: CHECKOUTS) { steps { count } }",
        'funnel(steps: [{name: "a", dataset: ORDER}], sameDay: true) { steps { count } }',
        "funnel(steps: [], entity: USERS) { steps { count } }",
        "retention(name: VISITOR) { overall { rate } }",
    ],
)
async def test_unknown_names_have_their_own_code(shop: Shop, field: str) -> None:
    asked = await shop.ask(f"{{ {field} }}")
    assert asked.response.outcome is Outcome.REFUSED
    assert asked.codes == ("UNKNOWN_NAME",)
    assert "Did you mean" in asked.errors[0]["extensions"]["suggestion"]


@pytest.mark.parametrize(("part", "selection"), [("groups", "steps { count }"), ("periods", "time")])
async def test_too_much_is_refused_and_never_cut(shop: Shop, part: str, selection: str) -> None:
    document = f"{{ funnel(name: CHECKOUT, breakdown: [SEEN_AT], grain: HOUR) {{ {part} {{ {selection} }} }} }}"
    asked = await shop.ask(document, limits=Limits(rows=20))
    assert asked.codes == ("LIMIT_EXCEEDED",)
    assert len((await shop.ask(document)).data["funnel"][part]) * 3 > 20


def test_fields_with_nothing_to_name_are_left_out() -> None:
    def roots(**changes: Any) -> dict[str, Any]:
        query = schema_of(replace(shop_model(), **changes), shop_facts()).query_type
        assert query is not None
        fields: dict[str, Any] = query.fields
        return fields

    assert {"funnel", "retention"} <= set(roots())
    own = roots(metrics={}, funnels={}, retentions={})
    assert "retention" not in own
    assert "name" not in own["funnel"].args
    assert str(own["funnel"].args["steps"].type) == "[FunnelStepInput!]!"
    assert str(roots()["funnel"].args["steps"].type) == "[FunnelStepInput!]"
    nobody = {name: replace(dataset, entities=()) for name, dataset in shop_model().datasets.items()}
    assert "funnel" not in roots(metrics={}, funnels={}, retentions={}, datasets=nobody)


async def test_what_would_be_asked_is_told(shop: Shop) -> None:
    document = """{ funnel(name: CHECKOUT, breakdown: [CHANNEL], grain: DAY) {
        steps { medianSeconds } groups { steps { count } } periods { time }
        dropOffs(step: 1) { entity } timeToConvert { count } }
        own: funnel(steps: [{name: "a"}, {name: "b"}], sameDay: true) { steps { count } }
        retention(name: VISITORS, breakdown: [CHANNEL]) { overall { rate } groups { size } lifecycle { new } } }"""
    found, errors = await shown(shop.snapshot, document)
    assert errors == []
    assert {title(one.question) for one in found} == {
        "funnel checkout, steps",
        "funnel checkout, steps by channel",
        "funnel checkout, steps by time (day)",
        "funnel checkout, drop offs",
        "funnel checkout, histogram",
        "funnel of the query, steps",
        "retention visitors",
        "retention visitors by channel",
        "lifecycle of visitors",
    }
