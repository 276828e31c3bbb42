"""What may be compared with what: a value beside a dimension or a column of an answer. BAD_ARGUMENT."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal

from semantic.errors import Code, QueryError
from semantic.model.facts import Kind
from semantic.model.names import camel_case
from semantic.query.query import Operator, Scalar

MAX_DIGITS = 38
"""Digits of a whole number: no engine has more."""

_NOUNS = {
    Kind.STRING: ("texts", "Write a text in quotes."),
    Kind.INTEGER: ("numbers", None),
    Kind.DECIMAL: ("numbers", None),
    Kind.FLOAT: ("numbers", None),
    Kind.BOOLEAN: ("true or false", None),
    Kind.DATE: ("days", 'Write a day as "2026-11-30".'),
    Kind.TIMESTAMP: ("instants", 'Write an instant as "2026-11-30T08:00:00+08:00".'),
    Kind.TIMESTAMPTZ: ("instants", 'Write an instant as "2026-11-30T08:00:00+08:00".'),
}
_TEXT = (Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH)
_ORDER = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)


def check_value(kind: Kind, operator: Operator, value: Scalar | tuple[Scalar, ...], name: str) -> None:
    """Refuse a value that a part of that kind, called `name`, can't be compared with by the operator."""
    if isinstance(value, tuple) and operator not in (Operator.IN, Operator.NOT_IN):
        raise _bad(f"`{name}` is compared by `{_spelled(operator)}` with a list.", "Use `in` or `notIn`.")
    if operator in _TEXT and kind is not Kind.STRING:
        raise _bad(f"`{name}` holds no texts: it can't be compared by `{_spelled(operator)}`.")
    if operator in _ORDER and kind is Kind.BOOLEAN:
        raise _bad(f"`{name}` is true or false, neither of which is greater.", "Use `eq`.")
    for item in value if isinstance(value, tuple) else (value,):
        _check_item(kind, item, name)


def _check_item(kind: Kind, item: Scalar, name: str) -> None:
    if item is None:
        raise _bad(f"`{name}` can't be compared with null.", "Use `isNull: true`.")
    if kind in _NOUNS and not _fits(kind, item):
        noun, example = _NOUNS[kind]
        raise _bad(f"`{name}` holds {noun}: it can't be compared with {_written(item)}.", example)
    if isinstance(item, int) and abs(item) >= 10**MAX_DIGITS:
        raise _bad(f"`{name}` is compared with a number of more than {MAX_DIGITS} digits.")


def _fits(kind: Kind, item: Scalar) -> bool:
    match kind:
        case Kind.INTEGER | Kind.DECIMAL | Kind.FLOAT:
            return isinstance(item, int | float | Decimal) and not isinstance(item, bool) and math.isfinite(item)
        case Kind.DATE:
            return isinstance(item, date) and not isinstance(item, datetime)
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return isinstance(item, datetime)
        case Kind.BOOLEAN:
            return isinstance(item, bool)
        case _:
            return isinstance(item, str)


def _spelled(operator: Operator) -> str:
    return camel_case(operator.value)


def _written(item: Scalar) -> str:
    """As JSON has it."""
    if isinstance(item, bool):
        return str(item).lower()
    return f'"{item}"' if isinstance(item, str | date) else str(item)


def _bad(message: str, suggestion: str | None = None) -> QueryError:
    return QueryError(Code.BAD_ARGUMENT, message, suggestion)
