"""A small shop: a model, its Parquet files, a real engine, and a way to ask it in GraphQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from graphql.execution import Executor

from api.context import Outcome, Response, Snapshot
from api.execute import build_snapshot, execute
from api.resolvers.columnar import ColumnarExecutor
from engine import EngineSettings, open_engine
from semantic.load import load_texts
from semantic.model.facts import DatasetFacts, Facts, Kind
from semantic.model.model import Model

MODEL = """
version: 1
timezone: Asia/Shanghai
currency: CNY
dimensions:
  - name: channel
    type: string
    label: {en: Channel, zh: 渠道}
    description: {en: Where the visit came from., zh: 访问来源渠道。}
datasets:
  - name: events
    label: {en: Events, zh: 事件}
    source: data/events.parquet
    primary_key: event_id
    time_dimension: event_time
    entities: {user: user_id}
    dimensions:
      - {name: channel}
      - {name: platform, type: string}
      - {name: class, type: string, label: Class}
      - {name: day_seen, type: date, expr: day}
      - {name: seen_at, type: time, expr: event_time}
      - {name: age, type: number}
      - {name: score, type: number}
      - {name: is_new, type: boolean}
    segments:
      - {name: app_only, where: "platform in ('ios', 'android')", label: {en: App only, zh: 仅应用}}
  - name: orders
    source: data/orders.parquet
    primary_key: order_id
    time_dimension: paid_at
    entities: {user: user_id}
    freshness: {warn_after: 1 day}
    dimensions: [{name: channel}, {name: province, type: string}]
  - name: users
    source: data/users.parquet
    primary_key: user_id
    dimensions: [{name: member_level, type: string, label: {en: Member level, zh: 会员等级}}]
  - name: ids
    source: data/ids.parquet
    dimensions: [{name: id, type: number}, {name: odd, type: number}, {name: label, type: string}]
relationships:
  - {name: buyer, from: orders, to: users, columns: {user_id: user_id}, label: {en: Buyer, zh: 买家}}
metrics:
  - {name: uv, type: simple, dataset: events, agg: count_distinct, expr: user_id, format: integer,
     label: {en: Unique visitors, zh: 访客数}, description: {en: Distinct users., zh: 去重用户数。}}
  - {name: pv, type: simple, dataset: events, agg: count, where: event_name = 'page_view'}
  - {name: avg_score, type: simple, dataset: events, agg: avg, expr: score}
  - {name: gmv, type: simple, dataset: orders, agg: sum, expr: amount, format: currency, fill: 0,
     label: {en: GMV, zh: 成交额}}
  - {name: orders, type: simple, dataset: orders, agg: count}
  - {name: worthy_buyers, type: simple, dataset: worth, agg: count, where: segment = 'best'}
  - {name: uv_value, type: ratio, numerator: gmv, denominator: uv, format: currency}
  - {name: net, type: derived, expr: gmv - 100}
  - {name: uv_7d, type: cumulative, metric: uv, window: 7 days}
  - {name: largest_id, type: simple, dataset: ids, agg: max, expr: id}
  - {name: id_count, type: simple, dataset: ids, agg: count}
  - {name: odd_sum, type: simple, dataset: ids, agg: sum, expr: odd}
  - {name: view_to_click, type: conversion, funnel: checkout, from: view, to: click, format: percent}
  - {name: d1_retention, type: retention, retention: visitors, period: 1, format: percent}
  - {name: credited_gmv, type: attribution, attribution: last_touch, value: amount}
funnels:
  - name: checkout
    label: {en: Checkout, zh: 结算漏斗}
    entity: user
    dataset: events
    window: 1 day
    steps:
      - {name: view, where: event_name = 'page_view', label: {en: View, zh: 浏览}}
      - {name: click, where: event_name = 'click', label: {en: Click, zh: 点击}}
      - {name: order, dataset: orders}
retentions:
  - name: visitors
    label: {en: New visitors, zh: 新访客}
    entity: user
    cohort: {dataset: events, type: recurring}
    return: {dataset: events}
    periods: 3
scores:
  - name: worth
    version: "7"
    label: {en: Worth, zh: 价值}
    entity: user
    dataset: orders
    amount: amount
    recency: [1, 3]
    frequency: [2, 4]
    monetary: [800]
    segments:
      - {name: best, where: m_score = 2, label: {en: Best, zh: 最佳}}
      - {name: rest}
    risks:
      - {name: late, where: purchase_days < 7, risk: high, label: {en: Late, zh: 超期}}
      - {name: seldom, where: frequency < 14, risk: medium}
    alive: {r: 0.5, alpha: 3, a: 0.8, b: 2.5}
attributions:
  - name: last_touch
    entity: user
    conversion: {dataset: orders}
    touch: {dataset: events, dimensions: [channel]}
    lookback: 7 days
