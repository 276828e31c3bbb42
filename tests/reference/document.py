"""A query as the GraphQL document a client would write, and the reference's rows as the JSON it would get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from semantic.query.query import (
    And,
    Between,
    Compare,
    Comparison,
    Condition,
    Dates,
    DimensionField,
    Field,
    Having,
    MetricField,
    MetricQuery,
    Not,
    Operator,
    Or,
    TimeField,
    TimeRange,
)
from semantic.time import Duration
from tests.reference.rows import Row

_UNORDERED = {Operator.GT, Operator.GTE, Operator.LT, Operator.LTE}


class Name(str):
    """A name in a document, such as an enum value: written without quotes."""

    __slots__ = ()


class NotExpressible(Exception):
    """The query can be asked in Python only: GraphQL's text filters have no order."""


def camel(name: str) -> str:
    """`uv_7d` → `uv7d`."""
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def document(query: MetricQuery, alias: str = "metrics") -> str:
    """The root field of a query; its totals select the same metrics."""
    arguments = {
        "timeRange": None if query.time_range is None else _time_range(query.time_range),
        "timezone": query.timezone,
        "where": _where(query.where),
        "segments": [_enum(name) for name in query.segments] or None,
        "having": [_having(having) for having in query.having] or None,
        "orderBy": [
            {"by": order.key, "direction": Name("DESC" if order.descending else "ASC")} for order in query.order_by
        ]
        or None,
        "limit": query.limit,
        "offset": query.offset,
        "fill": query.fill,
    }
    rows = " ".join(_field(field) for field in query.fields)
    totals = " ".join(_field(field) for field in query.metrics)
    return f"{alias}: metrics{_arguments(arguments)} {{ rows {{ {rows} }} totals {{ {totals} }} }}"


def _field(field: Field) -> str:
    match field:
        case TimeField(key, grain):
            return f"{key}: time(grain: {_enum(grain)})"
        case DimensionField(key, dimension, grain):
            return f"{key}: {camel(dimension)}" + (f"(grain: {_enum(grain)})" if grain else "")
        case MetricField():
            arguments = {
                "where": _where(field.where),
                "offset": _duration(field.offset),
                "as": None if field.comparison is Comparison.VALUE else _enum(field.comparison),
                "rolling": _duration(field.rolling),
                "toDate": None if field.to_date is None else _enum(field.to_date),
            }
            return f"{field.key}: {camel(field.metric)}{_arguments(arguments)}"


def _enum(value: str | Enum) -> Name:
    return Name((value.value if isinstance(value, Enum) else value).upper())


def _duration(duration: Duration | None) -> dict[str, Any] | None:
    return None if duration is None else {"count": duration.count, "unit": _enum(duration.unit)}


def _time_range(asked: TimeRange) -> dict[str, Any]:
    if isinstance(asked, Dates):
        return {"dates": {"from": asked.first, "to": asked.last}}
    if isinstance(asked, Between):
        return {"between": {"start": asked.start, "end": asked.end}}
    return {"last": {"count": asked.count, "unit": _enum(asked.unit), "includeCurrent": asked.include_current}}


def _where(condition: Condition | None) -> dict[str, Any] | None:
    match condition:
        case None:
            return None
        case And(parts):
            return {"and": [_where(part) for part in parts]}
        case Or(parts):
            return {"or": [_where(part) for part in parts]}
        case Not(part):
            return {"not": _where(part)}
        case Compare(dimension, operator, value):
            if isinstance(value, str) and operator in _UNORDERED:
                raise NotExpressible
            return {camel(dimension): {camel(operator): value}}


def _having(having: Having) -> dict[str, Any]:
    return {"by": having.key, camel(having.operator): having.value}


def _arguments(arguments: dict[str, Any]) -> str:
    given = ", ".join(f"{name}: {literal(value)}" for name, value in arguments.items() if value is not None)
    return f"({given})" if given else ""


def literal(value: Any) -> str:
    """A value in GraphQL's syntax."""
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, datetime):
        return json.dumps((value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat())
    if isinstance(value, date):
        return json.dumps(value.isoformat())
    return json.dumps(value, ensure_ascii=False)


def shown(rows: list[Row], query: MetricQuery, timezone: str) -> Iterator[Row]:
    """Rows as JSON shows them: days as texts, instants in the query's zone."""
    zone = ZoneInfo(query.timezone or timezone)
    for row in rows:
        yield {key: _shown(value, zone) for key, value in row.items()}


def _shown(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def parsed(body: bytes) -> Any:
    """JSON with its numbers as they are written: digits are not lost on the way."""
    return json.loads(body, parse_float=Decimal)
