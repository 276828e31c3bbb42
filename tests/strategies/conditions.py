"""Filters over dimensions: every operator, values that are there and values that are not, and, or, not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from semantic.model.dataset import DimensionType
from semantic.query.query import And, Compare, Condition, Not, Operator, Or, Scalar
from tests.strategies.choices import Choices
from tests.strategies.data import ANCHORS, CHANNELS, CITIES, LEVELS, REGIONS, SHOPS

COMPARED = (Operator.EQ, Operator.NE, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
_TEXTUAL = (Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH)
_STRINGS: Mapping[str, tuple[str, ...]] = {
    "channel": CHANNELS,
    "city": CITIES,
    "shop": tuple(str(shop) for shop in SHOPS),
    "shouted": ("ADS", "SEARCH"),
    "size": ("large", "small"),
    "place": (*CITIES, "unknown"),
    "level": LEVELS,
    "region": REGIONS,
}
_PARTS = ("a", "A", "京", "%", "_", "'", "", "large")


def condition(choices: Choices, dimensions: Mapping[str, DimensionType]) -> Condition | None:
    """A condition over some of the dimensions, or None where there are none."""
    if not dimensions:
        return None
    match choices.below(8):
        case 0 | 1 | 2 | 3:
            return _leaf(choices, dimensions)
        case 4:
            return Not(_leaf(choices, dimensions))
        case 5:
            return And(_leaves(choices, dimensions))
        case 6:
            return Or(_leaves(choices, dimensions))
        case _:
            return Not(Or(_leaves(choices, dimensions)))


def _leaves(choices: Choices, dimensions: Mapping[str, DimensionType]) -> tuple[Condition, ...]:
    return tuple(_leaf(choices, dimensions) for _ in range(choices.below(3)))


def _leaf(choices: Choices, dimensions: Mapping[str, DimensionType]) -> Condition:
    name = choices.pick(list(dimensions))
    kind = dimensions[name]
    operators = [*COMPARED, *COMPARED, Operator.IN, Operator.NOT_IN, Operator.IS_NULL]
    match kind:
        case DimensionType.STRING:
            operators += _TEXTUAL
        case DimensionType.BOOLEAN:
            operators = [Operator.EQ, Operator.NE, Operator.IS_NULL]
    operator = choices.pick(operators)
    if operator is Operator.IS_NULL:
        return Compare(name, operator, choices.chance(2))
    if operator in _TEXTUAL:
        return Compare(name, operator, choices.pick(_PARTS))
    values = _values(name, kind)
    if operator in (Operator.IN, Operator.NOT_IN):
        return Compare(name, operator, tuple(choices.some(values, 0, 3)))
    return Compare(name, operator, choices.pick(values))


def _values(name: str, kind: DimensionType) -> tuple[Scalar, ...]:
    match kind:
        case DimensionType.STRING:
            return (*next(pool for suffix, pool in _STRINGS.items() if name.endswith(suffix)), "nowhere")
        case DimensionType.NUMBER:
            return (1, 0, 2, 4, -1, 1.5, 10)
        case DimensionType.BOOLEAN:
            return (True, False)
        case DimensionType.DATE:
            near: list[date] = [anchor + timedelta(days=shift) for anchor in ANCHORS for shift in (0, 1)]
            return tuple(near)
        case DimensionType.TIME:
            return tuple(datetime(day.year, day.month, day.day, 12) for day in ANCHORS)
