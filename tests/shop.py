"""Small projects on disk: a model and its data, for tests of the doors."""

from __future__ import annotations

from pathlib import Path

import duckdb

MODEL = """\
version: 1
timezone: UTC
dimensions:
  - {name: channel, type: string, label: {en: Channel, zh: 渠道}}
datasets:
  - name: orders
    source: data/orders.parquet
    primary_key: order_id
    time_dimension: paid_on
    entities: {user: user_id}
    dimensions: [{name: channel}]
metrics:
  - {name: gmv, type: simple, dataset: orders, agg: sum, expr: amount, label: {en: Sales, zh: 支付金额}}
  - {name: orders, type: simple, dataset: orders, agg: count}
"""

ORDERS = """
    select * from (values
        ('o1', 'a', date '2026-11-01', 'ads', 10),
        ('o2', 'b', date '2026-11-02', 'ads', 20),
        ('o3', 'b', date '2026-11-02', '公众号', 40)
    ) as t(order_id, user_id, paid_on, channel, amount)
"""

SLOW_MODEL = """\
version: 1
datasets:
  - {name: words, source: data/words.parquet, dimensions: [{name: word, type: string}]}
metrics:
  - {name: words, type: simple, dataset: words, agg: count}
  - {name: odd, type: simple, dataset: words, agg: count, where: "WHERE"}
"""
SLOW_QUERY = "{ metrics { totals { odd } } }"
"""Ten seconds or more of work for one thread."""


def make_project(root: Path, model: str = MODEL, **tables: str) -> Path:
    """Write `model/shop.yml` and `data/<table>.parquet` from SQL (orders when none is given); the model's folder."""
    folder = root / "model"
    folder.mkdir()
    (folder / "shop.yml").write_text(model, encoding="utf-8")
    (root / "data").mkdir()
    for name, sql in (tables or {"orders": ORDERS}).items():
        write_table(root, name, sql)
    return folder


def write_table(root: Path, name: str, sql: str) -> None:
    """Put a table in place, atomically as writers should."""
    part = root / f"{name}.part"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({sql}) to '{part}' (format parquet)")
    part.replace(root / "data" / f"{name}.parquet")


def make_slow_project(root: Path) -> Path:
    """A project whose metric `odd` takes ten seconds or more to count with one thread."""
    where = " or ".join(f"regexp_matches(word, '[a-f]{{{n % 4 + 2}}}.*[0-9]{n}.*z')" for n in range(150))
    words = "select md5(n::varchar) as word from range(500000) as t(n)"
    return make_project(root, SLOW_MODEL.replace("WHERE", where), words=words)
