"""Models with funnels and retentions over one or two tables of events: few instants, so that much happens at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.reference.world import Table, World
from tests.strategies.choices import Choices
from tests.strategies.data import ANCHORS, CHANNELS, CITIES, LEVELS, ZONES

COLUMNS = {
    "id": "BIGINT",
    "user_id": "VARCHAR",
    "at": "TIMESTAMP",
    "event": "VARCHAR",
    "channel": "VARCHAR",
    "city": "VARCHAR",
}
STEP_CONDITIONS = ("event = 'A'", "event = 'B'", "event = 'C'", "event in ('A', 'B')", "event in ('B', 'C')")
WINDOWS = ("30 minutes", "1 hour", "1 day", "same_day", "2 hours", "25 hours", "7 days", "1 second")
_EVENTS = ("A", "B", "C", "A", "B", "C", "A", "B", "D", None)
_USERS = ("u1", "u2", "u3", "u1", "u2", "u3", "u4", None)
_HOURS = (0, 0, 1, 2, 12, 23, 24, 25, 48, 7 * 24, 72, 24, -1, -24, 8 * 24, 31 * 24, 200 * 24)
_MINUTES = (0, 0, 0, 30, 59, 1)


def make_world(choices: Choices, most: int = 24) -> World:
    """A model and its tables. In most tables, all that a user does at one instant has one channel and city."""
    anchor = choices.pick(ANCHORS)
    names = ("events", "orders")[: 1 + choices.below(2)]
    moments = _moments(choices, anchor)
    tables = {name: _table(choices, moments, most) for name in names}
    through = anchor + timedelta(days=choices.pick((3, 1, 2, 9, 40))) if choices.chance(2) else None
    document: dict[str, Any] = {
        "version": 1,
        "timezone": choices.pick(ZONES),
        "week_start": choices.pick(("monday", "sunday", "wednesday")),
        "dimensions": [{"name": "channel", "type": "string"}, {"name": "city", "type": "string"}],
        "datasets": [_dataset(choices, name, tables[name], through) for name in names],
        "funnels": [_funnel(choices, names, number) for number in range(2)],
        "retentions": [_retention(choices, names, number) for number in range(2)],
    }
    if choices.chance(2):
        tables["users"] = _users(choices)
        document["datasets"].append(_USERS_DATASET)
        link = {"name": "visitor", "from": "events", "to": "users", "columns": {"user_id": "user_id"}}
        document["relationships"] = [link]
    document["metrics"] = _metrics(choices, document)
    return World(document, tables)


_USERS_DATASET = {
    "name": "users",
    "source": "data/users/*.parquet",
    "primary_key": "user_id",
    "dimensions": [{"name": "level", "type": "string"}],
}


def _users(choices: Choices) -> Table:
    rows = [{"user_id": user, "level": choices.pick((*LEVELS, None))} for user in choices.some(_USERS[3:7])]
    return Table({"user_id": "VARCHAR", "level": "VARCHAR"}, rows)


def _moments(choices: Choices, anchor: date) -> list[datetime]:
    """A few instants; many of them hours or days apart, so that windows end at one of them."""
    midnight = datetime(anchor.year, anchor.month, anchor.day)
    start = midnight + timedelta(hours=choices.below(24))
    hours = choices.pick((_HOURS, _HOURS, _HOURS[:5]))
    count = choices.pick((4, 2, 6, 10))
    return [start + timedelta(hours=choices.pick(hours), minutes=choices.pick(_MINUTES)) for _ in range(count)]


def _table(choices: Choices, moments: Sequence[datetime], most: int) -> Table:
    kind = choices.pick(("TIMESTAMP", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DATE"))
    agree = not choices.chance(3)
    places: dict[Any, dict[str, Any]] = {}
    rows = []
    for number in range(choices.pick((most // 2, most, most, most // 4, most // 8, 0))):
        user, moment = choices.pick(_USERS), choices.pick(moments)
        place = {"channel": choices.pick((*CHANNELS, None)), "city": choices.pick((*CITIES[:2], None))}
        place = places.setdefault((user, moment), place) if agree else place
        key = choices.below(number + 1) if choices.chance(8) else number
        at = None if choices.chance(20) else _typed(moment, kind)
        rows.append({"id": key, "user_id": user, "at": at, "event": choices.pick(_EVENTS), **place})
    return Table(COLUMNS | {"at": kind}, rows)


def _typed(moment: datetime, kind: str) -> Any:
    match kind:
        case "DATE":
            return moment.date()
        case "TIMESTAMP":
            return moment
    return moment.replace(tzinfo=UTC)


def _dataset(choices: Choices, name: str, table: Table, through: date | None) -> dict[str, Any]:
    dataset: dict[str, Any] = {
        "name": name,
        "source": f"data/{name}/*.parquet",
        "time_dimension": "at",
        "entities": {"user": "user_id"},
        "dimensions": [{"name": "channel"}, {"name": "city"}, {"name": "event", "type": "string"}],
        "segments": [{"name": "ads", "where": "channel = 'ads'"}],
    }
    dataset |= {"primary_key": "id"} if choices.chance(2) else {}
    dataset |= {"data_through": through} if through is not None else {}
    dataset |= {"passive": choices.pick(("event = 'D'", "channel = 'ads'"))} if choices.chance(2) else {}
    if table.columns["at"] == "TIMESTAMP" and choices.chance(4):
        dataset["timezone"] = choices.pick(ZONES)
    return dataset


# --- funnels ---------------------------------------------------------------------------------------------------------


def _funnel(choices: Choices, names: Sequence[str], number: int) -> dict[str, Any]:
    """A funnel; the first step is the first dataset's, the others may be any's."""
    count = 2 + choices.below(3)
    funnel: dict[str, Any] = {
        "name": f"f{number}",
        "entity": "user",
        "dataset": names[0],
        "window": choices.pick(WINDOWS),
        "order": choices.pick(("ordered", "strict", "any")),
        "entry": choices.pick(("any", "any", "first")),
        "hold": choices.pick(([], [], ["city"], ["city", "channel"])),
        "steps": [_step(choices, names, place) for place in range(count)],
    }
    is_whole = funnel["order"] == "any"
    exclude = [_exclude(choices, count, is_whole) for _ in range(choices.pick((0, 0, 1, 2)))]
    return funnel | ({"exclude": exclude} if exclude else {})


def _step(choices: Choices, names: Sequence[str], place: int) -> dict[str, Any]:
    step = {"name": f"s{place}"}
    step |= {"where": choices.pick(STEP_CONDITIONS)} if not choices.chance(8) else {}
    return step | ({"dataset": choices.pick(names)} if place else {})


def _exclude(choices: Choices, count: int, is_whole: bool) -> dict[str, Any]:
    first = 0 if is_whole else choices.below(count - 1)
    last = count - 1 if is_whole else first + 1 + choices.below(count - first - 1)
    return {
        "where": choices.pick(("event = 'D'", "event = 'C'", "channel = 'search'")),
        "from": f"s{first}",
        "to": f"s{last}",
        "effect": choices.pick(("drop_off", "remove")),
    }


# --- retentions ------------------------------------------------------------------------------------------------------


def _retention(choices: Choices, names: Sequence[str], number: int) -> dict[str, Any]:
    clock = choices.pick(("calendar", "calendar", "elapsed"))
    mode = choices.pick(("exact", "within", "on_or_after", "bracket"))
    retention: dict[str, Any] = {
        "name": f"r{number}",
        "entity": "user",
        "cohort": {"dataset": names[0], "type": choices.pick(("first_time", "recurring"))},
        "return": {"dataset": choices.pick(names)},
        "grain": choices.pick(("day", "day", "week") if clock == "elapsed" else ("day", "day", "week", "month")),
        "mode": mode,
        "clock": clock,
        "periods": choices.pick((3, 1, 8)),
    }
    for side in ("cohort", "return"):
        retention[side] |= {"where": choices.pick(STEP_CONDITIONS)} if choices.chance(2) else {}
    return retention | (
        {"brackets": choices.pick(([[1, 2], [3, 7]], [[1, 2]], [[2, 3], [5, 9]]))} if mode == "bracket" else {}
    )


# --- metrics ---------------------------------------------------------------------------------------------------------


def _metrics(choices: Choices, document: dict[str, Any]) -> list[dict[str, Any]]:
    """A conversion of each funnel, a period of each retention, and what stands beside them."""
    found: list[dict[str, Any]] = [
        {"name": "uv", "type": "simple", "dataset": "events", "agg": "count_distinct", "expr": "user_id"},
        {"name": "pv", "type": "simple", "dataset": "events", "agg": "count"},
    ]
    for funnel in document["funnels"]:
        last = len(funnel["steps"]) - 1
        first = choices.below(last)
        ends = {"from": f"s{first}", "to": f"s{first + 1 + choices.below(last - first)}"}
        found.append({"name": f"{funnel['name']}_rate", "type": "conversion", "funnel": funnel["name"], **ends})
    for retention in document["retentions"]:
        most = len(retention.get("brackets", [])) or retention["periods"]
        differs = {**retention["cohort"], "type": ""} != {**retention["return"], "type": ""}
        period = 0 if differs and retention["mode"] == "exact" and choices.chance(2) else 1 + choices.below(most)
        name = f"{retention['name']}_rate"
        rate: dict[str, Any] = {"name": name, "type": "retention", "retention": retention["name"], "period": period}
        if retention["mode"] != "bracket" and choices.chance(3):
            rate["mature"] = period + choices.below(3)
        found.append(rate)
    return found
