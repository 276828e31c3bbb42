"""Times that no calendar has, such as infinity, are not set: whatever way the numbers are counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from engine import EngineSettings, open_engine
from semantic.load import load_texts
from semantic.lower import marks
from semantic.query.query import Dates, MetricField, MetricQuery, TimeField
from semantic.time import Grain
from tests.reference.served import Served

MODEL = """
version: 1
datasets: [{name: events, source: events.parquet, time_dimension: day, entities: {user: user_id}}]
metrics:
  - {name: uv, type: simple, dataset: events, agg: count_distinct, expr: user_id}
  - {name: pv, type: simple, dataset: events, agg: count}
"""
DAYS = ("2026-01-01", "2026-01-02", "infinity", "-infinity", "12026-01-01", None)
JANUARY = Dates(date(2026, 1, 1), date(2026, 1, 31))


def rows_of(*counts: tuple[date | None, int]) -> list[dict[str, object]]:
    return [{"time": day, "uv": count, "pv": count} for day, count in counts]


@pytest.mark.parametrize("enough", [0, marks.ENOUGH], ids=["by marks", "plainly"])
@pytest.mark.parametrize("type_name", ["DATE", "TIMESTAMP", "TIMESTAMPTZ"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
async def test_infinite_times_have_no_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str, type_name: str, enough: int
) -> None:
    monkeypatch.setattr(marks, "ENOUGH", enough)
    told = ", ".join(f"({user}, {'NULL' if day is None else repr(day)})" for user, day in enumerate(DAYS))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        columns = f"SELECT user_id, CAST(said AS {type_name}) AS day FROM (VALUES {told}) AS t(user_id, said)"
        connection.execute(f"COPY ({columns}) TO '{tmp_path}/events.parquet'")
    model = load_texts({"model.yml": MODEL})
    engine = open_engine(model, tmp_path, EngineSettings(threads=1))
    fields = (TimeField("time", Grain.DAY), MetricField("uv", "uv"), MetricField("pv", "pv"))
    query = MetricQuery(fields=fields, timezone=zone)
    january = rows_of((date(2026, 1, 1), 1), (date(2026, 1, 2), 1))
    try:
        served = Served(model, engine)
        assert await served.rows(query) == [*january, *rows_of((None, 4))]
        assert await served.rows(MetricQuery(fields=fields, timezone=zone, time_range=JANUARY)) == january
    finally:
        await engine.close()
