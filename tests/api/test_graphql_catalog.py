"""The catalog, and the example query."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.example import example_query
from api.execute import build_snapshot
from semantic.load import load_texts
from semantic.model.facts import DatasetFacts, Facts, Kind
from tests.api.shop import Shop, open_shop, write_tables


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("shop"))


@pytest_asyncio.fixture
async def shop(files: Path) -> AsyncIterator[Shop]:
    async with open_shop(files) as opened:
        yield opened


SCORED = ("worth_segment", "worth_risk", "worth_r_score", "worth_f_score", "worth_m_score", "worth_frequency")


def by_name(entries: list[Any]) -> dict[str, Any]:
    return {entry["name"]: entry for entry in entries}


def names(entries: list[Any]) -> list[str]:
    return [entry["name"] for entry in entries]


async def test_metrics(shop: Shop) -> None:
    document = """{ catalog { metrics {
        name field value label description type scalar format additivity fill hasTime definition
        dimensions { name } dependsOn { name } usedBy { name } datasets { name }
    } } }"""
    found = by_name((await shop.ask(document)).data["catalog"]["metrics"])
    assert found["uv"] == {
        "name": "uv",
        "field": "uv",
        "value": "UV",
        "label": "Unique visitors",
        "description": "Distinct users.",
        "type": "SIMPLE",
        "scalar": "Long",
        "format": "INTEGER",
        "additivity": "NONE",
        "fill": None,
        "hasTime": True,
        "definition": "type: simple\ndataset: events\nagg: count_distinct\nexpr: user_id",
        "dimensions": [
            {"name": name}
            for name in ("channel", "platform", "class", "day_seen", "seen_at", "age", "score", "is_new", *SCORED)
        ],
        "dependsOn": [],
        "usedBy": [{"name": "uv_value"}, {"name": "uv_7d"}],
        "datasets": [{"name": "events"}],
    }
    assert (found["gmv"]["additivity"], found["gmv"]["fill"], found["gmv"]["format"]) == ("FULL", 0, "CURRENCY")
    assert names(found["gmv"]["dimensions"]) == ["channel", "province", "buyer_member_level", *SCORED]
    assert names(found["uv_value"]["dimensions"]) == ["channel", *SCORED]
    assert names(found["uv_value"]["dependsOn"]) == ["gmv", "uv"]
    assert names(found["uv_value"]["datasets"]) == ["orders", "events"]
    assert found["pv"]["definition"].splitlines()[-1] == "where: event_name = 'page_view'"
    assert found["uv_7d"]["definition"] == "type: cumulative\nmetric: uv\nwindow: 7 days"
    assert found["net"]["definition"] == "type: derived\nexpr: gmv - 100"
    assert found["id_count"]["hasTime"] is False


async def test_dimensions_datasets_and_segments(shop: Shop) -> None:
    document = """{ catalog {
        dimensions { name field value label type scalar metrics { name } datasets { name } }
        datasets { name label primaryKey timeDimension entities dimensions { name } segments { name } metrics { name } }
        segments { name value label description definition datasets { name } }
    } }"""
    data = (await shop.ask(document)).data["catalog"]
    dimensions, datasets = by_name(data["dimensions"]), by_name(data["datasets"])
    assert dimensions["buyer_member_level"]["label"] == "Buyer · Member level"
    assert dimensions["buyer_member_level"]["field"] == "buyerMemberLevel"
    assert names(dimensions["buyer_member_level"]["datasets"]) == ["orders"]
    assert names(dimensions["channel"]["datasets"]) == ["events", "orders"]
    assert (dimensions["seen_at"]["type"], dimensions["seen_at"]["scalar"]) == ("TIME", "Time")
    assert "gmv" in names(dimensions["channel"]["metrics"])
    assert names(datasets["orders"]["dimensions"]) == ["channel", "province", "buyer_member_level", *SCORED]
    assert datasets["events"]["entities"] == ["user"]
    assert datasets["events"]["primaryKey"] == ["event_id"]
    assert names(datasets["orders"]["metrics"]) == [
        "gmv",
        "orders",
        "worthy_buyers",
        "uv_value",
        "net",
        "view_to_click",
        "credited_gmv",
    ]
    assert data["segments"] == [
        {
            "name": "app_only",
            "value": "APP_ONLY",
            "label": "App only",
            "description": None,
            "definition": "platform in ('ios', 'android')",
            "datasets": [{"name": "events"}],
        }
    ]


async def test_freshness(shop: Shop) -> None:
    document = (
        """{ catalog { datasets { name freshness { dataVersion dataThrough newest rows warnAfter warnings } } } }"""
    )
    found = by_name((await shop.ask(document)).data["catalog"]["datasets"])
    events, ids = found["events"]["freshness"], found["ids"]["freshness"]
    assert (events["dataThrough"], events["newest"]) == ("2026-11-08", "2026-11-09T10:23:00+08:00")
    assert events["rows"] == 300
    assert (ids["dataThrough"], ids["newest"]) == (None, None)
    assert found["orders"]["freshness"]["warnAfter"] == "1 day"
    assert len({entry["freshness"]["dataVersion"] for entry in found.values()}) == 4


@pytest.mark.parametrize(
    ("argument", "header", "locale", "label"),
    [
        ("", None, None, "Unique visitors"),
        ("", "zh-CN,zh;q=0.9", "zh", "访客数"),
        ('(locale: "en")', "zh-CN", "en", "Unique visitors"),
        ('(locale: "zh-Hans")', None, "zh", "访客数"),
        ('(locale: "fr")', "zh", None, "Unique visitors"),
        ("(locale: null)", "zh", "zh", "访客数"),
    ],
)
async def test_languages(shop: Shop, argument: str, header: str | None, locale: str | None, label: str) -> None:
    document = f"{{ catalog{argument} {{ locale locales metrics {{ name label }} }} }}"
    data = (await shop.ask(document, locale=header)).data["catalog"]
    assert (data["locale"], data["locales"]) == (locale, ["en", "zh"])
    assert by_name(data["metrics"])["uv"]["label"] == label
    assert by_name(data["metrics"])["pv"]["label"] == "pv"


async def test_the_whole(shop: Shop) -> None:
    data = (await shop.ask("{ catalog { version timezone weekStart currency } }")).data["catalog"]
    assert data == {
        "version": shop.snapshot.model.digest,
        "timezone": "Asia/Shanghai",
        "weekStart": "monday",
        "currency": "CNY",
    }


async def test_the_example_works(shop: Shop) -> None:
    query = example_query(shop.snapshot)["query"]
    data = (await shop.ask(query)).data
    assert list(data) == ["byDay", "byDimension"]
    assert len(data["byDay"]["rows"]) == 7
    assert list(data["byDay"]["rows"][0]) == ["time", "uv", "gmv", "uvValue", "change"]
    assert data["byDimension"]["rows"]
    assert all(row["channel"] or row["uv"] for row in data["byDimension"]["rows"])


LOGS = """
version: 1
datasets:
  - name: logs
    source: logs.parquet
    {time}
    dimensions: [{dimension}]
