"""Model → schema. Some tens of milliseconds for a hundred metrics: made once for each model version and language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql.execution import Executor
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from api.schema.catalog import Catalog
from api.schema.enums import AttributionModel, Grain, dimension_enum, followed, metric_enum, segment_enum
from api.schema.funnel import FunnelResolvers, funnel_field
from api.schema.inputs import Having, OrderBy, TimeRange, where_input
from api.schema.journey import JourneyResolvers, journey_field
from api.schema.make import Resolver, argument, field, object_type
from api.schema.names import Vocabulary
from api.schema.results import Table
from api.schema.retention import RetentionResolvers, retention_field
from api.schema.rows import metrics_type, row_type, value_type
from api.schema.scalars import SCALARS
from api.schema.score import ScoreResolvers, score_field
from api.schema.touch_path import TouchPathResolvers, touch_path_field
from api.schema.viewer import ViewerInfo


@dataclass(frozen=True, slots=True)
class Resolvers:
    """How fields are answered: the root fields, the parts of what they answer with, and a cell of a row.

    Each is called with `root` (the parent's value), `info`, and the arguments that strawberry has read.
    """

    metrics: Resolver
    table: Resolver
    dimension_values: Resolver
    catalog: Resolver
    viewer: Resolver
    rows: Resolver
    totals: Resolver
    page_info: Resolver
    meta: Resolver
    cell: Resolver
    funnel: FunnelResolvers
    retention: RetentionResolvers
    journey: JourneyResolvers
    touch_path: TouchPathResolvers
    score: ScoreResolvers


_KEY = (
    "Any text; it changes nothing. Clients that keep answers by field and arguments, such as Relay and Apollo Client, "
    "tell questions apart by it that differ only in what is selected."
)
_SUBSCRIPTION = "The same as in a query, answered at once and again whenever the data changes."


def build_schema(
    names: Vocabulary,
    resolvers: Resolvers,
    locale: str | None = None,
    info_class: type[strawberry.Info] = strawberry.Info,
    executor_class: type[Executor[Any]] | None = None,
) -> strawberry.Schema:
    """The schema of all that can be named, described in `locale`. A root field with nothing to name is left out."""
    roots = list(_roots(names, resolvers, locale))
    followed = [root for root in roots if root.graphql_name == "metrics"]
    return strawberry.Schema(
        query=object_type("Query", roots, "Ask for metrics: the selection set is the query."),
        subscription=object_type("Subscription", followed, _SUBSCRIPTION) if followed else None,
        config=StrawberryConfig(scalar_map=SCALARS, info_class=info_class),
        execution_context_class=executor_class,
    )


def _roots(names: Vocabulary, resolvers: Resolvers, locale: str | None) -> Iterator[StrawberryField]:
    where = where_input(names, locale)
    segment = segment_enum(names, locale)
    metric = metric_enum(names, locale)
    dimension = dimension_enum(names, locale)
    shared = list(_shared(where, segment))
    if metric is not None:
        row = row_type(names, where, resolvers.cell, locale)
        answer = metrics_type(row, resolvers.rows, resolvers.totals, resolvers.page_info, resolvers.meta)
        yield _metrics(answer, shared, resolvers)
    followable = followed(names, locale)
    if followable is not None:
        yield funnel_field(names, followable, where, segment, dimension, resolvers.funnel, locale)
    retention = retention_field(names, where, segment, dimension, resolvers.retention, locale)
    if retention is not None:
        yield retention
    if followable is not None and dimension is not None:
        yield journey_field(followable, where, segment, dimension, resolvers.journey)
    touch_path = touch_path_field(names, metric, where, segment, dimension, resolvers.touch_path, locale)
    if touch_path is not None:
        yield touch_path
    score = score_field(names, where, resolvers.score, locale)
    if score is not None:
        yield score
    if metric is not None:
        yield _table(names, metric, dimension, shared, resolvers)
    if dimension is not None:
        yield _values(dimension, where, resolvers)
    yield _catalog(resolvers)
    yield field("viewer", ViewerInfo | None, "Who asks, as the server knows them.", resolvers.viewer)


def _metrics(answer: Any, shared: Iterable[StrawberryArgument], resolvers: Resolvers) -> StrawberryField:
    return field(
        "metrics",
        answer | None,
        "Metrics by dimensions: what is selected in `rows` decides what is computed and what it is split by.",
        resolvers.metrics,
        [*shared, argument("key", str | None, _KEY)],
    )


def _table(
    names: Vocabulary, metric: Any, dimension: Any, shared: Iterable[StrawberryArgument], resolvers: Resolvers
) -> StrawberryField:
    arguments = [argument("metrics", list[metric], "What is computed.")]
    if dimension is not None:
        arguments.append(argument("dimensions", list[dimension] | None, "What it is split by."))
    if names.has_time:
        arguments.append(argument("grain", Grain | None, "Also split by periods of this length."))
    if any(entry.is_credited for entry in names.metrics.values()):
        said = "How credit is shared, in every metric that is of credit, instead of what the attribution says."
        arguments.append(argument("model", AttributionModel | None, said))
    return field(
        "table",
        Table | None,
        "Metrics by dimensions as columns and cells, for callers that choose names at run time.",
        resolvers.table,
        [*arguments, *shared],
    )


def _values(dimension: Any, where: Any, resolvers: Resolvers) -> StrawberryField:
    return field(
        "dimensionValues",
        list[value_type(resolvers.cell)] | None,  # type: ignore[misc]
        "The values a dimension has, most frequent first, for filter pickers.",
        resolvers.dimension_values,
        [
            argument("dimension", dimension, "The dimension."),
            argument("search", str | None, "Only values that have this text in them, in any case."),
            argument("where", where | None, "Only rows that pass this filter."),
            argument("timeRange", TimeRange | None, "Only rows of this time."),
            argument("timezone", str | None, "The IANA time zone of days; the model's when left out."),
            argument("limit", int | None, "The most values to return.", default=100),
        ],
    )


def _catalog(resolvers: Resolvers) -> StrawberryField:
    return field(
        "catalog",
        Catalog | None,
        "What can be asked: metrics, dimensions, datasets, and what can be split by what.",
        resolvers.catalog,
        [
            argument(
                "locale", str | None, "The language of labels, such as `zh-CN`; else the request's Accept-Language."
            )
        ],
    )


def _shared(where: Any, segment: Any) -> Iterable[StrawberryArgument]:
    """The arguments that `metrics` and `table` have in common."""
    yield argument("timeRange", TimeRange | None, "When, by each metric's own time; all time when left out.")
    yield argument("timezone", str | None, "The IANA time zone of days and periods; the model's when left out.")
    if where is not None:
        yield argument("where", where | None, "Only rows that pass this filter.")
    if segment is not None:
        yield argument("segments", list[segment] | None, "Only rows that pass all of these named filters.")
    yield argument("having", list[Having] | None, "Only rows of the answer that pass all of these.")
    yield argument("orderBy", list[OrderBy] | None, "The order; by the dimensions in the order selected when left out.")
    yield argument(
        "limit", int | None, "The most rows to return; null: all, up to the server's own limit.", default=1000
    )
    yield argument("offset", int | None, "How many rows to skip.", default=0)
    yield argument(
        "fill",
        bool | None,
        "A row for every period of the time range, in every group of the result: counts are 0, other metrics their "
        "`fill` or null.",
        default=False,
    )
