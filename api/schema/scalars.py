"""Scalars: numbers with all their digits, days and instants as ISO texts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType

import strawberry
from graphql import (
    BooleanValueNode,
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    StringValueNode,
    ValueNode,
    print_ast,
)
from strawberry.types.scalar import ScalarDefinition

Long = NewType("Long", int)
Number = NewType("Number", Decimal)
Day = NewType("Day", date)
Instant = NewType("Instant", datetime)
Period = NewType("Period", str)
Plain = NewType("Plain", str)
Claims = NewType("Claims", dict[str, Any])

_JSON_NUMBER = "https://www.rfc-editor.org/rfc/rfc8259#section-6"
_RFC_3339 = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"
_LONG = range(-(2**63), 2**63)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?")


def parse_date(value: object) -> date:
    """`"2026-11-30"` → date; GraphQLError otherwise."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise GraphQLError(f"Date cannot represent {value!r}: there is no such day.") from None
    raise GraphQLError(f'Date cannot represent {value!r}: write a day as "2026-11-30".')


def parse_date_time(value: object) -> datetime:
    """RFC 3339 → datetime, aware when the text has an offset; GraphQLError otherwise."""
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper().replace(" ", "T"))
        except ValueError:
            pass
    raise GraphQLError(f'DateTime cannot represent {value!r}: write an instant as "2026-11-30T08:00:00+08:00".')


def _parse_long(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in _LONG:
        raise GraphQLError(f"Long cannot represent {value!r}: it is a whole number of 64 bits.")
    return value


def _parse_decimal(value: object) -> Decimal:
    if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise GraphQLError(f"Decimal cannot represent {value!r}: it is a number, or a text of one.")


def _parse_plain(value: object) -> str | int | float | bool | Decimal:
    if isinstance(value, str | int | bool | Decimal) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise GraphQLError("Value must be a text, a number or a boolean.")


def _parse_claims(value: object) -> object:
    raise GraphQLError("Claims are told, and never taken.")


def _literal(parse: Callable[[object], Any]) -> Callable[[ValueNode, dict[str, Any] | None], Any]:
    """Read a literal of a document: numbers keep every digit written."""

    def read(node: ValueNode, _variables: dict[str, Any] | None = None) -> Any:
        try:
            return parse(_written(node))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from error

    return read


def _written(node: ValueNode) -> object:
    match node:
        case StringValueNode() | BooleanValueNode():
            return node.value
        case IntValueNode():
            return int(node.value)
        case FloatValueNode():
            return Decimal(node.value)
        case _:
            raise GraphQLError(f"{print_ast(node)} is not a single value.")


def _number(value: object) -> object:
    """Numbers as they are: the JSON writer gives integers and decimals all their digits."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise TypeError(f"A {type(value).__name__} is not a number.")


def _iso(value: object) -> str:
    """ISO text of a day or an instant; a text is one already."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    raise TypeError(f"A {type(value).__name__} is neither a day nor an instant.")


def _plain(value: object) -> object:
    return _iso(value) if isinstance(value, date) else value


def _scalar(
    name: str, description: str, parse: Callable[[object], Any], serialize: Callable[[Any], Any], url: str | None = None
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=url,
        parse_value=parse,
        parse_literal=_literal(parse),
        serialize=serialize,
    )


def _parse_period(value: object) -> date | datetime:
    return parse_date(value) if isinstance(value, str) and _DATE.fullmatch(value) else parse_date_time(value)


SCALARS: dict[object, ScalarDefinition] = {
    Long: _scalar(
        "Long",
        "A whole number of 64 bits, as a JSON integer: read it with a parser that keeps integers beyond 2^53. "
        "A field asked for with `as: CHANGE_RATIO` is a share, and so a JSON number with a fraction.",
        _parse_long,
        _number,
        _JSON_NUMBER,
    ),
    Number: _scalar(
        "Decimal",
        "A decimal number, as a JSON number with all its digits. As an input, a text of a number is taken too.",
        _parse_decimal,
        _number,
        _JSON_NUMBER,
    ),
    Day: _scalar("Date", 'A day of the business calendar: "2026-11-30".', parse_date, _iso, _RFC_3339),
    Instant: _scalar(
        "DateTime",
        'An instant, in the time zone of the query: "2026-11-30T08:00:00+08:00". '
        "As an input without an offset it is local time of the query's time zone.",
        parse_date_time,
        _iso,
        _RFC_3339,
    ),
    Period: _scalar(
        "Time",
        "When a period begins: a Date (its first day) for DAY and coarser grains, a DateTime for HOUR and MINUTE; "
        "a DateTime where no grain is given.",
        _parse_period,
        _iso,
        _RFC_3339,
    ),
    Plain: _scalar(
        "Value",
        "A single value whose type its context tells: a text, a number or a boolean; days and instants as texts.",
        _parse_plain,
        _plain,
    ),
    Claims: _scalar(
        "Claims",
        "A JSON object: each claim with its value, or with a list of values.",
        _parse_claims,
        lambda value: value,
    ),
}
"""Python type → scalar, for the schema's configuration."""