metrics: {metrics}
"""
COUNT = "[{name: lines, type: simple, dataset: logs, agg: count}]"
DISTINCT = "[{name: change, type: simple, dataset: logs, agg: count_distinct, expr: host}]"


@pytest.mark.parametrize(
    ("time", "dimension", "metrics", "roots"),
    [
        ("time_dimension: at", "{name: host, type: string}", COUNT, ["byDay", "byDimension"]),
        ("time_dimension: at", "{name: host, type: string}", DISTINCT, ["byDay", "byDimension"]),
        ("time_dimension: at", "", COUNT, ["byDay"]),
        ("", "{name: host, type: string}", COUNT, ["byDimension"]),
        ("", "{name: size, type: number}", COUNT, ["metrics"]),
        ("", "", COUNT, ["metrics"]),
        ("", "", "[]", ["catalog"]),
    ],
)
async def test_an_example_for_every_model(
    tmp_path: Path, time: str, dimension: str, metrics: str, roots: list[str]
) -> None:
    import duckdb

    from engine import EngineSettings, open_engine

    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT TIMESTAMP '2026-11-01' + INTERVAL (i) HOUR AS at, 'h' || (i % 3) AS host, i AS size
            FROM range(500) t(i)) TO '{tmp_path}/logs.parquet'"""
        )
    text = LOGS.replace("{time}", time).replace("{dimension}", dimension).replace("{metrics}", metrics)
    model = load_texts({"m.yml": text})
    engine = open_engine(model, tmp_path, EngineSettings(settle_seconds=0.0))
    try:
        shop = Shop(build_snapshot(model, await engine.facts(("logs",)), engine))
        data = (await shop.ask(example_query(shop.snapshot)["query"])).data
    finally:
        await engine.close()
    assert list(data) == roots


def test_an_example_where_there_is_no_data_yet() -> None:
    """The last days of nothing are not defined: the example asks for something else."""
    text = (
        LOGS.replace("{time}", "time_dimension: at").replace("{dimension}", "{name: host}").replace("{metrics}", COUNT)
    )
    facts = Facts("1", {"logs": DatasetFacts("1", {"at": Kind.TIMESTAMP, "host": Kind.STRING})})
    snapshot = build_snapshot(load_texts({"m.yml": text}), facts, None)  # type: ignore[arg-type]
    query = example_query(snapshot)["query"]
    assert "byDay" not in query
    assert "byDimension" in query
