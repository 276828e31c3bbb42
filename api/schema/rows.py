"""`Row`: one field for each dimension and each metric. Which of them are selected is the query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.schema.definition import definition
from api.schema.enums import AttributionModel, Comparison, Grain
from api.schema.inputs import Duration
from api.schema.make import Resolver, argument, field, object_type
from api.schema.names import TIME, DimensionName, MetricName, Vocabulary
from api.schema.results import Meta, PageInfo
from api.schema.scalars import Day, Instant, Long, Number, Period, Plain
from semantic.model.dataset import DimensionType
from semantic.model.facts import Kind

_TYPES: dict[Kind, Any] = {
    Kind.STRING: str,
    Kind.INTEGER: Long,
    Kind.DECIMAL: Number,
    Kind.FLOAT: float,
    Kind.BOOLEAN: bool,
    Kind.DATE: Day,
    Kind.TIMESTAMP: Instant,
    Kind.TIMESTAMPTZ: Instant,
    Kind.OTHER: str,
}
_SCALARS = {
    Kind.STRING: "String",
    Kind.INTEGER: "Long",
    Kind.DECIMAL: "Decimal",
    Kind.FLOAT: "Float",
    Kind.BOOLEAN: "Boolean",
    Kind.DATE: "Date",
    Kind.TIMESTAMP: "DateTime",
    Kind.TIMESTAMPTZ: "DateTime",
    Kind.OTHER: "String",
}


def scalar_name(kind: Kind) -> str:
    """The name of the scalar that values of a kind are."""
    return _SCALARS[kind]


def dimension_scalar(entry: DimensionName) -> str:
    """The name of the scalar a dimension's values are."""
    return "Time" if entry.type is DimensionType.TIME else scalar_name(entry.kind)


def row_type(names: Vocabulary, where: Any, cell: Resolver, locale: str | None) -> Any:
    """The row of a model. Every field is nullable: unknown is null, and so are dimensions in `totals`."""
    fields = [_time_field(cell)] if names.has_time else []
    fields += [_dimension_field(entry, cell, locale) for entry in names.dimensions.values()]
    arguments = list(_metric_arguments(where))
    fields += [_metric_field(names, entry, arguments, cell, locale) for entry in names.metrics.values()]
    return object_type(
        "Row",
        fields,
        "A row. The dimensions selected are what it is split by, the metrics selected are what is computed.",
    )


def metrics_type(row: Any, rows: Resolver, totals: Resolver, page_info: Resolver, meta: Resolver) -> Any:
    """What the root field `metrics` answers with."""
    return object_type(
        "Metrics",
        [
            field("rows", list[row], "The rows, split by the dimensions selected in them.", rows),
            field(
                "totals",
                row,
                "The metrics over the same filter without any split: computed on its own, never summed from rows.",
                totals,
            ),
            field("pageInfo", PageInfo, "Which part of the rows this is.", page_info),
            field("meta", Meta, "How the answer came about.", meta),
        ],
        "An answer: what is selected in `rows` and `totals` is the query.",
    )


def value_type(cell: Resolver) -> Any:
    """A value of a dimension, with how often it occurs."""
    return object_type(
        "DimensionValue",
        [
            field("value", Plain | None, "The value; null: not set.", cell),
            field("count", Long, "The rows that have it, in every dataset that has the dimension.", cell),
        ],
        "A value of a dimension, for a filter picker.",
    )


def _time_field(cell: Resolver) -> StrawberryField:
    return field(
        TIME,
        Period | None,
        "The period of the row, by each metric's own time: its first day; for HOUR and MINUTE the instant it begins.",
        cell,
        [argument("grain", Grain, "The length of the periods.")],
    )


def _dimension_field(entry: DimensionName, cell: Resolver, locale: str | None) -> StrawberryField:
    description = _described(entry.label.get(locale) or entry.name, entry.description.get(locale))
    if not entry.has_grain:
        return field(entry.field, _TYPES[entry.kind] | None, description, cell)
    grain = argument("grain", Grain | None, "Split by periods of this length instead of by single values.")
    type_ = Day if entry.type is DimensionType.DATE else Period
    return field(entry.field, type_ | None, description, cell, [grain])


def _metric_field(
    names: Vocabulary, entry: MetricName, arguments: list[StrawberryArgument], cell: Resolver, locale: str | None
) -> StrawberryField:
    metric = entry.metric
    description = _described(metric.label.get(locale) or metric.name, metric.description.get(locale))
    computed = names.told("; ".join(definition(metric).splitlines()))
    text = f"{description}\n\n{computed}" if computed else description
    if entry.is_credited:
        said = "How credit is shared, instead of what the attribution says."
        arguments = [*arguments, argument("model", AttributionModel | None, said)]
    return field(entry.field, _TYPES[entry.kind] | None, text, cell, arguments)


def _metric_arguments(where: Any) -> Iterator[StrawberryArgument]:
    """What every metric field takes."""
    if where is not None:
        yield argument("where", where | None, "A filter for this field only, beside the query's own.")
    yield argument("offset", Duration | None, "The value of the period this long before.")
    yield argument(
        "as", Comparison | None, "With `offset`: the earlier value, or the change since.", default=Comparison.VALUE
    )
    yield argument("rolling", Duration | None, "Over a trailing window that ends with the row's period.")
    yield argument("toDate", Grain | None, "Since the period of this length began that the row's period is in.")


def _described(label: str, description: str | None) -> str:
    return f"{label}: {description}" if description else label
