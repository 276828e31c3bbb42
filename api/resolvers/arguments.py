"""Arguments → the parts of a question. What GraphQL's types can't refuse is refused here: BAD_ARGUMENT."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from graphql import GraphQLError

from api.schema.names import DimensionName, Vocabulary
from api.schema.scalars import parse_date, parse_date_time
from semantic.errors import Code, QueryError
from semantic.model.facts import Kind
from semantic.model.sequence import AttributionModel
from semantic.query.query import (
    And,
    Between,
    Compare,
    Condition,
    Dates,
    Having,
    Last,
    Not,
    Operator,
    Or,
    OrderBy,
    Scalar,
    TimeRange,
)
from semantic.time import Duration, Grain, Unit, to_instant

Given = Mapping[str, Any]
Convert = Callable[[Any], Scalar]

_OPERATORS = {
    "eq": Operator.EQ,
    "ne": Operator.NE,
    "gt": Operator.GT,
    "gte": Operator.GTE,
    "lt": Operator.LT,
    "lte": Operator.LTE,
    "in": Operator.IN,
    "notIn": Operator.NOT_IN,
    "contains": Operator.CONTAINS,
    "startsWith": Operator.STARTS_WITH,
    "endsWith": Operator.ENDS_WITH,
    "isNull": Operator.IS_NULL,
}


def time_range(given: Given | None, tz: ZoneInfo) -> TimeRange | None:
    """The time range of a `TimeRange`; instants without an offset are local."""
    match given:
        case {"dates": dates}:
            return Dates(dates["from"], dates["to"])
        case {"between": between}:
            return Between(_instant(between["start"], tz), _instant(between["end"], tz))
        case {"last": last}:
            return Last(last["count"], Unit(last["unit"].value), bool(last["includeCurrent"]))
        case _:
            return None


def duration(given: Given | None) -> Duration | None:
    """The duration of a `Duration`."""
    return None if given is None else Duration(given["count"], Unit(given["unit"].value))


def grain(given: Any) -> Grain | None:
    """The grain of a `Grain`."""
    return None if given is None else Grain(given.value)


def model(given: Any) -> AttributionModel | None:
    """The model of an `AttributionModel`."""
    return None if given is None else AttributionModel(given.value)


def condition(names: Vocabulary, given: Given | None, tz: ZoneInfo) -> Condition | None:
    """The condition of a `Where`; None when it says nothing."""
    parts = tuple(_conditions(names, given or {}, tz))
    return parts[0] if len(parts) == 1 else And(parts) if parts else None


def _conditions(names: Vocabulary, given: Given, tz: ZoneInfo) -> Iterator[Condition]:
    for key, value in given.items():
        match key, value:
            case _, None:
                continue
            case "and", parts:
                yield And(tuple(condition(names, part, tz) or And(()) for part in parts))
            case "or", parts:
                yield Or(tuple(condition(names, part, tz) or And(()) for part in parts))
            case "not", part:
                yield Not(condition(names, part, tz) or And(()))
            case _:
                yield from _filter(names.dimensions[key], value, tz)


def _filter(entry: DimensionName, given: Given, tz: ZoneInfo) -> Iterator[Compare]:
    convert = _conversion(entry.kind, tz)
    for operator, value in _compared(given, entry.field, convert):
        yield Compare(entry.name, operator, value)


def _compared(given: Given, name: str, convert: Convert) -> Iterator[tuple[Operator, Scalar | tuple[Scalar, ...]]]:
    """The operators of a filter with their values. They never take null: what is not set is asked for by `isNull`."""
    for key, value in given.items():
        operator = _OPERATORS[key]
        if value is None:
            raise QueryError(
                Code.BAD_ARGUMENT, f"`{name}: {{{key}: null}}` compares with nothing.", "Use `isNull: true`."
            )
        if operator is Operator.IS_NULL:
            yield operator, value
        elif operator in (Operator.IN, Operator.NOT_IN):
            yield operator, tuple(convert(item) for item in value)
        else:
            yield operator, convert(value)


def _conversion(kind: Kind, tz: ZoneInfo) -> Convert:
    """How a value of a typed filter is compared with values of a kind."""
    if kind.is_number:
        return _number
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return lambda value: _instant(value, tz)
    return lambda value: value


def _number(value: Any) -> int | float:
    """Whole numbers stay exact; the rest is compared as the nearest double."""
    whole = int(value)
    return whole if whole == value else float(value)


def _instant(moment: datetime, tz: ZoneInfo) -> datetime:
    """A naive UTC instant; a moment without an offset is local time."""
    return to_instant(moment if moment.tzinfo else moment.replace(tzinfo=tz))


def having(given: Sequence[Given] | None, kinds: Mapping[str, Kind], tz: ZoneInfo) -> tuple[Having, ...]:
    """The filters of `[Having!]` on response keys of these kinds. Unknown keys are left for the binder to name."""
    found = []
    for item in given or ():
        key = item["by"]
        convert = _untyped(key, kinds.get(key, Kind.OTHER), tz)
        operators = {name: value for name, value in item.items() if name != "by"}
        found += [Having(key, operator, value) for operator, value in _compared(operators, key, convert)]
    return tuple(found)


def _untyped(key: str, kind: Kind, tz: ZoneInfo) -> Convert:
    """How an untyped `Value` is compared with a column of a kind. BAD_ARGUMENT when it can't be."""

    def convert(value: Any) -> Scalar:
        try:
            return _as_kind(value, kind, tz)
        except (TypeError, GraphQLError) as error:
            raise QueryError(
                Code.BAD_ARGUMENT, f"`having` compares `{key}`, a {kind.value}, with {value!r}.", _EXAMPLES.get(kind)
            ) from error

    return convert


_EXAMPLES = {
    Kind.DATE: 'Write a day as "2026-11-30".',
    Kind.TIMESTAMP: 'Write an instant as "2026-11-30T08:00:00+08:00".',
    Kind.TIMESTAMPTZ: 'Write an instant as "2026-11-30T08:00:00+08:00".',
    Kind.STRING: "Write a text in quotes.",
}


def _as_kind(value: Any, kind: Kind, tz: ZoneInfo) -> Scalar:
    match kind:
        case Kind.DATE:
            return parse_date(value)
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return _instant(parse_date_time(value), tz)
        case Kind.INTEGER | Kind.DECIMAL | Kind.FLOAT:
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                raise TypeError("not a number")
            return _number(value)
        case Kind.BOOLEAN | Kind.STRING:
            if not isinstance(value, bool if kind is Kind.BOOLEAN else str):
                raise TypeError(f"not a {kind.value}")
            return value
        case Kind.OTHER:
            return value  # type: ignore[no-any-return]


def order_by(given: Sequence[Given] | None) -> tuple[OrderBy, ...]:
    """The order of `[OrderBy!]`."""
    return tuple(OrderBy(item["by"], _is_descending(item["direction"])) for item in given or ())


def _is_descending(direction: Any) -> bool:
    return direction is not None and bool(direction.value == "desc")


def enum_value(given: Any) -> str | None:
    """The name of the model behind a member of a generated enum."""
    return None if given is None else str(given.value)


def enum_values(given: Sequence[Any] | None) -> tuple[str, ...]:
    """The names of the model behind members of a generated enum, each once."""
    return tuple(dict.fromkeys(str(member.value) for member in given or ()))
