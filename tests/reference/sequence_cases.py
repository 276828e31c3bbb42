"""Contract cases about funnels and retention, asked of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, parse
from graphql.utilities import value_from_ast_untyped

from semantic.query.funnel import FunnelQuery
from semantic.query.query import Between, Dates, Last, TimeRange
from semantic.query.retention import RetentionQuery
from semantic.time import Duration, Grain, Unit, to_instant
from tests.reference.funnel import answer_funnel
from tests.reference.retention import answer_retention
from tests.reference.world import World, of_case


def world_of(case: Mapping[str, Any]) -> World:
    """A case's model and tables, with the last complete day it declares."""
    world = of_case(case)
    if "data_through" in case:
        for dataset in world.document["datasets"]:
            dataset["data_through"] = str(case["data_through"])
    return world


def answers(case: Mapping[str, Any]) -> dict[str, Any]:
    """The reference's answer to every funnel and retention field of a case's query: what was selected of it."""
    operation = parse(case["query"]).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    fields = [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    world = world_of(case)
    return {(field.alias or field.name).value: _selected(_answer(world, field), field) for field in fields}


def _answer(world: World, field: FieldNode) -> Any:
    given = {argument.name.value: value_from_ast_untyped(argument.value) for argument in field.arguments or ()}
    model, name = world.model(), given["name"].lower()
    zone = given.get("timezone")
    when = _time_range(given.get("timeRange"))
    by = tuple(name.lower() for name in given.get("breakdown", ()))
    if field.name.value == "retention":
        periods = given.get("periods")
        retention = RetentionQuery(name, time_range=when, timezone=zone, breakdown=by, periods=periods)
        return answer_retention(model, world.rows, retention)
    grain = Grain(given["grain"].lower()) if "grain" in given else None
    window = _duration(given.get("window"))
    funnel = FunnelQuery(name, time_range=when, timezone=zone, breakdown=by, grain=grain, window=window)
    return answer_funnel(model, world.rows, funnel)


def _duration(window: Mapping[str, Any] | None) -> Duration | None:
    return None if window is None else Duration(int(window["count"]), Unit(window["unit"].lower()))


def _time_range(given: Mapping[str, Any] | None) -> TimeRange | None:
    match given:
        case None:
            return None
        case {"dates": {"from": first, "to": last}}:
            return Dates(date.fromisoformat(first), date.fromisoformat(last))
        case {"between": {"start": start, "end": end}}:
            return Between(to_instant(datetime.fromisoformat(start)), to_instant(datetime.fromisoformat(end)))
        case {"last": {"count": count, "unit": unit, **rest}}:
            return Last(int(count), Unit(unit.lower()), bool(rest.get("includeCurrent")))
    raise AssertionError(given)


def _selected(value: Any, field: FieldNode) -> Any:
    """The part of an answer that a field selects."""
    if isinstance(value, list):
        return [_selected(item, field) for item in value]
    if field.selection_set is None or value is None:
        return value
    inner = [node for node in field.selection_set.selections if isinstance(node, FieldNode)]
    return {(node.alias or node.name).value: _selected(value[node.name.value], node) for node in inner}
