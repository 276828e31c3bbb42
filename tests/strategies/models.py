"""Models over the drawn tables: datasets, relationships, and metrics of the four types that aggregate."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.reference.expressions import (
    CONDITIONS,
    COUNTED,
    DERIVED,
    NUMBERS,
    THROUGH,
    THROUGH_CONDITIONS,
)
from tests.reference.world import Table, World
from tests.strategies.data import ANCHORS, ZONES, facts, regions, users

FACTS = ("orders", "visits", "spend")
SHARED = (
    {"name": "channel", "type": "string"},
    {"name": "city", "type": "string"},
    {"name": "flag", "type": "boolean"},
    {"name": "quantity", "type": "number"},
    {"name": "day", "type": "date"},
    {"name": "seen", "type": "time"},
    {"name": "shop", "type": "string"},
    {"name": "shouted", "type": "string"},
    {"name": "size", "type": "string"},
    {"name": "place", "type": "string"},
)
SPELT = {
    "shouted": "upper(channel)",
    "size": "case when amount > 10 then 'large' else 'small' end",
    "place": "coalesce(city, 'unknown')",
}
AGGREGATIONS = ("sum", "sum", "count", "count", "count_distinct", "avg", "min", "max", "median", "percentile")
SEGMENTS = ("busy", "local")
WINDOWS = ("1 day", "2 days", "3 days", "7 days", "1 week", "1 month", "2 months", "1 quarter")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A model and its tables."""
    anchor = draw(st.sampled_from(ANCHORS))
    names = FACTS[: draw(st.integers(1, 3))]
    with_users = draw(st.booleans())
    tables = {name: facts(draw, anchor, draw(st.booleans())) for name in names}
    datasets = [_fact_dataset(draw, name, tables[name]) for name in names]
    linked = [name for name in names if with_users and draw(st.booleans())]
    document: dict[str, Any] = {
        "version": 1,
        "timezone": draw(st.sampled_from(ZONES)),
        "week_start": draw(st.sampled_from(("monday", "sunday", "saturday", "wednesday"))),
        "dimensions": list(SHARED),
        "datasets": datasets,
    }
    if linked:
        tables |= {"users": users(draw), "regions": regions(draw)}
        document["datasets"] += _PEOPLE
        document["relationships"] = [_RELATED] + [_relationship(name) for name in linked]
    simple = [metric for name in names for metric in draw(_simple_metrics(name, name in linked))]
    document["metrics"] = simple + _composed(draw, simple)
    return World(document, tables)


_PEOPLE: list[dict[str, Any]] = [
    {
        "name": "users",
        "source": "data/users/*.parquet",
        "primary_key": "user_id",
        "dimensions": [
            {"name": "level", "type": "string"},
            {"name": "loud_level", "type": "string", "expr": "upper(level)"},
            {"name": "bonus", "type": "number"},
        ],
    },
    {
        "name": "regions",
        "source": "data/regions/*.parquet",
        "primary_key": ["region_id"],
        "dimensions": [{"name": "region", "type": "string"}],
    },
]
_RELATED = {"name": "home", "from": "users", "to": "regions", "columns": {"region_id": "region_id"}}


def _relationship(name: str) -> dict[str, Any]:
    return {"name": f"{name}_user", "from": name, "to": "users", "columns": {"user_id": "user_id"}}


def _fact_dataset(draw: st.DrawFn, name: str, table: Table) -> dict[str, Any]:
    shared = draw(st.lists(st.sampled_from([item["name"] for item in SHARED]), unique=True, min_size=2))
    dataset: dict[str, Any] = {
        "name": name,
        "source": f"data/{name}/*.parquet",
        "time_dimension": "at",
        "entities": {"user": "user_id"},
        "dimensions": [{"name": item} | ({"expr": SPELT[item]} if item in SPELT else {}) for item in shared],
    }
    if draw(st.booleans()):
        dataset["primary_key"] = draw(st.sampled_from(("id", ["id"], ["id", "user_id"])))
    if table.columns["at"] == "TIMESTAMP" and draw(st.booleans()):
        dataset["timezone"] = draw(st.sampled_from(ZONES))
    if draw(st.booleans()):
        segments = draw(st.lists(st.sampled_from(SEGMENTS), unique=True, min_size=1))
        dataset["segments"] = [{"name": item, "where": draw(_conditions(None))} for item in segments]
    return dataset


