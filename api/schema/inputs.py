"""Inputs: time ranges, durations, filters, order."""

from __future__ import annotations

from typing import Any

from strawberry.types.field import StrawberryField

from api.schema.enums import Direction, Unit
from api.schema.make import input_field, input_type
from api.schema.names import DimensionName, Vocabulary
from api.schema.scalars import Day, Instant, Number, Plain
from semantic.model.dataset import DimensionType

DateRange: Any = input_type(
    "DateRange",
    [
        input_field("from", Day, "The first day."),
        input_field("to", Day, "The last day, included."),
    ],
    "Days of the business calendar, both included.",
)
InstantRange: Any = input_type(
    "InstantRange",
    [
        input_field("start", Instant, "The first instant."),
        input_field("end", Instant, "The instant at which the range has ended: it is excluded."),
    ],
    "A range of instants.",
)
LastPeriods: Any = input_type(
    "LastPeriods",
    [
        input_field("count", int, "How many periods, from 1."),
        input_field("unit", Unit, "The unit of the periods."),
        input_field(
            "includeCurrent",
            bool | None,
            "Also the period in progress, whose numbers are still incomplete.",
            default=False,
        ),
    ],
    "The last complete periods, counted back from `dataThrough` and not from the server's clock.",
)
TimeRange: Any = input_type(
    "TimeRange",
    [
        input_field("dates", DateRange | None, "From one day to another, both included."),
        input_field("between", InstantRange | None, "From one instant to another, the end excluded."),
        input_field("last", LastPeriods | None, "The last complete periods."),
    ],
    "When: exactly one of its fields.",
    one_of=True,
)
Duration: Any = input_type(
    "Duration",
    [
        input_field("count", int, "How many units, from 1."),
        input_field("unit", Unit, "The unit."),
    ],
    "A length of time, such as 7 days.",
)


def _compared(type_: Any, noun: str) -> list[StrawberryField]:
    return [
        input_field("eq", type_ | None, f"Is this {noun}."),
        input_field("ne", type_ | None, f"Is not this {noun}, or is not set."),
        input_field("gt", type_ | None, "Is greater."),
        input_field("gte", type_ | None, "Is greater or equal."),
        input_field("lt", type_ | None, "Is less."),
        input_field("lte", type_ | None, "Is less or equal."),
        input_field("in", list[type_] | None, "Is one of these."),
        input_field("notIn", list[type_] | None, "Is none of these, or is not set."),
        input_field("isNull", bool | None, "true: is not set; false: is set."),
    ]


_ALL = "All operators given must hold."

StringFilter: Any = input_type(
    "StringFilter",
    [
        input_field("eq", str | None, "Is this text."),
        input_field("ne", str | None, "Is not this text, or is not set."),
        input_field("in", list[str] | None, "Is one of these."),
        input_field("notIn", list[str] | None, "Is none of these, or is not set."),
        input_field("contains", str | None, "Has this text in it; case matters."),
        input_field("startsWith", str | None, "Begins with this text; case matters."),
        input_field("endsWith", str | None, "Ends with this text; case matters."),
        input_field("isNull", bool | None, "true: is not set; false: is set."),
    ],
    f"A filter on texts. {_ALL}",
)
NumberFilter: Any = input_type("NumberFilter", _compared(Number, "number"), f"A filter on numbers. {_ALL}")
DateFilter: Any = input_type("DateFilter", _compared(Day, "day"), f"A filter on days. {_ALL}")
TimeFilter: Any = input_type("TimeFilter", _compared(Instant, "instant"), f"A filter on instants. {_ALL}")
BooleanFilter: Any = input_type(
    "BooleanFilter",
    [
        input_field("eq", bool | None, "Is this."),
        input_field("ne", bool | None, "Is the other, or is not set."),
        input_field("in", list[bool] | None, "Is one of these."),
        input_field("notIn", list[bool] | None, "Is none of these, or is not set."),
        input_field("isNull", bool | None, "true: is not set; false: is set."),
    ],
    f"A filter on booleans. {_ALL}",
)
Having: Any = input_type(
    "Having",
    [
        input_field("by", str, "A response key of `rows`."),
        *_compared(Plain, "value"),
    ],
    f"A filter on the rows of the answer, by the value under a response key. {_ALL}",
)
OrderBy: Any = input_type(
    "OrderBy",
    [
        input_field("by", str, "A response key of `rows`."),
        input_field("direction", Direction | None, "Which end comes first.", default=Direction.ASC),
    ],
    "An order of the rows, by the value under a response key; null comes last either way.",
)

_FILTERS = {
    DimensionType.STRING: StringFilter,
    DimensionType.NUMBER: NumberFilter,
    DimensionType.BOOLEAN: BooleanFilter,
    DimensionType.DATE: DateFilter,
    DimensionType.TIME: TimeFilter,
}


def where_input(names: Vocabulary, locale: str | None) -> Any:
    """The filter with a field for each dimension, or None when the model has none."""
    if not names.dimensions:
        return None
    combining = [
        input_field("and", bool | None, "All of these hold (none given: true)."),
        input_field("or", bool | None, "At least one of these holds (none given: false)."),
        input_field("not", bool | None, "This does not hold."),
    ]
    fields = [_where_field(entry, locale) for entry in names.dimensions.values()]
    where = input_type(
        "Where", [*combining, *fields], "A filter on rows. All that is given must hold; nothing given: all rows."
    )
    several: Any = list[where] | None  # type: ignore[valid-type]
    combining[0].type = combining[1].type = several
    combining[2].type = where | None
    return where


def _where_field(entry: DimensionName, locale: str | None) -> StrawberryField:
    filter_type = _FILTERS[entry.type]
    return input_field(entry.field, filter_type | None, entry.label.get(locale) or entry.name)
