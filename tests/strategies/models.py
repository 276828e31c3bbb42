"""Models over the drawn tables: datasets, relationships, and metrics of the four types that aggregate."""

from __future__ import annotations

import copy
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.reference.expressions import (
    CONDITIONS,
    COUNTED,
    DERIVED,
    NUMBERS,
    ORDERED,
    THROUGH,
    THROUGH_CONDITIONS,
)
from tests.reference.world import Table, World
from tests.strategies.choices import Choices
from tests.strategies.data import ANCHORS, ZONES, facts, people

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
    {"name": "price", "type": "number"},
    {"name": "seen_day", "type": "date"},
)
SPELT = {
    "shouted": "upper(channel)",
    "size": "case when amount > 10 then 'large' else 'small' end",
    "place": "coalesce(city, 'unknown')",
    "price": "amount",
    "seen_day": "seen",
}
AGGREGATIONS = ("sum", "sum", "count", "count", "count_distinct", "avg", "min", "max", "median", "percentile")
NO_NUMBER = "ordered"
"""In the names of metrics that are a text, a day or an instant."""
SEGMENTS = ("busy", "local")
WINDOWS = ("1 day", "2 days", "3 days", "7 days", "1 week", "1 month", "2 months", "1 quarter")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A model and its tables."""
    return make_world(Choices.of(draw))


def make_world(choices: Choices) -> World:
    """One model and its tables."""
    anchor = choices.pick(ANCHORS)
    names = FACTS[: 1 + choices.below(3)]
    linked = [name for name in names if choices.chance(3)]
    tables = {name: facts(choices, anchor) for name in names}
    document: dict[str, Any] = {
        "version": 1,
        "timezone": choices.pick(ZONES),
        "week_start": choices.pick(("monday", "sunday", "saturday", "wednesday")),
        "dimensions": list(SHARED),
        "datasets": [_fact_dataset(choices, name, tables[name], anchor) for name in names],
    }
    if linked:
        tables |= people(choices, anchor)
        document["datasets"] += copy.deepcopy(_PEOPLE)
        document["relationships"] = [_RELATED, *(_relationship(name) for name in linked)]
    simple = [metric for name in names for metric in _simple_metrics(choices, name, name in linked)]
    document["metrics"] = [*simple, *_composed(choices, simple)]
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


def _fact_dataset(choices: Choices, name: str, table: Table, anchor: date) -> dict[str, Any]:
    shared = choices.some([item["name"] for item in SHARED], least=3)
    dataset: dict[str, Any] = {
        "name": name,
        "source": f"data/{name}/*.parquet",
        "time_dimension": "at",
        "entities": {"user": "user_id"},
        "dimensions": [{"name": item} | ({"expr": SPELT[item]} if item in SPELT else {}) for item in shared],
    }
    if choices.chance(2):
        dataset["primary_key"] = choices.pick(("id", ["id"], ["id", "user_id"]))
    if table.columns["at"] == "TIMESTAMP" and choices.chance(3):
        dataset["timezone"] = choices.pick(ZONES)
    if choices.chance(5):
        dataset["data_through"] = (anchor + timedelta(days=choices.pick((0, 1, 6, -2, 30)))).isoformat()
    if choices.chance(3):
        segments = choices.some(SEGMENTS, least=1)
        dataset["segments"] = [{"name": item, "where": choices.pick(_conditions(None))} for item in segments]
    return dataset


def _conditions(through: str | None) -> list[str]:
    related = [text.replace("{to}", through) for text in THROUGH_CONDITIONS] if through else []
    return [*CONDITIONS, *related]


def _simple_metrics(choices: Choices, dataset: str, linked: bool) -> list[dict[str, Any]]:
    """One to four aggregates of a dataset."""
    through = f"{dataset}_user" if linked else None
    numbers = [*NUMBERS, *(text.replace("{to}", through) for text in THROUGH if through)]
    metrics = []
    for index in range(1 + choices.below(4)):
        agg = choices.pick(AGGREGATIONS)
        metric: dict[str, Any] = {"name": f"{dataset}_{agg}_{index}", "type": "simple", "dataset": dataset, "agg": agg}
        match agg:
            case "count":
                metric |= {"expr": choices.pick([*COUNTED, *numbers])} if choices.chance(2) else {}
            case "count_distinct":
                metric["expr"] = choices.pick((*COUNTED, "amount"))
            case "min" | "max" if choices.chance(2):
                metric |= {"name": f"{dataset}_{agg}_{NO_NUMBER}_{index}", "expr": choices.pick(ORDERED)}
            case _:
                metric["expr"] = choices.pick(numbers)
                metric |= {"fill": 0} if choices.chance(2) else {}
        metric |= {"p": choices.pick((0.5, 0.1, 0.25, 0.95))} if agg == "percentile" else {}
        metric |= {"where": choices.pick(_conditions(through))} if choices.chance(4) else {}
        metric |= {"unallocated": None} if choices.chance(10) else {}
        if choices.chance(8):
            metric["time_dimension"] = choices.pick(("seen", f"{through}.joined") if through else ("seen",))
        metrics.append(metric)
    return metrics


def _composed(choices: Choices, simple: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ratios, derived and cumulative metrics, over simple ones and over each other."""
    metrics: list[dict[str, Any]] = []
    names = [metric["name"] for metric in simple if NO_NUMBER not in metric["name"]]
    for index in range(choices.below(4) if names else 0):
        a, b = choices.pick(names), choices.pick(names)
        match choices.pick(("ratio", "derived", "cumulative")):
            case "ratio":
                metrics.append({"name": f"ratio_{index}", "type": "ratio", "numerator": a, "denominator": b})
            case "derived":
                expr = choices.pick(list(DERIVED)).format(a=a, b=b)
                metrics.append({"name": f"derived_{index}", "type": "derived", "expr": expr})
            case _:
                metrics.append({"name": f"cumulative_{index}", "type": "cumulative", "metric": a, **_window(choices)})
        if metrics[-1]["type"] != "cumulative" and choices.chance(4):
            metrics[-1]["fill"] = choices.pick((0, 1, -1))
    return [*metrics, *_nested(choices, [metric["name"] for metric in metrics], names)]


def _window(choices: Choices) -> dict[str, str]:
    if choices.chance(2):
        return {"grain_to_date": choices.pick(("week", "month", "quarter", "year"))}
    return {"window": choices.pick(WINDOWS)}


def _nested(choices: Choices, composed: list[str], simple: list[str]) -> list[dict[str, Any]]:
    """A metric over a composed one."""
    if not composed or choices.chance(2):
        return []
    a, b = choices.pick(composed), choices.pick(simple)
    match choices.below(5):
        case 0 | 1:
            return [{"name": "nested", "type": "derived", "expr": f"{a} - {b}"}]
        case 2 | 3:
            return [{"name": "nested", "type": "ratio", "numerator": a, "denominator": b}]
        case _:
            return [{"name": "nested", "type": "cumulative", "metric": a, "window": "3 days"}]
