"""The demo shop's model: it fits the data, says everything in two languages and holds the whole catalogue."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

import demo
from api.execute import execute
from api.load import load_snapshot
from api.settings import Settings
from semantic.load import load_folder
from semantic.model.dataset import SourceFormat
from semantic.model.expression import Expression
from semantic.model.metric import Simple
from semantic.model.model import Model
from semantic.model.names import camel_case
from semantic.model.sequence import Funnel, RetentionDefinition

Query = Callable[[str], list[tuple[Any, ...]]]

CATALOGUE = {
    *("pv", "uv", "sessions", "new_uv", "returning_uv", "new_ratio", "cumulative_users", "share_pv", "share_uv"),
    *("share_open_uv", "search_uv", "scan_uv", "pv_per_uv", "visit_depth", "stay_per_user", "stay_per_session"),
    *("bounce_rate", "sessions_per_user", "register_rate", "detail_rate", "valid_visit_rate", "bot_share"),
    *("share_rate", "share_return_ratio", "k_factor", "exposure_ctr", "detail_cart_rate", "cart_order_rate"),
    *("order_pay_rate", "time_to_pay", "coupon_use_rate", "pay_fail_rate", "gmv_submitted", "gmv", "net_revenue"),
    *("paid_orders", "buyers", "aov", "arppu", "items_per_order", "uv_value", "refund_rate_amount"),
    *("refund_rate_orders", "discount_rate", "repurchase_rate", "stickiness", "high_risk_users", "cac"),
    *("cost_per_uv", "cost_per_order", "roas", "channel_roi"),
    *("detail_to_cart", "cart_to_submit", "submit_to_pay", "checkout_rate", "detail_drop_rate", "cart_drop_rate"),
    *("submit_drop_rate", "visit_pay_rate", "cart_abandon_rate", "d1_retention", "d7_retention", "d30_retention"),
    *("d7_retention_within", "active_d1_retention", "active_d7_retention", "paying_w1_retention"),
    *("repurchase_30d", "churn_rate", "winback_rate", "ltv_30", "payback_days"),
    *("attributed_gmv", "attributed_orders", "attributed_roas", "attributed_roi", "attributed_cost_per_order"),
    "ltv_to_cac",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shop")
    demo.generate(out, users=2000, days=70)  # long enough for every retention to have a cohort that is old enough
    return out


@pytest.fixture(scope="module")
def model(shop: Path) -> Model:
    return load_folder(shop)


@pytest.fixture(scope="module")
def query(shop: Path, model: Model) -> Query:
    """Rows of a query over the datasets, by their names in the model."""
    connection = duckdb.connect()
    for dataset in model.stored.values():
        path = shop / dataset.source.path
        read = "read_csv" if dataset.source.format is SourceFormat.CSV else "read_parquet"
        connection.execute(f"create table {dataset.name} as from {read}('{path}', hive_partitioning=true)")
    return lambda sql: connection.execute(sql).fetchall()


def columns_of(query: Query, dataset: str) -> set[str]:
    return {row[0] for row in query(f"describe {dataset}")}


def known_columns(query: Query, model: Model, dataset: str) -> set[str]:
    return columns_of(query, dataset) | {name for name, _ in model.datasets[dataset].computed}


def test_the_model_reads_only_columns_that_are_there(query: Query, model: Model) -> None:
    expressions: list[tuple[str, Expression | None]] = []
    for dataset in model.datasets.values():
        expressions += [(dataset.name, expr) for _, expr in dataset.computed]
    for dataset in model.stored.values():
        expressions += [(dataset.name, dimension.expr) for dimension in dataset.dimensions]
        expressions += [(dataset.name, segment.where) for segment in dataset.segments]
    for funnel in model.funnels.values():
        expressions += [(step.dataset, step.where) for step in funnel.steps]
        expressions += [(funnel.dataset, exclude.where) for exclude in funnel.exclude]
    for retention in model.retentions.values():
        expressions += [(events.dataset, events.where) for events in (retention.cohort, retention.returns)]
    for metric in model.metrics.values():
        if isinstance(metric, Simple) and metric.dataset in model.stored:
            expressions += [(metric.dataset, metric.expr), (metric.dataset, metric.where)]
    for score in model.scores.values():
        expressions += [(score.dataset, one) for one in (score.where, score.purchase, score.amount)]
    for dataset_name, expression in expressions:
        for ref in expression.refs if expression else ():
            at = model.relationships[ref.path[-1]].to_dataset if ref.path else dataset_name
            assert ref.name in known_columns(query, model, at), f"{dataset_name}: {ref}"
    for relationship in model.relationships.values():
        if relationship.implied:
            continue
        for source, target in relationship.columns:
            assert source in known_columns(query, model, relationship.from_dataset), relationship.name
            assert target in columns_of(query, relationship.to_dataset), relationship.name


def test_every_metric_is_named_and_described_in_both_languages(model: Model) -> None:
    for metric in model.metrics.values():
        for text in (metric.label, metric.description):
            assert {locale for locale, _ in text.by_locale} == {"en", "zh"}, metric.name
    reports: list[Funnel | RetentionDefinition] = [*model.funnels.values(), *model.retentions.values()]
    for report in reports:
        for text in (report.label, report.description):
            assert {locale for locale, _ in text.by_locale} == {"en", "zh"}, report.name
    for funnel in model.funnels.values():
        for step in funnel.steps:
            assert {locale for locale, _ in step.label.by_locale} == {"en", "zh"}, step.name
    for score in model.scores.values():
        rules = [rule.label for rule in score.segments] + [rule.label for rule in score.risks]
        for text in (score.label, score.description, *rules):
            assert {locale for locale, _ in text.by_locale} == {"en", "zh"}, score.name
    for dimension in model.dimensions.values():
        assert {locale for locale, _ in dimension.label.by_locale} == {"en", "zh"}, dimension.name


def test_the_catalogue_is_complete(model: Model) -> None:
    """Every metric of the catalogue."""
    assert set(model.metrics) >= CATALOGUE


async def ask(shop: Path, document: str) -> Any:
    """The data of an answer, in Chinese."""
    snapshot = await load_snapshot(Settings(model=shop))
    try:
        answer = orjson.loads((await execute(snapshot, document, None, None, snapshot.context(locale="zh"))).body)
    finally:
        await snapshot.engine.close()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


async def test_every_metric_answers(shop: Path, model: Model) -> None:
    fields = [camel_case(name) for name in model.metrics]
    totals = (await ask(shop, f"{{ metrics {{ totals {{ {' '.join(fields)} }} }} }}"))["metrics"]["totals"]
    assert [name for name, value in totals.items() if value is None] == []


async def test_every_funnel_and_retention_answers(shop: Path, model: Model) -> None:
    parts = [
        f"{name}: funnel(name: {name.upper()}, breakdown: [CHANNEL, VISITOR_TYPE]) "
        "{ steps { label count } groups { steps { count } } }"
        for name in model.funnels
    ]
    parts += [f"{name}: retention(name: {name.upper()}) {{ overall {{ rate }} }}" for name in model.retentions]
    data = await ask(shop, f"{{ {' '.join(parts)} }}")
    for name, funnel in model.funnels.items():
        counts = [step["count"] for step in data[name]["steps"]]
        assert counts == sorted(counts, reverse=True), name
        assert counts[-1] > 0, name
        assert [step["label"] for step in data[name]["steps"]] == [step.label.get("zh") for step in funnel.steps]
        groups = [[step["count"] for step in group["steps"]] for group in data[name]["groups"]]
        assert [sum(column) for column in zip(*groups, strict=True)] == counts, name
    for name in model.retentions:
        assert data[name]["overall"][0]["rate"] > 0, name


async def test_on_day_seven_is_not_within_seven_days(shop: Path, model: Model) -> None:
    for name in ("d7_retention", "d7_retention_within"):
        metric = model.metrics[name]
        assert all(word in (metric.description.get("zh") or "") for word in ("7日留存", "7日内留存")), name
    totals = (await ask(shop, "{ metrics { totals { d7Retention d7RetentionWithin } } }"))["metrics"]["totals"]
    assert totals["d7Retention"] < totals["d7RetentionWithin"]


async def test_credit_is_all_of_the_revenue(shop: Path) -> None:
    models = ("LAST_NON_DIRECT", "FIRST", "LINEAR", "TIME_DECAY")
    fields = " ".join(f"{name.lower()}: attributedGmv(model: {name})" for name in models)
    asked = f"{{ metrics {{ rows {{ channel gmv {fields} attributedOrders }} totals {{ gmv paidOrders }} }} }}"
    found = (await ask(shop, asked))["metrics"]
    for name in models:
        assert sum(row[name.lower()] for row in found["rows"]) == pytest.approx(found["totals"]["gmv"]), name
    assert sum(row["attributedOrders"] for row in found["rows"]) == found["totals"]["paidOrders"]
    channels = {row["channel"]: row for row in found["rows"]}
    assert channels["quick_entry"]["last_non_direct"] < channels["quick_entry"]["gmv"]


async def test_refunds_by_either_date(shop: Path) -> None:
    rows = "rows { time(grain: WEEK) refundAmount orderRefundedAmount refundAmountByRefundDate netRevenue gmv }"
    totals = "totals { refundAmount refundAmountByRefundDate netRevenue netRevenueByRefundDate }"
    found = (await ask(shop, f"{{ metrics {{ {rows} {totals} }} }}"))["metrics"]
    for row in found["rows"]:
        assert row["refundAmount"] == row["orderRefundedAmount"], row["time"]
        assert row["netRevenue"] == pytest.approx(row["gmv"] - row["refundAmount"]), row["time"]
    assert any(row["refundAmount"] != row["refundAmountByRefundDate"] for row in found["rows"])
    assert found["totals"]["refundAmount"] == found["totals"]["refundAmountByRefundDate"] > 0
    assert found["totals"]["netRevenue"] == found["totals"]["netRevenueByRefundDate"]


async def test_a_split_checkout_is_one_order(shop: Path, query: Query) -> None:
    ((parcels, split),) = query("select count(*), count(parent_order_id) from orders where paid_at is not null")
    assert split > 0
    totals = (await ask(shop, "{ metrics { totals { paidOrders } } }"))["metrics"]["totals"]
    ((checkouts,),) = query(
        "select count(distinct coalesce(parent_order_id, order_id)) from orders where paid_at is not null"
    )
    assert totals["paidOrders"] == checkouts < parcels


async def test_the_scene_table_may_be_overridden(shop: Path, tmp_path: Path) -> None:
    own = tmp_path / "shop"
    shutil.copytree(shop, own)
    table = own / "data" / "channels.csv"
    kept = [line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("1053,")]
    renamed = [line.replace(",offline_qr,", ",街头扫码,") for line in kept]
    table.write_text("\n".join(renamed) + "\n", encoding="utf-8")
    groups = own / "data" / "channel_groups.csv"
    groups.write_text(
        groups.read_text(encoding="utf-8").replace("会话/群分享,internal", "会话/群分享,社交"), encoding="utf-8"
    )
    asked = "{ metrics { rows { channel pv } totals { pv } } }"
    before, after = [(await ask(folder, asked))["metrics"] for folder in (shop, own)]
    was, now = [{row["channel"]: row["pv"] for row in found["rows"]} for found in (before, after)]
    assert None not in now
    assert now["(unmapped)"] > was["(unmapped)"] > 0
    assert now["search"] < was["search"]
    assert now["街头扫码"] > 0
    assert now["offline_qr"] < was["offline_qr"]  # only links that name the channel are left of it
    shared = '{ metrics(where: {channel: {eq: "share_card"}}) { rows { channelGroup pv } } }'
    assert "社交" in {row["channelGroup"] for row in (await ask(own, shared))["metrics"]["rows"]}
    assert before["totals"] == after["totals"] == {"pv": sum(now.values())}


def test_keys_are_as_unique_as_the_model_says(query: Query, model: Model) -> None:
    promised = [dataset for dataset in model.stored.values() if dataset.unique]
    assert len(promised) >= 8
    for dataset in promised:
        key = ", ".join(dataset.primary_key)
        assert query(f"select {key} from {dataset.name} group by all having count(*) > 1") == [], dataset.name