"""

_TABLES = {
    "events": """
        SELECT i AS event_id, CASE WHEN i % 11 = 0 THEN NULL ELSE 'u' || (i % 7) END AS user_id,
            TIMESTAMP '2026-11-01 10:00:00' + INTERVAL (i * 37) MINUTE AS event_time,
            CASE WHEN i % 3 = 0 THEN 'page_view' ELSE 'click' END AS event_name,
            ['search', 'ads', NULL, 'it''s "渠道"\\'][1 + i % 4] AS channel,
            ['ios', 'android', 'web'][1 + i % 3] AS platform, 'c' || (i % 2) AS class,
            DATE '2026-11-01' + (i // 30)::INTEGER AS day, i % 5 AS age,
            CASE i % 4 WHEN 0 THEN NULL ELSE i * 0.1 END::DOUBLE AS score, i % 2 = 0 AS is_new
        FROM range(300) t(i)""",
    "orders": """
        SELECT i AS order_id, 'u' || (i % 7) AS user_id,
            TIMESTAMP '2026-11-01 12:00:00' + INTERVAL (i * 97) MINUTE AS paid_at,
            ['search', 'ads', NULL][1 + i % 3] AS channel, ['广东', '北京'][1 + i % 2] AS province,
            (i * 1.37)::DECIMAL(18, 2) AS amount
        FROM range(100) t(i)""",
    "users": "SELECT 'u' || i AS user_id, ['gold', 'silver'][1 + i % 2] AS member_level FROM range(7) t(i)",
    "ids": """
        SELECT id, label, odd::DOUBLE AS odd FROM (VALUES
            (9223372036854775807, 'max', 'NaN'), (9007199254740993, 'beyond doubles', 'Infinity'),
            (-9223372036854775808, 'min', '-0.0'), (NULL, NULL, NULL)) t(id, label, odd)""",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A response, parsed: decimals stay decimals."""

    response: Response

    @property
    def body(self) -> Any:
        return json.loads(self.response.body, parse_float=Decimal)

    @property
    def data(self) -> Any:
        assert self.response.outcome is Outcome.OK, self.body
        return self.body["data"]

    @property
    def errors(self) -> Any:
        return self.body["errors"]

    @property
    def codes(self) -> tuple[str, ...]:
        return self.response.codes


@dataclass(frozen=True, slots=True)
class Shop:
    """A snapshot to ask."""

    snapshot: Snapshot

    async def ask(self, document: str, variables: Mapping[str, Any] | None = None, **context: Any) -> Asked:
        operation = context.pop("operation_name", None)
        asked = await execute(self.snapshot, document, variables, operation, self.snapshot.context(**context))
        return Asked(asked)


def write_tables(root: Path) -> Path:
    """The files of the shop under `root`."""
    (root / "data").mkdir()
    with duckdb.connect() as connection:
        for name, query in _TABLES.items():
            connection.execute(f"COPY ({query}) TO '{root}/data/{name}.parquet'")
    return root


@asynccontextmanager
async def open_shop(root: Path, executor_class: type[Executor[Any]] = ColumnarExecutor) -> AsyncIterator[Shop]:
    """The shop over its files."""
    model = load_texts({"shop.yml": MODEL})
    engine = open_engine(model, root, EngineSettings(settle_seconds=0.0, threads=2, deadline_seconds=0))
    try:
        facts = await engine.facts(tuple(model.stored))
        yield Shop(build_snapshot(model, facts, engine, executor_class))
    finally:
        await engine.close()


def shop_facts() -> Facts:
    """What the files of the shop are, without reading them."""
    kinds = {
        "events": {
            "event_id": Kind.INTEGER,
            "user_id": Kind.STRING,
            "event_time": Kind.TIMESTAMP,
            "event_name": Kind.STRING,
            "channel": Kind.STRING,
            "platform": Kind.STRING,
            "class": Kind.STRING,
            "day": Kind.DATE,
            "age": Kind.INTEGER,
            "score": Kind.FLOAT,
            "is_new": Kind.BOOLEAN,
        },
        "orders": {
            "order_id": Kind.INTEGER,
            "user_id": Kind.STRING,
            "paid_at": Kind.TIMESTAMP,
            "channel": Kind.STRING,
            "province": Kind.STRING,
            "amount": Kind.DECIMAL,
        },
        "users": {"user_id": Kind.STRING, "member_level": Kind.STRING},
        "ids": {"id": Kind.INTEGER, "label": Kind.STRING, "odd": Kind.FLOAT},
    }
    return Facts("1", {name: DatasetFacts("1", columns) for name, columns in kinds.items()})


def shop_model() -> Model:
    return load_texts({"shop.yml": MODEL})
