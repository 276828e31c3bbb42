"""The data that is measured on: a clickstream by day, orders and ad spend beside it, and a model over all of them."""

from __future__ import annotations

from pathlib import Path

import duckdb

from demo.bulk import events_only

MODEL = """
version: 1
timezone: UTC
dimensions:
- {name: channel, type: string}
- {name: platform, type: string}
datasets:
- name: events
  source: data/events/**/*.parquet
  primary_key: event_id
  unique: true
  time_dimension: event_time
  entities: {user: user_id}
  dimensions: [{name: channel}, {name: platform}, {name: event, type: string}]
- name: ad_spend
  source: data/ad_spend.parquet
  time_dimension: day
  dimensions: [{name: channel}]
- name: orders
  source: data/orders.parquet
  primary_key: order_id
  unique: true
  time_dimension: paid_at
  entities: {user: user_id}
metrics:
- {name: pv, type: simple, dataset: events, agg: count}
- {name: uv, type: simple, dataset: events, agg: count_distinct, expr: user_id}
- {name: gmv, type: simple, dataset: events, agg: sum, expr: amount}
- {name: spend, type: simple, dataset: ad_spend, agg: sum, expr: cost, fill: 0}
- {name: roas, type: ratio, numerator: gmv, denominator: spend}
- {name: uv7, type: cumulative, metric: uv, window: 7 days}
- {name: uv28, type: cumulative, metric: uv, window: 28 days}
- {name: credited_gmv, type: attribution, attribution: last_visit, value: amount}
attributions:
- name: last_visit
  entity: user
  conversion: {dataset: orders}
  touch: {dataset: events, dimensions: [channel]}
  direct: channel = 'quick_entry'
  lookback: 30 days
funnels:
- name: checkout
  entity: user
  dataset: events
  window: 7 days
  steps:
  - {name: exposure, where: event = 'exposure'}
  - {name: click, where: event = 'click'}
  - {name: detail, where: event = 'detail_view'}
  - {name: cart, where: event = 'add_to_cart'}
  - {name: order, where: event = 'order'}
retentions:
- {name: visitors, entity: user, cohort: {dataset: events}, return: {dataset: events}, periods: 30}
"""


def prepare(folder: Path, rows: int) -> None:
    """Make the project folder, and the data unless they are there."""
    if not (folder / "data" / "ad_spend.parquet").exists():
        print(f"Making {rows:,} events in {folder} …", flush=True)
        _write(folder, rows)
    if not (folder / "data" / "orders.parquet").exists():
        _write_orders(folder)
    (folder / "model.yml").write_text(MODEL, encoding="utf-8")


def _write_orders(folder: Path) -> None:
    """An order for every tenth event, by the same person within a day of it."""
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT event_id AS order_id, user_id, round((hash(event_id) % 50000) / 100.0, 2) AS amount, "
            f"event_time + to_microseconds((hash(event_id) % 86400000000)::BIGINT) AS paid_at "
            f"FROM read_parquet('{folder}/data/events/**/*.parquet') WHERE hash(event_id * 31) % 10 = 0) "
            f"TO '{folder}/data/orders.parquet'"
        )


def _write(folder: Path, rows: int) -> None:
    events_only(folder, rows)
    with duckdb.connect() as connection:
        events = f"read_parquet('{folder}/data/events/**/*.parquet')"
        connection.execute(
            f"COPY (SELECT DISTINCT CAST(event_time AS DATE) AS day, channel, 100.0 AS cost FROM {events}) "
            f"TO '{folder}/data/ad_spend.parquet'"
        )


def wide_model(folder: Path, metrics: int = 100, dimensions: int = 30) -> None:
    """A model of many metrics and dimensions over one small file, to measure how long loading takes."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f"'v' || (i % 7) AS d{place}" for place in range(dimensions))
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT i AS id, TIMESTAMP '2026-11-01' AS at_time, i * 1.5 AS amount, {columns} "
            f"FROM range(1000) t(i)) "
            f"TO '{folder}/data/facts.parquet'"
        )
    lines = ["version: 1", "datasets:", "- name: facts", "  source: data/facts.parquet", "  time_dimension: at_time"]
    lines += ["  dimensions:", *(f"  - {{name: d{place}, type: string}}" for place in range(dimensions)), "metrics:"]
    where = "where: d1 = 'v1' and amount > {}"
    lines += [
        f"- {{name: m{place}, type: simple, dataset: facts, agg: sum, expr: amount * {place + 1}, "
        f"{where.format(place)}}}"
        for place in range(metrics)
    ]
    (folder / "model.yml").write_text("\n".join(lines), encoding="utf-8")
