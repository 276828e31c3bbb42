"""Contract cases about funnels and retention, asked of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, parse
from graphql.utilities import value_from_ast_untyped

from semantic.model.sequence import FunnelEntry, FunnelOrder
from semantic.query.funnel import AdHocFunnel, AdHocStep, FunnelQuery
from semantic.query.query import And, Between, Compare, Condition, Dates, Last, Not, Operator, Or, TimeRange
from semantic.query.retention import RetentionQuery
from semantic.time import Duration, Grain, Unit, to_instant
from tests.reference import funnel, retention
from tests.reference.sequence_lists import drop_offs, lifecycle, time_to_convert
from tests.reference.world import World, of_case

_UNTOLD = {"label", "meta", "catalog", "metrics"}
"""Fields that the reference does not answer."""


def is_answerable(case: Mapping[str, Any]) -> bool:
    """Is everything that a case asks for something the reference answers?"""
    if "errors" in case["expect"]:
        return False
    return not _UNTOLD & {field.name.value for field in _walk(_fields(case))}


def _fields(case: Mapping[str, Any]) -> list[FieldNode]:
    operation = parse(case["query"]).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return _below(operation)


def _below(node: FieldNode | OperationDefinitionNode) -> list[FieldNode]:
    selected = node.selection_set.selections if node.selection_set else ()
    return [inner for inner in selected if isinstance(inner, FieldNode)]


def _walk(fields: list[FieldNode]) -> Iterator[FieldNode]:
    for field in fields:
        yield field
        yield from _walk(_below(field))


def world_of(case: Mapping[str, Any]) -> World:
    """A case's model and tables, with the last complete day it declares."""
    world = of_case(case)
    if "data_through" in case:
        for dataset in world.document["datasets"]:
            dataset["data_through"] = str(case["data_through"])
    return world


def answers(case: Mapping[str, Any]) -> dict[str, Any]:
    """The reference's answer to every funnel and retention field of a case's query: what was selected of it."""
    world = world_of(case)
    variables = case.get("variables")
    return {_key(field): _answer(world, field, variables) for field in _fields(case)}


def _key(field: FieldNode) -> str:
    return (field.alias or field.name).value


def _given(field: FieldNode, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    return {one.name.value: value_from_ast_untyped(one.value, variables) for one in field.arguments or ()}


def _answer(world: World, field: FieldNode, variables: dict[str, Any] | None) -> Any:
    given, model = _given(field, variables), world.model()
    if field.name.value == "retention":
        cohorts = retention.Report(model, world.rows, _retention(given))
        return {_key(part): _part_of_retention(cohorts, part) for part in _below(field)}
    steps = funnel.Report(model, world.rows, _funnel(given))
    return {_key(part): _part_of_funnel(steps, part) for part in _below(field)}


def _part_of_funnel(report: funnel.Report, part: FieldNode) -> Any:
    given = _given(part)
    match part.name.value:
        case "timeToConvert":
            return _selected(time_to_convert(report, given.get("step"), given.get("buckets", 24)), part)
        case "dropOffs":
            found = drop_offs(report, given["step"], given.get("limit", 100), given.get("offset", 0))
            return _selected(found, part)
        case name:
            return _selected(report.answer()[name], part)


def _part_of_retention(report: retention.Report, part: FieldNode) -> Any:
    if part.name.value == "lifecycle":
        grain = _given(part).get("grain")
        return _selected(lifecycle(report, Grain(grain.lower()) if grain else None), part)
    return _selected(report.answer()[part.name.value], part)


def _selected(value: Any, field: FieldNode) -> Any:
    """The part of an answer that a field selects."""
    if isinstance(value, list):
        return [_selected(item, field) for item in value]
    if field.selection_set is None or value is None:
        return value
    return {_key(node): _selected(value[node.name.value], node) for node in _below(field)}


# --- arguments -------------------------------------------------------------------------------------------------------


def _retention(given: Mapping[str, Any]) -> RetentionQuery:
    return RetentionQuery(
        given["name"].lower(),
        time_range=_time_range(given.get("timeRange")),
        timezone=given.get("timezone"),
        where=_where(given.get("where")),
        segments=_lower(given.get("segments", ())),
        breakdown=_lower(given.get("breakdown", ())),
        periods=given.get("periods"),
    )


def _funnel(given: Mapping[str, Any]) -> FunnelQuery:
    return FunnelQuery(
        given["name"].lower() if "name" in given else _own_steps(given),
        time_range=_time_range(given.get("timeRange")),
        timezone=given.get("timezone"),
        where=_where(given.get("where")),
        segments=_lower(given.get("segments", ())),
        breakdown=_lower(given.get("breakdown", ())),
        window=_duration(given.get("window")),
        same_day=given.get("sameDay", False),
        grain=Grain(given["grain"].lower()) if "grain" in given else None,
    )


def _own_steps(given: Mapping[str, Any]) -> AdHocFunnel:
    steps = given["steps"]
    return AdHocFunnel(
        tuple(AdHocStep(s["name"], _where(s.get("where")), (s.get("dataset") or "").lower() or None) for s in steps),
        _duration(given.get("window")),
        given["entity"].lower() if "entity" in given else None,
        FunnelOrder(given.get("order", "ORDERED").lower()),
        FunnelEntry(given.get("entry", "ANY").lower()),
    )


def _lower(names: Any) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _duration(given: Mapping[str, Any] | None) -> Duration | None:
    return None if given is None else Duration(int(given["count"]), Unit(given["unit"].lower()))


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


_OPERATORS = {"notIn": "not_in", "startsWith": "starts_with", "endsWith": "ends_with", "isNull": "is_null"}


def _where(given: Mapping[str, Any] | None) -> Condition | None:
    return None if given is None else And(tuple(_conditions(given)))


def _conditions(given: Mapping[str, Any]) -> Iterator[Condition]:
    for name, value in given.items():
        match name:
            case "and":
                yield And(tuple(And(tuple(_conditions(part))) for part in value))
            case "or":
                yield Or(tuple(And(tuple(_conditions(part))) for part in value))
            case "not":
                yield Not(And(tuple(_conditions(value))))
            case _:
                for operator, other in value.items():
                    wanted = tuple(other) if isinstance(other, list) else other
                    yield Compare(name, Operator(_OPERATORS.get(operator, operator)), wanted)