def _conditions(through: str | None) -> st.SearchStrategy[str]:
    related = [text.replace("{to}", through) for text in THROUGH_CONDITIONS] if through else []
    return st.sampled_from([*CONDITIONS, *related])


@st.composite
def _simple_metrics(draw: st.DrawFn, dataset: str, linked: bool) -> list[dict[str, Any]]:
    """One to four aggregates of a dataset."""
    through = f"{dataset}_user" if linked else None
    numbers = list(NUMBERS) + ([text.replace("{to}", through) for text in THROUGH] if through else [])
    metrics = []
    for index in range(draw(st.integers(1, 4))):
        agg = draw(st.sampled_from(AGGREGATIONS))
        metric: dict[str, Any] = {"name": f"{dataset}_{agg}_{index}", "type": "simple", "dataset": dataset, "agg": agg}
        match agg:
            case "count":
                expr = draw(st.one_of(st.none(), st.sampled_from([*COUNTED, *numbers])))
            case "count_distinct":
                expr = draw(st.sampled_from([*COUNTED, "amount"]))
            case _:
                expr = draw(st.sampled_from(numbers))
        metric |= {"expr": expr} if expr is not None else {}
        metric |= {"p": draw(st.sampled_from((0.1, 0.25, 0.5, 0.95)))} if agg == "percentile" else {}
        metric |= {"where": draw(_conditions(through))} if draw(st.integers(0, 3)) == 0 else {}
        metric |= {"fill": 0} if agg not in ("count", "count_distinct") and draw(st.booleans()) else {}
        metrics.append(metric)
    return metrics


def _composed(draw: st.DrawFn, simple: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ratios, derived and cumulative metrics, over simple ones and over each other."""
    metrics: list[dict[str, Any]] = []
    names = [metric["name"] for metric in simple]
    for index in range(draw(st.integers(0, 3))):
        a, b = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        match draw(st.sampled_from(("ratio", "derived", "cumulative"))):
            case "ratio":
                metrics.append({"name": f"ratio_{index}", "type": "ratio", "numerator": a, "denominator": b})
            case "derived":
                expr = draw(st.sampled_from(list(DERIVED))).format(a=a, b=b)
                metrics.append({"name": f"derived_{index}", "type": "derived", "expr": expr})
            case _:
                metrics.append({"name": f"cumulative_{index}", "type": "cumulative", "metric": a, **draw(_window())})
        if metrics[-1]["type"] != "cumulative" and draw(st.integers(0, 3)) == 0:
            metrics[-1]["fill"] = draw(st.sampled_from((0, 1, -1)))
    metrics += _nested(draw, [metric["name"] for metric in metrics], names)
    return metrics


def _window() -> st.SearchStrategy[dict[str, str]]:
    windows = st.sampled_from(WINDOWS).map(lambda text: {"window": text})
    return st.one_of(windows, st.sampled_from(("week", "month", "quarter", "year")).map(lambda g: {"grain_to_date": g}))


def _nested(draw: st.DrawFn, composed: list[str], simple: list[str]) -> list[dict[str, Any]]:
    """Metrics over composed metrics."""
    if not composed or draw(st.booleans()):
        return []
    a, b = draw(st.sampled_from(composed)), draw(st.sampled_from(simple))
    return draw(
        st.sampled_from(
            (
                [{"name": "nested", "type": "ratio", "numerator": a, "denominator": b}],
                [{"name": "nested", "type": "derived", "expr": f"{a} - {b}"}],
                [{"name": "nested", "type": "cumulative", "metric": a, "window": "3 days"}],
            )
        )
    )
