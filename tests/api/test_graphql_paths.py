"""Paths in GraphQL: what is selected is asked, once; links point at nodes; what is refused, and how it is said."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.api.around import around
from tests.api.shop import Shop, open_shop, write_tables


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
        ("count nodes { count } links { count }", 1),
        ("links { count } a: sequences { names } b: sequences(limit: 2) { names }", 3),
    ],
)
async def test_what_is_selected_is_asked_once(shop: Shop, selection: str, statements: int) -> None:
    watched, engine = around(shop)
    assert (await watched.ask(f"{{ paths(by: PLATFORM, from: {{}}) {{ {selection} }} }}")).data["paths"]
    assert len(engine.asked) == statements


async def test_links_point_at_nodes(shop: Shop) -> None:
    document = """{ paths(by: CHANNEL, to: {platform: {eq: "web"}}, steps: 2, limit: 2, within: {count: 3, unit: DAY}) {
        count nodes { step count } links { source target count share } sequences { count share } } }"""
    paths = (await shop.ask(document)).data["paths"]
    nodes = paths["nodes"]
    assert paths["count"] == sum(node["count"] for node in nodes if node["step"] == 0) == 7
    assert sum(one["count"] for one in paths["sequences"]) == 7
    for link in paths["links"]:
        source, target = nodes[link["source"]], nodes[link["target"]]
        assert target["step"] == source["step"] + 1
        assert float(link["share"]) == pytest.approx(link["count"] / source["count"])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("by: CHANNEL", "BAD_ARGUMENT", "neither is given"),
        ("by: CHANNEL, from: {}, to: {}", "BAD_ARGUMENT", "both are given"),
        ("by: CHANNEL, from: {}, steps: 21", "BAD_ARGUMENT", "`steps` must be 1 to 20"),
        ("by: CHANNEL, from: {}, limit: 0", "BAD_ARGUMENT", "`limit` must be 1 to 100"),
        ("by: CHANNEL, from: {}, gap: {count: 0, unit: DAY}", "BAD_ARGUMENT", "`gap` must be 1 second"),
        ("by: CHANNEL, from: {}, within: {count: 1, unit: YEAR}", "BAD_ARGUMENT", "1 year has no fixed length"),
        (
            "by: MEMBER_LEVEL, from: {}",
            "DIMENSION_NOT_SHARED",
            'No dataset has what .*"memberLevel"',
        ),
        ("by: SEEN_AT, from: {}", "BAD_ARGUMENT", '"seen.?[aA]t" is a time'),
        ("by: CLASS, from: {}, dataset: ORDERS", "DIMENSION_NOT_SHARED", 'Dataset "orders" has no dimension "class"'),
        ("by: CHANNEL, from: {}, dataset: ORDERS, segments: [APP_ONLY]", "DIMENSION_NOT_SHARED", 'segment "app_only"'),
    ],
)
async def test_refused(shop: Shop, arguments: str, code: str, said: str) -> None:
    asked = await shop.ask(f"{{ paths({arguments}) {{ count }} }}")
    assert asked.codes == (code,)
    assert re.search(said, asked.errors[0]["message"])
