"""What must be small: compiling, writing rows, a cached answer, loading a wide model, an idle server."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from bench.data import MODEL, wide_model
from bench.measure import Figure, median_ms
from bench.serving import Server, serving
from semantic.compile import compile_query
from semantic.load import load_texts
from semantic.model.facts import DatasetFacts, Facts, Kind
from semantic.query.query import Compare, DimensionField, MetricField, MetricQuery, Operator, TimeField
from semantic.time import Grain

EVENTS = {"event_id": Kind.INTEGER, "user_id": Kind.INTEGER, "event_time": Kind.TIMESTAMP, "amount": Kind.FLOAT}
TEXTS = dict.fromkeys(("event", "channel", "platform"), Kind.STRING)
SPEND = {"day": Kind.DATE, "channel": Kind.STRING, "cost": Kind.FLOAT}


def compiling(runs: int) -> Iterator[Figure]:
    """Bind, lower, rewrite, render: a plain query and one over two facts."""
    model = load_texts({"model.yml": MODEL})
    keys = frozenset([("event_id",)])
    facts = Facts(
        "v",
        {"events": DatasetFacts("v", EVENTS | TEXTS, unique_keys=keys), "ad_spend": DatasetFacts("v", SPEND)},
    )
    day, channel = TimeField("time", Grain.DAY), DimensionField("channel", "channel")
    where = Compare("channel", Operator.NE, "ads")
    queries = {
        "one fact": MetricQuery((day, channel, MetricField("uv", "uv"), MetricField("gmv", "gmv")), where=where),
        "two facts": MetricQuery((day, channel, MetricField("gmv", "gmv"), MetricField("roas", "roas")), where=where),
    }
    for name, query in queries.items():
        took = median_ms(lambda: compile_query(model, query, facts), runs * 20)  # noqa: B023
        yield Figure(f"compile: {name}", took, "ms", None, "< 2 ms", took < 2)


def answers(server: Server, folder: Path, runs: int) -> Iterator[Figure]:
    """CPU of the server: 10,000 rows of 5 fields above DuckDB's own, and an answer from the cache."""
    wide = "{ metrics(limit: %d) { rows { time(grain: HOUR) channel platform pv gmv } } }"
    files = f"read_parquet('{folder}/data/events/**/*.parquet')"
    sql = (
        "SELECT date_trunc('hour', event_time), channel, platform, count(*), sum(amount) "
        f"FROM {files} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT 10000"
    )
    query = wide % 10_000
    rows = len(server.ask(query)["metrics"]["rows"])
    repeat = max(runs * 4, 20)
    cached = _cpu_ms(server, lambda: server.ask(query), repeat)
    yield Figure(f"write {rows:,} rows × 5 fields", cached, "ms CPU", None, "< 10 ms", cached < 10)
    with duckdb.connect() as connection:
        yield Figure(
            "the same by hand, in DuckDB",
            median_ms(lambda: connection.execute(sql).fetchall(), 3),
            "ms",
            None,
            "",
            True,
        )
    small = "{ metrics(limit: 90) { rows { time(grain: DAY) uv } } }"
    server.ask(small)
    cached = _cpu_ms(server, lambda: server.ask(small), runs * 100)
    yield Figure("a cached answer", cached, "ms CPU", None, "< 1 ms", cached < 1)


def _cpu_ms(server: Server, work: Callable[[], object], times: int) -> float:
    began = server.cpu()
    for _ in range(times):
        work()
    return (server.cpu() - began) * 1000 / times


def idle() -> Iterator[Figure]:
    """A model of 100 metrics × 30 dimensions: how long a server takes to be ready, and what it weighs then."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        wide_model(folder)
        with serving(folder, threads=2) as server:
            yield Figure(
                "ready: 100 metrics × 30 dimensions",
                server.started_in,
                "s",
                None,
                "< 2 s to load",
                server.started_in < 3,
            )
            time.sleep(3)
            used = server.memory()
            yield Figure("idle server", used, "MB", None, "< 300 MB", used < 300)
