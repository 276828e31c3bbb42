"""Models with attributions over visits and orders at few instants, so that touches tie and lookbacks end on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from semantic.model.dataset import DimensionType
from semantic.model.model import Model
from semantic.model.reach import is_credited
from semantic.model.sequence import AttributionModel
from semantic.query.query import DimensionField, MetricField, MetricQuery
from semantic.query.touch_path import TouchPathQuery
from tests.reference.world import Table, World
from tests.strategies.choices import Choices
from tests.strategies.conditions import condition
from tests.strategies.data import ANCHORS, CHANNELS, CITIES, LEVELS, ZONES
from tests.strategies.queries import make_query

MODELS = tuple(AttributionModel)
_USERS = ("1", "2", "1", "2", "3", None)
_HOURS = (0, 0, 1, 2, 24, 25, 48, 72, 7 * 24, -1, -24, 14 * 24, 30 * 24)
_MINUTES = (0, 0, 0, 30, 1)
_LOOKBACKS = ("1 day", "2 days", "1 hour", "7 days", "30 days", "1 second")
_DIRECT = ("channel = 'ads'", "channel <> 'ads'", "city is not null")
_KINDS = ("TIMESTAMP", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DATE")
_AMOUNTS: dict[str, Sequence[Any]] = {
    "DECIMAL(12,2)": [Decimal(cents) / 100 for cents in (100, 250, 4000, 0, 1)],
    "DOUBLE": [1.0, 2.5, 40.0, 0.25],
    "BIGINT": [1, 2, 40, 7],
}


def make_world(choices: Choices, most: int = 20) -> World:
    """A model and its tables."""
    anchor = choices.pick(ANCHORS)
    moments = _moments(choices, anchor)
    tables = {
        "visits": _visits(choices, moments, most),
        "orders": _orders(choices, moments, most // 2),
        "spend": _spend(choices, anchor),
    }
    dated = any(tables[name].columns["at"] == "DATE" for name in ("visits", "orders"))
    document: dict[str, Any] = {
        "version": 1,
        "timezone": choices.pick([zone for zone in ZONES if not (dated and zone == "America/Sao_Paulo")]),
        "week_start": choices.pick(("monday", "sunday")),
        "dimensions": [{"name": "channel", "type": "string"}, {"name": "city", "type": "string"}],
        "datasets": [_dataset(choices, name, table, anchor) for name, table in tables.items()],
        "attributions": [_attribution(choices, name) for name in ("one", "other")],
    }
    if choices.chance(2):
        tables["users"] = Table(
            {"user_id": "VARCHAR", "level": "VARCHAR"},
            [{"user_id": user, "level": choices.pick((*LEVELS, None))} for user in choices.some(("1", "2", "3"))],
        )
        document["datasets"].append(_USERS_DATASET)
        link = {"name": "visitor", "from": "visits", "to": "users", "columns": {"user_id": "user_id"}}
        document["relationships"] = [link]
        document["attributions"][0]["touch"]["dimensions"].append("visitor_level")
    document["metrics"] = _metrics(choices)
    return World(document, tables)


_USERS_DATASET = {
    "name": "users",
    "source": "data/users/*.parquet",
    "primary_key": "user_id",
    "dimensions": [{"name": "level", "type": "string"}],
}


def _moments(choices: Choices, anchor: date) -> list[datetime]:
    start = datetime(anchor.year, anchor.month, anchor.day) + timedelta(hours=choices.below(24))
    hours = choices.pick((_HOURS, _HOURS, _HOURS[:4]))
    count = choices.pick((4, 2, 6, 10))
    return [start + timedelta(hours=choices.pick(hours), minutes=choices.pick(_MINUTES)) for _ in range(count)]


def _visits(choices: Choices, moments: Sequence[datetime], most: int) -> Table:
    kind = choices.pick(_KINDS)
    rows = [
        {
            "id": choices.below(number + 1) if choices.chance(8) else number,
            "user_id": choices.pick(_USERS),
            "at": None if choices.chance(20) else _typed(choices.pick(moments), kind),
            "channel": choices.pick((*CHANNELS, None)),
            "city": choices.pick((*CITIES[:2], None)),
        }
        for number in range(choices.pick((most, most // 2, most // 4, 0)))
    ]
    choices_of = choices.some(range(len(rows)), len(rows)) if len(rows) < 4 else range(len(rows))
    columns = {"id": "BIGINT", "user_id": "VARCHAR", "at": kind, "channel": "VARCHAR", "city": "VARCHAR"}
    return Table(columns, [rows[place] for place in choices_of])


def _orders(choices: Choices, moments: Sequence[datetime], most: int) -> Table:
    kind, amounts = choices.pick(_KINDS), choices.pick(tuple(_AMOUNTS))
    is_number = choices.chance(4)
    rows = []
    for number in range(choices.pick((most, most // 2, 1, 0))):
        user = choices.pick(_USERS)
        rows.append(
            {
                "id": choices.below(number + 1) if choices.chance(8) else number,
                "user_id": int(user) if is_number and user is not None else user,
                "at": None if choices.chance(20) else _typed(choices.pick(moments), kind),
                "city": choices.pick((*CITIES[:2], None)),
                "amount": None if choices.chance(12) else choices.pick(_AMOUNTS[amounts]),
            }
        )
    columns = {"id": "BIGINT", "user_id": "BIGINT" if is_number else "VARCHAR", "at": kind, "city": "VARCHAR"}
    return Table(columns | {"amount": amounts}, rows)


def _spend(choices: Choices, anchor: date) -> Table:
    rows = [
        {
            "at": anchor + timedelta(days=choices.pick((0, 1, -1, 7))),
            "channel": choices.pick((*CHANNELS, None)),
            "amount": choices.pick((1.0, 0.0, 2.5)),
        }
        for _ in range(choices.below(6))
    ]
    return Table({"at": "DATE", "channel": "VARCHAR", "amount": "DOUBLE"}, rows)


def _typed(moment: datetime, kind: str) -> Any:
    match kind:
        case "DATE":
            return moment.date()
        case "TIMESTAMP":
            return moment
    return moment.replace(tzinfo=UTC)


def _dataset(choices: Choices, name: str, table: Table, anchor: date) -> dict[str, Any]:
    dataset: dict[str, Any] = {"name": name, "source": f"data/{name}/*.parquet", "time_dimension": "at"}
    dataset["dimensions"] = [{"name": column} for column in ("channel", "city") if column in table.columns]
    if name != "spend":
        dataset["entities"] = {"user": "user_id"}
        dataset |= {"primary_key": "id"} if choices.chance(2) else {}
        dataset |= {"data_through": anchor + timedelta(days=choices.pick((3, 40)))} if choices.chance(3) else {}
    if name == "visits":
        dataset["segments"] = [{"name": "local", "where": "city is not null"}]
    if table.columns["at"] == "TIMESTAMP" and choices.chance(4):
        dataset["timezone"] = choices.pick(ZONES)
    return dataset


def _attribution(choices: Choices, name: str) -> dict[str, Any]:
    attribution: dict[str, Any] = {
        "name": name,
        "entity": "user",
        "conversion": {"dataset": "orders"},
        "touch": {"dataset": "visits", "dimensions": ["channel", "city"]},
        "lookback": choices.pick(_LOOKBACKS),
        "model": choices.pick(MODELS).value,
    }
    attribution["conversion"] |= {"where": "city in ('北京', '上海')"} if choices.chance(4) else {}
    attribution["touch"] |= {"where": "channel <> 'ads'"} if choices.chance(4) else {}
    attribution |= {"direct": choices.pick(_DIRECT)} if not choices.chance(4) else {}
    return attribution | ({"time": "touch"} if choices.chance(4) else {})


def _metrics(choices: Choices) -> list[dict[str, Any]]:
    credited: list[dict[str, Any]] = [
        {"name": "one_value", "attribution": "one", "value": "amount"},
        {"name": "one_count", "attribution": "one"},
        {"name": "other_value", "attribution": "other", "value": "coalesce(amount, 0)"},
    ]
    credited[0] |= {"fill": 0} if choices.chance(3) else {}
    credited[1] |= {"time": choices.pick(("touch", "conversion"))} if choices.chance(3) else {}
    return [
        *({"type": "attribution", **metric} for metric in credited),
        {"name": "spent", "type": "simple", "dataset": "spend", "agg": "sum", "expr": "amount", "fill": 0},
        {"name": "return_on_spend", "type": "ratio", "numerator": "one_value", "denominator": "spent"},
        {"name": "left_over", "type": "derived", "expr": "one_value - spent"},
        {"name": "week_value", "type": "cumulative", "metric": "other_value", "window": "7 days"},
    ]


def make_path_query(choices: Choices, world: World, model: Model) -> TouchPathQuery:
    """A question about touch paths."""
    like = make_query(choices, world, model)
    dimensions = dict.fromkeys(model.attributions["one"].touch_dimensions, DimensionType.STRING)
    return TouchPathQuery(
        "one",
        by=choices.pick((None, *dimensions)),
        metric=choices.pick((None, "one_value")),
        steps=choices.pick((3, 1, 10)),
        repeats=choices.chance(2),
        time_range=like.time_range,
        timezone=like.timezone,
        where=condition(choices, dimensions) if choices.chance(3) else None,
        segments=("local",) if choices.chance(4) else (),
        limit=choices.pick((20, 2)),
    )


def make_credit_query(choices: Choices, world: World, model: Model) -> MetricQuery:
    """A query over such metrics, some of them by another model than their own."""
    query = make_query(choices, world, model)
    if choices.chance(4):  # all models side by side
        name = choices.pick(("one_value", "one_count", "other_value"))
        metrics = (MetricField(f"m{place}", name, model=one) for place, one in enumerate(MODELS))
        split = DimensionField("d0", choices.pick(("channel", "city")))
        return MetricQuery((split, *metrics), query.time_range, query.timezone)
    fields = [
        replace(field, model=choices.pick(MODELS))
        if isinstance(field, MetricField) and is_credited(model, model.metrics[field.metric]) and choices.chance(2)
        else field
        for field in query.fields
    ]
    return replace(query, fields=tuple(fields))
