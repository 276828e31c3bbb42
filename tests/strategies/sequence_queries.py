"""Questions about the funnels and retentions of a drawn model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from semantic.model.dataset import DimensionType
from semantic.query.funnel import FunnelQuery
from semantic.query.query import (
    And,
    Between,
    Comparison,
    Condition,
    Dates,
    DimensionField,
    Field,
    Last,
    MetricField,
    MetricQuery,
    Not,
    Or,
    TimeField,
    TimeRange,
)
from semantic.query.retention import RetentionQuery
from semantic.time import Duration, Grain, Unit
from tests.reference.world import World
from tests.strategies.choices import Choices
from tests.strategies.conditions import condition
from tests.strategies.data import ZONES

_TYPES = {"channel": DimensionType.STRING, "city": DimensionType.STRING}
_WINDOWS = tuple(Duration(*of) for of in ((1, Unit.HOUR), (1, Unit.DAY), (30, Unit.MINUTE), (7, Unit.DAY)))
_GRAINS = (Grain.DAY, Grain.DAY, Grain.WEEK, Grain.MONTH)
_OFFSETS = (Duration(1, Unit.DAY), Duration(1, Unit.WEEK), Duration(1, Unit.MONTH), Duration(2, Unit.DAY))


def make_funnel_query(choices: Choices, world: World) -> FunnelQuery:
    """One question about one funnel: in all, by dimensions, or by period."""
    split = choices.pick(("none", "breakdown", "grain", "both"))
    has_hours = all(table.columns.get("at") != "DATE" for table in world.tables.values())
    grain = choices.pick([*_GRAINS, *([Grain.HOUR] if has_hours else [])]) if split in ("grain", "both") else None
    return FunnelQuery(
        funnel=choices.pick(world.document["funnels"])["name"],
        time_range=_short(choices, world) if grain is Grain.HOUR else time_range(choices, world),
        timezone=_timezone(choices),
        where=condition(choices, _TYPES) if choices.chance(5) else None,
        segments=("ads",) if choices.chance(12) else (),
        breakdown=_breakdown(choices, world) if split in ("breakdown", "both") else (),
        window=choices.pick(_WINDOWS) if choices.chance(4) else None,
        grain=grain,
    )


def make_retention_query(choices: Choices, world: World) -> RetentionQuery:
    """One question about one retention."""
    return RetentionQuery(
        retention=choices.pick(world.document["retentions"])["name"],
        time_range=time_range(choices, world),
        timezone=_timezone(choices),
        where=condition(choices, _TYPES) if choices.chance(5) else None,
        segments=("ads",) if choices.chance(12) else (),
        breakdown=_breakdown(choices, world) if choices.chance(2) else (),
        periods=choices.pick((2, 5)) if choices.chance(4) else None,
    )


def make_metric_query(choices: Choices, world: World) -> MetricQuery:
    """Conversions and retention rates, split like any other metric."""
    names = [metric["name"] for metric in world.document["metrics"] if metric["name"].endswith("_rate")]
    times = [TimeField("t", choices.pick(_GRAINS))] if choices.chance(2) else []
    dimensions = [DimensionField(f"d{n}", name) for n, name in enumerate(_breakdown(choices, world))]
    fields: list[Field] = [*times, *(dimensions if choices.chance(2) else [])]
    for number, name in enumerate(choices.some(names, 1, 2)):
        fields.append(_metric_field(choices, f"m{number}", name))
    return MetricQuery(
        fields=tuple(fields),
        time_range=time_range(choices, world),
        timezone=_timezone(choices),
        where=condition(choices, _TYPES) if choices.chance(5) else None,
        limit=None,
    )


def _metric_field(choices: Choices, key: str, name: str) -> MetricField:
    where = condition(choices, _TYPES) if choices.chance(5) else None
    if not choices.chance(3):
        return MetricField(key, name, where)
    comparison = choices.pick((Comparison.VALUE, Comparison.CHANGE, Comparison.CHANGE_RATIO))
    return MetricField(key, name, where, choices.pick(_OFFSETS), comparison)


def _breakdown(choices: Choices, world: World) -> tuple[str, ...]:
    """One or two dimensions of the entry event, some through a relationship."""
    linked = ["visitor_level"] if "relationships" in world.document else []
    return tuple(choices.some(["channel", "city", "event", *linked], 1, 2))


def _timezone(choices: Choices) -> str | None:
    return choices.pick(ZONES) if choices.chance(4) else None


def _middle(world: World) -> date:
    days = [
        value.date() if isinstance(value, datetime) else value
        for name, table in world.tables.items()
        if name != "users"
        for row in table.rows
        if (value := row["at"]) is not None
    ]
    return sorted(days)[len(days) // 2] if days else date(2024, 3, 31)


def time_range(choices: Choices, world: World) -> TimeRange | None:
    """Ranges around the data."""
    middle = _middle(world)
    match choices.pick(("none", "none", "dates", "dates", "dates", "between", "last")):
        case "none":
            return None
        case "dates":
            before = choices.pick((2, 0, 8, 35))
            return Dates(middle - timedelta(days=before), middle + timedelta(days=choices.pick((1, 0, 2, 20))))
        case "between":
            start = datetime(middle.year, middle.month, middle.day) + timedelta(hours=choices.below(48) - 30)
            return Between(start, start + timedelta(hours=choices.pick((24, 1, 6, 170))))
        case _:
            units = (Unit.MONTH, Unit.WEEK, Unit.DAY)
            return Last(1 + choices.below(4), choices.pick(units), not choices.chance(3))


def _short(choices: Choices, world: World) -> TimeRange:
    middle = _middle(world)
    return Dates(middle, middle + timedelta(days=choices.below(2)))


# --- as GraphQL ------------------------------------------------------------------------------------------------------


def where_input(where: Condition) -> dict[str, Any]:
    """A filter as the value of a GraphQL variable."""
    match where:
        case And(parts):
            return {"and": [where_input(part) for part in parts]}
        case Or(parts):
            return {"or": [where_input(part) for part in parts]}
        case Not(part):
            return {"not": where_input(part)}
    first, *rest = where.operator.value.split("_")
    operator = first + "".join(word.capitalize() for word in rest)
    value = list(where.value) if isinstance(where.value, tuple) else where.value
    return {_camel(where.dimension): {operator: value}}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def time_range_input(wanted: TimeRange) -> dict[str, Any]:
    """A time range as the value of a GraphQL variable."""
    match wanted:
        case Dates(first, last):
            return {"dates": {"from": first.isoformat(), "to": last.isoformat()}}
        case Between(start, end):
            return {"between": {"start": f"{start.isoformat()}Z", "end": f"{end.isoformat()}Z"}}
        case Last(count, unit, include_current):
            return {"last": {"count": count, "unit": unit.value.upper(), "includeCurrent": include_current}}


def document(query: FunnelQuery | RetentionQuery, selection: str) -> tuple[str, Mapping[str, Any]]:
    """A question as a GraphQL document and its variables."""
    given: dict[str, tuple[str, Any]] = {}
    if query.time_range is not None:
        given["timeRange"] = ("TimeRange", time_range_input(query.time_range))
    if query.timezone is not None:
        given["timezone"] = ("String", query.timezone)
    if query.where is not None:
        given["where"] = ("Where", where_input(query.where))
    if query.segments:
        given["segments"] = ("[Segment!]", [name.upper() for name in query.segments])
    if query.breakdown:
        given["breakdown"] = ("[Dimension!]", [name.upper() for name in query.breakdown])
    given |= _funnel_arguments(query) if isinstance(query, FunnelQuery) else _retention_arguments(query)
    declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in given.items())
    passed = ", ".join(f"{name}: ${name}" for name in given)
    root = "funnel" if isinstance(query, FunnelQuery) else "retention"
    text = f"query({declared}) {{ {root}({passed}) {selection} }}"
    return text, {name: value for name, (_, value) in given.items()}


def _funnel_arguments(query: FunnelQuery) -> dict[str, tuple[str, Any]]:
    given: dict[str, tuple[str, Any]] = {"name": ("FunnelName!", str(query.funnel).upper())}
    if query.window is not None:
        given["window"] = ("Duration", {"count": query.window.count, "unit": query.window.unit.value.upper()})
    if query.grain is not None:
        given["grain"] = ("Grain", query.grain.value.upper())
    return given


def _retention_arguments(query: RetentionQuery) -> dict[str, tuple[str, Any]]:
    given: dict[str, tuple[str, Any]] = {"name": ("RetentionName!", query.retention.upper())}
    if query.periods is not None:
        given["periods"] = ("Int", query.periods)
    return given
