"""Scores in GraphQL: who may see them, in which language, how often they are asked, and what the catalog says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.context import Outcome
from semantic.compile import compile_query
from semantic.errors import QueryError
from semantic.load import load_texts
from semantic.query.score import ScoreQuery
from tests.api.around import around
from tests.api.shop import MODEL, Shop, open_shop, shop_facts, write_tables


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("shop"))


@pytest_asyncio.fixture
async def shop(files: Path) -> AsyncIterator[Shop]:
    async with open_shop(files) as opened:
        yield opened


async def test_the_parts_are_one_question(shop: Shop) -> None:
    watched, engine = around(shop)
    document = "{ scores(name: WORTH) { version asOf entities { entity } again: entities { risk } meta { sql } } }"
    data = (await watched.ask(document)).data["scores"]
    assert data["version"] == "7"
    assert len(data["entities"]) == len(data["again"]) == 7
    assert len(engine.asked) == 1


async def test_who_may_not_see_entities_still_sees_counts(shop: Shop) -> None:
    document = "{ scores(name: WORTH) { entities { entity } } metrics { rows { worthSegment worthyBuyers orders } } }"
    watched, engine = around(shop)
    asked = await watched.ask(document, may_see_entities=False)
    assert asked.response.outcome is Outcome.PARTIAL
    assert asked.codes == ("FORBIDDEN",)
    assert asked.body["data"]["scores"] == {"entities": None}
    assert {row["worthSegment"] for row in asked.body["data"]["metrics"]["rows"]} == {"best", "rest"}
    assert len(engine.asked) == 1


@pytest.mark.parametrize(("locale", "segment", "reason"), [("en", "Best", "Late"), ("zh-CN", "最佳", "超期")])
async def test_labels_are_in_the_language_of_the_request(shop: Shop, locale: str, segment: str, reason: str) -> None:
    document = "{ scores(name: WORTH) { entities { segment segmentLabel reasons { name label } } } }"
    entities = (await shop.ask(document, locale=locale)).data["scores"]["entities"]
    assert {one["segmentLabel"] for one in entities if one["segment"] == "best"} == {segment}
    assert {why["label"] for one in entities for why in one["reasons"] if why["name"] == "late"} == {reason}


async def test_risk_is_the_strongest_reason(shop: Shop) -> None:
    document = "{ scores(name: WORTH) { entities { risk reasons { risk } } } }"
    for one in (await shop.ask(document)).data["scores"]["entities"]:
        found = {why["risk"] for why in one["reasons"]}
        assert one["risk"] == ("high" if "high" in found else "medium" if found else "low")


async def test_pages(shop: Shop) -> None:
    who = "{ entities { entity } }"
    document = f"{{ all: scores(name: WORTH) {who} first: scores(name: WORTH, limit: 2) {who}"
    data = (await shop.ask(f"{document} rest: scores(name: WORTH, offset: 2) {who} }}")).data
    assert data["first"]["entities"] + data["rest"]["entities"] == data["all"]["entities"]
    refused = await shop.ask("{ scores(name: WORTH, limit: 0) { entities { entity } } }")
    assert refused.codes == ("BAD_ARGUMENT",)


async def test_the_catalog_knows_the_score(shop: Shop) -> None:
    document = """{ catalog(locale: "zh") {
        scores { name value label version entity recency frequency monetary dataset { name } dimensions { name }
            segments { name label definition } risks { name label risk definition } } } }"""
    (score,) = (await shop.ask(document)).data["catalog"]["scores"]
    assert score == {
        "name": "worth",
        "value": "WORTH",
        "label": "价值",
        "version": "7",
        "entity": "user",
        "recency": [1, 3],
        "frequency": [2, 4],
        "monetary": [800],
        "dataset": {"name": "orders"},
        "dimensions": [
            {"name": f"worth_{column}"} for column in ("segment", "risk", "r_score", "f_score", "m_score", "frequency")
        ],
        "segments": [
            {"name": "best", "label": "最佳", "definition": "m_score = 2"},
            {"name": "rest", "label": "rest", "definition": None},
        ],
        "risks": [
            {"name": "late", "label": "超期", "risk": "high", "definition": "purchase_days < 7"},
            {"name": "seldom", "label": "seldom", "risk": "medium", "definition": "frequency < 14"},
        ],
    }
    document = """{ catalog { datasets { name primaryKey freshness { rows dataVersion } }
        metrics { name hasTime datasets { name } dimensions { name } }
        dimensions { name label datasets { name } } } }"""
    catalog = (await shop.ask(document)).data["catalog"]
    datasets = {one["name"]: one for one in catalog["datasets"]}
    assert datasets["worth"]["primaryKey"] == ["entity"]
    assert datasets["worth"]["freshness"] == datasets["orders"]["freshness"]
    metric = next(one for one in catalog["metrics"] if one["name"] == "worthy_buyers")
    assert metric["datasets"] == [{"name": "orders"}]
    assert metric["hasTime"] is False
    assert {"name": "worth_risk"} in metric["dimensions"]
    segment = next(one for one in catalog["dimensions"] if one["name"] == "worth_segment")
    assert segment["label"] == "Worth · segment"
    assert {one["name"] for one in segment["datasets"]} == {"worth", "events", "orders"}


def test_a_hidden_dimension_hides_the_entities() -> None:
    """An answer tells every column of a score."""
    model = load_texts({"m.yml": MODEL + "policies:\n  - {name: no_risk, hide: [worth_risk]}\n"})
    with pytest.raises(QueryError, match='There is no dimension "worth_risk"'):
        compile_query(model, ScoreQuery("worth"), shop_facts())
