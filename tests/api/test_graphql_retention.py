"""Retention in GraphQL: what is selected is asked, once; the parts agree with each other; what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.resolvers.limits import Limits
from tests.api.around import around
from tests.api.shop import Shop, open_shop, write_tables

RANGE = 'timeRange: {dates: {from: "2026-11-02", to: "2026-11-09"}}'


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
        ("groups { size }", 0),
        ("cohorts { size } overall { rate }", 1),
        ("overall { rate } lifecycle { new } weeks: lifecycle(grain: WEEK) { new }", 3),
    ],
)
async def test_what_is_selected_is_asked_once(shop: Shop, selection: str, statements: int) -> None:
    watched, engine = around(shop)
    assert (await watched.ask(f"{{ retention(name: VISITORS) {{ {selection} }} }}")).data["retention"]
    assert len(engine.asked) == statements


async def test_the_parts_agree(shop: Shop) -> None:
    cells = "cells { period count rate mature eligible }"
    document = f"""{{
        retention(name: VISITORS, breakdown: [PLATFORM], {RANGE}) {{
            cohorts {{ time size {cells} }} overall {{ period count rate mature eligible }}
            groups {{ key {{ dimension value }} size {cells} cohorts {{ time size {cells} }} }}
            lifecycle {{ time active }}
        }}
        metrics({RANGE}) {{ rows {{ time(grain: DAY) d1Retention }} totals {{ d1Retention }} }}
    }}"""
    data = (await shop.ask(document)).data
    retention, metrics = data["retention"], data["metrics"]
    final = [cohort for cohort in retention["cohorts"] if cohort["cells"][0]["mature"]]
    assert 0 < len(final) < len(retention["cohorts"])
    first = retention["overall"][0]
    assert first["count"] == sum(cohort["cells"][0]["count"] for cohort in final)
    assert first["eligible"] == sum(cohort["size"] for cohort in final)
    assert metrics["totals"]["d1Retention"] == first["rate"]
    by_day = {row["time"]: row["d1Retention"] for row in metrics["rows"]}
    assert by_day == {cohort["time"]: cohort["cells"][0]["rate"] for cohort in retention["cohorts"]}
    assert [cohort["size"] for cohort in retention["cohorts"]] == [day["active"] for day in retention["lifecycle"]]
    for place, cohort in enumerate(retention["cohorts"]):
        assert sum(group["cohorts"][place]["size"] for group in retention["groups"]) == cohort["size"]
    assert sum(group["cells"][0]["eligible"] for group in retention["groups"]) == first["eligible"]
    assert {part["dimension"] for group in retention["groups"] for part in group["key"]} == {"platform"}


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("retention(name: VISITORS, periods: 0) { overall { rate } }", "BAD_ARGUMENT"),
        ("retention(name: VISITORS, periods: 401) { overall { rate } }", "BAD_ARGUMENT"),
        ("retention(name: VISITORS, breakdown: [PROVINCE]) { groups { size } }", "DIMENSION_NOT_SHARED"),
        ("retention(name: VISITORS) { lifecycle(grain: HOUR) { new } }", "GRAIN_NOT_POSSIBLE"),
        ('retention(name: VISITORS, where: {province: {eq: "x"}}) { overall { rate } }', "DIMENSION_NOT_SHARED"),
    ],
)
async def test_refused(shop: Shop, field: str, code: str) -> None:
    asked = await shop.ask(f"{{ it: {field} neighbour: catalog {{ timezone }} }}")
    assert asked.codes == (code,)
    assert asked.body["data"] == {"it": None, "neighbour": {"timezone": "Asia/Shanghai"}}


@pytest.mark.parametrize("part", ["cohorts { time }", "groups { key { value } }", "groups { cohorts { time } }"])
async def test_too_much_is_refused_and_never_cut(shop: Shop, part: str) -> None:
    document = f"{{ retention(name: VISITORS, breakdown: [SEEN_AT]) {{ {part} }} }}"
    asked = await shop.ask(document, limits=Limits(rows=20))
    assert asked.codes == ("LIMIT_EXCEEDED",)
    assert (await shop.ask(document)).data["retention"]


async def test_meta(shop: Shop) -> None:
    parts = "overall { rate } by: groups { size } meta { sql cached }"
    document = f"{{ retention(name: VISITORS, breakdown: [CHANNEL]) {{ {parts} }} }}"
    meta = (await shop.ask(document, may_see_sql=True)).data["retention"]["meta"]
    assert meta["cached"] is False
    assert "-- overall\n" in meta["sql"]
    assert "-- by\n" in meta["sql"]


async def test_labels_in_the_catalog(shop: Shop) -> None:
    document = """{ catalog { retentions { label value mode cohort grain periods dimensions { name } }
        funnels { label window order steps { label dataset { name } definition } dimensions { name } } } }"""
    catalog = (await shop.ask(document, locale="zh")).data["catalog"]
    [retention], [funnel] = catalog["retentions"], catalog["funnels"]
    assert (retention["label"], retention["value"], retention["mode"]) == ("新访客", "VISITORS", "exact")
    assert (retention["cohort"], retention["grain"], retention["periods"]) == ("recurring", "DAY", 3)
    assert (funnel["label"], funnel["window"], funnel["order"]) == ("结算漏斗", "1 day", "ORDERED")
    assert [step["label"] for step in funnel["steps"]] == ["浏览", "点击", "order"]
    assert [step["definition"] for step in funnel["steps"]] == [
        "event_name = 'page_view'",
        "event_name = 'click'",
        None,
    ]
    assert [step["dataset"]["name"] for step in funnel["steps"]] == ["events", "events", "orders"]
    assert {"name": "channel"} in funnel["dimensions"]
    assert {"name": "province"} not in funnel["dimensions"]
