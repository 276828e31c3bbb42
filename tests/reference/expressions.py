"""The expressions that the models of the tests may use: each as its author writes it and as Python, never parsed.

A Python twin gets `get(name)`, the value of a column, of `relationship.column`, or (derived) of a metric. It follows
SQL: null in, null out; a condition is True, False or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Get = Callable[[str], Any]
Twin = Callable[[Get], Any]

_NAME = re.compile(r"[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*")


def strict(function: Callable[..., Any], *names: str) -> Twin:
    """A function of columns that is null where any of them is."""

    def twin(get: Get) -> Any:
        values = [get(name) for name in names]
        return None if any(value is None for value in values) else function(*values)

    return twin


def plus(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    if isinstance(left, float) or isinstance(right, float):
        return float(left) + float(right)
    return left + right


def minus(left: Any, right: Any) -> Any:
    return plus(left, None if right is None else -right)


def times(left: Any, right: Any) -> Any:
    return None if left is None or right is None else float(left) * float(right)


def divide(left: Any, right: Any) -> Any:
    """Division; by zero it is null."""
    return None if left is None or right is None or right == 0 else float(left) / float(right)


def first_known(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def either(*parts: Any) -> Any:
    """SQL's or."""
    if any(part is True for part in parts):
        return True
    return None if any(part is None for part in parts) else False


def both(*parts: Any) -> Any:
    """SQL's and."""
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def _exact_times(left: Any, right: Any) -> Any:
    if isinstance(left, float) or isinstance(right, float):
        return float(left) * float(right)
    return left * right


NUMBERS: Mapping[str, Twin] = {
    "amount": lambda get: get("amount"),
    "quantity": lambda get: get("quantity"),
    "amount * quantity": strict(_exact_times, "amount", "quantity"),
    "amount - quantity": lambda get: minus(get("amount"), get("quantity")),
    "coalesce(amount, 0)": lambda get: first_known(get("amount"), 0),
    "abs(amount)": strict(abs, "amount"),
    "amount / quantity": lambda get: divide(get("amount"), get("quantity")),
    "case when channel = 'ads' then amount else 0 end": lambda get: get("amount") if get("channel") == "ads" else 0,
    "case when quantity > 1 then quantity end": lambda get: (
        get("quantity") if strict(lambda q: q > 1, "quantity")(get) else None
    ),
}
"""Numbers of a fact row."""

THROUGH: Mapping[str, Twin] = {
    "{to}.bonus": lambda get: get("{to}.bonus"),
    "quantity * {to}.bonus": strict(_exact_times, "quantity", "{to}.bonus"),
    "coalesce({to}.bonus, 0)": lambda get: first_known(get("{to}.bonus"), 0),
}
"""Numbers through a relationship, whose name stands for `{to}`."""

COUNTED: Mapping[str, Twin] = {
    "user_id": lambda get: get("user_id"),
    "city": lambda get: get("city"),
    "shop": lambda get: get("shop"),
    "lower(channel)": strict(str.lower, "channel"),
    "channel || '/' || city": strict(lambda a, b: f"{a}/{b}", "channel", "city"),
}
"""What can be counted, distinctly or where it is set."""

ORDERED = ("city", "day", "seen", "lower(channel)")
"""What has a first and a last without being a number."""

CONDITIONS: Mapping[str, Twin] = {
    "channel = 'ads'": strict(lambda c: c == "ads", "channel"),
    "channel <> 'ads'": strict(lambda c: c != "ads", "channel"),
    "not (channel = 'ads')": strict(lambda c: c != "ads", "channel"),
    "channel = 'ads' or city = '北京'": lambda get: either(
        strict(lambda c: c == "ads", "channel")(get), strict(lambda c: c == "北京", "city")(get)
    ),
    "amount > 10 and quantity <= 2": lambda get: both(
        strict(lambda a: a > 10, "amount")(get), strict(lambda q: q <= 2, "quantity")(get)
    ),
    "quantity between 1 and 3": strict(lambda q: 1 <= q <= 3, "quantity"),
    "city is not null": lambda get: get("city") is not None,
    "city in ('北京', '上海')": strict(lambda c: c in ("北京", "上海"), "city"),
    "city like '%海'": strict(lambda c: c.endswith("海"), "city"),
    "city = 'O''Brien 100%'": strict(lambda c: c == "O'Brien 100%", "city"),
    "flag": lambda get: get("flag"),
    "amount is null": lambda get: get("amount") is None,
    "1 = 0": lambda get: False,
}
"""Conditions on a fact row."""

THROUGH_CONDITIONS: Mapping[str, Twin] = {
    "{to}.level = 'gold'": strict(lambda v: v == "gold", "{to}.level"),
    "{to}.level is null": lambda get: get("{to}.level") is None,
    "coalesce({to}.level, 'none') <> 'gold'": lambda get: first_known(get("{to}.level"), "none") != "gold",
}
"""Conditions through a relationship."""

LABELS: Mapping[str, Twin] = {
    "upper(channel)": strict(str.upper, "channel"),
    "coalesce(city, 'unknown')": lambda get: first_known(get("city"), "unknown"),
    "case when amount > 10 then 'large' else 'small' end": lambda get: (
        "large" if strict(lambda a: a > 10, "amount")(get) else "small"
    ),
    "upper(level)": strict(str.upper, "level"),
    "coalesce(level, 'none')": lambda get: first_known(get("level"), "none"),
}
"""Dimensions that are more than a column."""

DERIVED: Mapping[str, Twin] = {
    "{a} - {b}": lambda get: minus(get("{a}"), get("{b}")),
    "{a} + {b}": lambda get: plus(get("{a}"), get("{b}")),
    "({a} - {b}) / {b}": lambda get: divide(minus(get("{a}"), get("{b}")), get("{b}")),
    "{a} * 100": lambda get: times(get("{a}"), 100),
    "{a} / {b} + 1": lambda get: plus(divide(get("{a}"), get("{b}")), 1),
    "coalesce({a}, 0) - {b}": lambda get: minus(first_known(get("{a}"), 0), get("{b}")),
}
"""Derived metrics over two others."""

_COLUMNS = {**NUMBERS, **COUNTED, **CONDITIONS, **LABELS}
_PATTERNS = {**THROUGH, **THROUGH_CONDITIONS, **DERIVED}


def _pattern(template: str) -> re.Pattern[str]:
    escaped = re.escape(template)
    seen: set[str] = set()
    for slot in ("to", "a", "b"):
        mark = re.escape("{" + slot + "}")
        while mark in escaped:
            group = f"(?P={slot})" if slot in seen else f"(?P<{slot}>[a-z_0-9]+)"
            escaped = escaped.replace(mark, group, 1)
            seen.add(slot)
    return re.compile(escaped)


_MATCHERS = [(_pattern(template), twin) for template, twin in _PATTERNS.items()]


def twin_of(source: str) -> Twin:
    """The Python twin of an expression as its author wrote it. A plain name stands for itself. KeyError otherwise."""
    if source in _COLUMNS:
        return _COLUMNS[source]
    if _NAME.fullmatch(source):
        return lambda get: get(source)
    for pattern, twin in _MATCHERS:
        match = pattern.fullmatch(source)
        if match is not None:
            return _filled(twin, match.groupdict())
    raise KeyError(source)


def _filled(twin: Twin, slots: Mapping[str, str]) -> Twin:
    def filled(get: Get) -> Any:
        return twin(lambda name: get(name.format(**slots)))

    return filled
