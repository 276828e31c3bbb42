"""The catalog: what can be asked, what it means, what can be split by what, and how fresh it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry

from api.schema.enums import AttributionModel, FunnelEntry, FunnelOrder, Grain
from api.schema.make import Member, enum_type
from api.schema.scalars import Day, Long, Number, Period
from semantic.model import dataset, metric

MetricType: Any = enum_type(
    "MetricType",
    {
        "SIMPLE": Member("simple", "An aggregate of one dataset."),
        "RATIO": Member("ratio", "One metric divided by another."),
        "DERIVED": Member("derived", "An expression over metrics."),
        "CUMULATIVE": Member("cumulative", "A metric over a trailing window, or since a period began."),
        "CONVERSION": Member("conversion", "The share of a funnel's entities that get from one step to another."),
        "RETENTION": Member("retention", "The rate of one period of a retention."),
        "ATTRIBUTION": Member("attribution", "Credit for conversions, given to touches."),
    },
    "How a metric is defined.",
)
Format: Any = enum_type(
    "Format",
    {
        metric.Format.NUMBER.name: Member(metric.Format.NUMBER, "A plain number."),
        metric.Format.INTEGER.name: Member(metric.Format.INTEGER, "A whole number."),
        metric.Format.PERCENT.name: Member(metric.Format.PERCENT, "A share: 0.25 is 25 %."),
        metric.Format.CURRENCY.name: Member(metric.Format.CURRENCY, "Money, in the catalog's currency."),
        metric.Format.DURATION.name: Member(metric.Format.DURATION, "Seconds."),
    },
    "How to show a number.",
)
Additivity: Any = enum_type(
    "Additivity",
    {
        metric.Additivity.FULL.name: Member(metric.Additivity.FULL, "Values may be summed over everything."),
        metric.Additivity.TIME.name: Member(metric.Additivity.TIME, "Values may be summed over everything but time."),
        metric.Additivity.NONE.name: Member(metric.Additivity.NONE, "Values may not be summed at all."),
    },
    "What a metric's values may be summed over.",
)
DimensionType: Any = enum_type(
    "DimensionType",
    {
        dataset.DimensionType.STRING.name: Member(dataset.DimensionType.STRING, "Texts."),
        dataset.DimensionType.NUMBER.name: Member(dataset.DimensionType.NUMBER, "Numbers."),
        dataset.DimensionType.BOOLEAN.name: Member(dataset.DimensionType.BOOLEAN, "true and false."),
        dataset.DimensionType.DATE.name: Member(dataset.DimensionType.DATE, "Days."),
        dataset.DimensionType.TIME.name: Member(dataset.DimensionType.TIME, "Instants."),
    },
    "What a dimension's values are.",
)


@strawberry.type(description="How fresh a dataset is.")
class Freshness:
    """What is true of a dataset's files now."""

    data_version: str = strawberry.field(description="Changes whenever the files do.")
    data_through: Day | None = strawberry.field(description="The last complete local day.")
    newest: Period | None = strawberry.field(
        description="The newest time of any row; null for viewers who may not see every row."
    )
    rows: Long | None = strawberry.field(
        description="The number of rows, estimated; null for viewers who may not see every row."
    )
    warn_after: str | None = strawberry.field(
        description="How old the newest row may be before answers carry a warning."
    )
    warnings: list[str] = strawberry.field(description="What is odd about the files.")


@strawberry.type(description="A named filter.")
class SegmentInfo:
    """A segment in the catalog."""

    name: str = strawberry.field(description="Its name in the model.")
    value: str = strawberry.field(description="Its value in the enum `Segment`.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    description: str | None = strawberry.field(description="What it keeps, in the catalog's language.")
    definition: str = strawberry.field(
        description="The filter, as the model has it; empty where that names what the viewer may not see."
    )
    datasets: list[DatasetInfo] = strawberry.field(description="The datasets it filters.")


@strawberry.type(description="A metric: a named number.")
class MetricInfo:
    """A metric in the catalog."""

    name: str = strawberry.field(description="Its name in the model.")
    field: str = strawberry.field(description="Its field of `Row`.")
    value: str = strawberry.field(description="Its value in the enum `Metric`.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    description: str | None = strawberry.field(description="What it means, in the catalog's language.")
    type: MetricType = strawberry.field(description="How it is defined.")
    scalar: str = strawberry.field(description="The scalar its values are, such as `Long`.")
    format: Format = strawberry.field(description="How to show it.")
    additivity: Additivity = strawberry.field(description="What its values may be summed over.")
    fill: Number | None = strawberry.field(description="Its value where there are no rows.")
    has_time: bool = strawberry.field(description="Whether it can be split by time.")
    definition: str = strawberry.field(
        description="How it is computed, as the model has it; empty where that names what the viewer may not see."
    )
    dimensions: list[DimensionInfo] = strawberry.field(description="What it can be split and filtered by.")
    depends_on: list[MetricInfo] = strawberry.field(description="The metrics it is computed from.")
    used_by: list[MetricInfo] = strawberry.field(description="The metrics computed from it.")
    datasets: list[DatasetInfo] = strawberry.field(description="The datasets whose rows it is computed from.")


@strawberry.type(description="A dimension: what rows can be split by.")
class DimensionInfo:
    """A dimension in the catalog."""

    name: str = strawberry.field(description="Its name in the model.")
    field: str = strawberry.field(description="Its field of `Row` and `Where`.")
    value: str = strawberry.field(description="Its value in the enum `Dimension`.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    description: str | None = strawberry.field(description="What it means, in the catalog's language.")
    type: DimensionType = strawberry.field(description="What its values are.")
    scalar: str = strawberry.field(description="The scalar its values are, such as `String`.")
    metrics: list[MetricInfo] = strawberry.field(description="The metrics that can be split by it.")
    datasets: list[DatasetInfo] = strawberry.field(description="The datasets that have it, through relationships too.")


async def _freshness(root: DatasetInfo, info: strawberry.Info) -> Freshness | None:
    """Ask the engine, only when it is selected."""
    return await root.ask(info.context)


@strawberry.type(description="A dataset: one logical table.")
class DatasetInfo:
    """A dataset in the catalog."""

    name: str = strawberry.field(description="Its name in the model.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    description: str | None = strawberry.field(description="What its rows are, in the catalog's language.")
    primary_key: list[str] = strawberry.field(description="The columns that tell rows apart.")
    time_dimension: str | None = strawberry.field(description="The column that places a row in time.")
    entities: list[str] = strawberry.field(description="Who can be counted in it.")
    dimensions: list[DimensionInfo] = strawberry.field(
        description="What its rows can be split by, through relationships too."
    )
    segments: list[SegmentInfo] = strawberry.field(description="Its named filters.")
    metrics: list[MetricInfo] = strawberry.field(description="The metrics computed from its rows.")
    ask: strawberry.Private[Callable[[Any], Awaitable[Freshness]]]
    freshness: Freshness | None = strawberry.field(
        resolver=_freshness, description="How fresh it is; null with an error when its files can't be read."
    )


@strawberry.type(description="A step of a funnel.")
class FunnelStepInfo:
    """A step of a funnel in the catalog."""

    name: str = strawberry.field(description="Its name in the model.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    definition: str | None = strawberry.field(description="The events that are this step; null: all of its dataset.")
    dataset: DatasetInfo = strawberry.field(description="Where it happens.")


@strawberry.type(description="A funnel: steps that somebody takes one after another.")
class FunnelInfo:
    """A funnel in the catalog."""

    name: str = strawberry.field(description="Its name in the model.")
    value: str = strawberry.field(description="Its value in the enum `FunnelName`.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    description: str | None = strawberry.field(description="What it is about, in the catalog's language.")
    entity: str = strawberry.field(description="Who takes the steps.")
    window: str = strawberry.field(description="The most time from step 1, such as `7 days`, or `same_day`.")
    order: FunnelOrder = strawberry.field(description="How the steps follow each other.")
    entry: FunnelEntry = strawberry.field(description="Which events open an attempt.")
    steps: list[FunnelStepInfo] = strawberry.field(description="Its steps, in order.")
    dimensions: list[DimensionInfo] = strawberry.field(description="What it can be split and filtered by.")


@strawberry.type(description="A retention: who comes back.")
class RetentionInfo:
    """A retention in the catalog."""

    name: str = strawberry.field(description="Its name in the model.")
    value: str = strawberry.field(description="Its value in the enum `RetentionName`.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    description: str | None = strawberry.field(description="What it is about, in the catalog's language.")
    entity: str = strawberry.field(description="Who comes back.")
    cohort: str = strawberry.field(description="Who is in a cohort: `first_time` or `recurring`.")
    mode: str = strawberry.field(description="Which periods count: `exact`, `within`, `on_or_after` or `bracket`.")
    grain: Grain = strawberry.field(description="The length of a period.")
    clock: str = strawberry.field(description="`calendar` periods, or time `elapsed` since the cohort event.")
    periods: int = strawberry.field(description="How many cells a cohort has when the query does not say.")
    dimensions: list[DimensionInfo] = strawberry.field(description="What it can be split and filtered by.")


@strawberry.type(description="An attribution: which touches earned a conversion.")
class AttributionInfo:
    """An attribution in the catalog."""

    name: str = strawberry.field(description="Its name in the model.")
    value: str = strawberry.field(description="Its value in the enum `AttributionName`.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    description: str | None = strawberry.field(description="What it is about, in the catalog's language.")
    entity: str = strawberry.field(description="Who converts.")
    model: AttributionModel = strawberry.field(description="How credit is shared when the query does not say.")
    lookback: str = strawberry.field(description="How long before a conversion a touch counts, such as `30 days`.")
    time: str = strawberry.field(description="When credit is: of the `conversion` or of the `touch`.")
    direct: str | None = strawberry.field(description="Touches that get credit only when there are no others.")
    conversion: DatasetInfo = strawberry.field(description="Where conversions are.")
    touch: DatasetInfo = strawberry.field(description="Where touches are.")
    dimensions: list[DimensionInfo] = strawberry.field(description="What its credit can be split and filtered by.")


@strawberry.type(description="A segment of a score: entities that belong together.")
class ScoreSegmentInfo:
    """A segment in the catalog."""

    name: str = strawberry.field(description="The value of the score's dimension.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    definition: str | None = strawberry.field(
        description="Who is in it, unless an earlier one has them; null: all others."
    )


@strawberry.type(description="A rule of a score: a reason to think that somebody is leaving.")
class ScoreRiskInfo:
    """A risk in the catalog."""

    name: str = strawberry.field(description="Its name, as in `reasons`.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    risk: str = strawberry.field(description="How strong it is: high or medium.")
    definition: str = strawberry.field(description="Whom it is about.")


@strawberry.type(description="A score: what somebody is worth, and who is leaving.")
class ScoreInfo:
    """A score in the catalog."""

    name: str = strawberry.field(description="Its name in the model.")
    value: str = strawberry.field(description="Its value in the enum `ScoreName`.")
    label: str = strawberry.field(description="For people, in the catalog's language.")
    description: str | None = strawberry.field(description="What it is about, in the catalog's language.")
    version: str = strawberry.field(description="The version of its rules and cut points.")
    entity: str = strawberry.field(description="Who is scored.")
    recency: list[float] = strawberry.field(description="Days since the last purchase; within the first scores best.")
    frequency: list[float] = strawberry.field(description="Numbers of purchases; from the last on scores best.")
    monetary: list[float] = strawberry.field(description="Amounts; from the last on scores best.")
    segments: list[ScoreSegmentInfo] = strawberry.field(description="Its segments; the first that fits counts.")
    risks: list[ScoreRiskInfo] = strawberry.field(description="Its reasons to think that somebody is leaving.")
    dataset: DatasetInfo = strawberry.field(description="Where the purchases are.")
    dimensions: list[DimensionInfo] = strawberry.field(description="What it makes of everybody, to split metrics by.")


@strawberry.type(description="What can be asked of the model.")
class Catalog:
    """The whole catalog, in one language."""

    version: str = strawberry.field(description="The version of the model.")
    locale: str | None = strawberry.field(description="The language of its labels; null: the model's default.")
    locales: list[str] = strawberry.field(description="The languages there are labels in.")
    timezone: str = strawberry.field(description="The zone of the business day.")
    week_start: str = strawberry.field(description="The first day of a week, such as `monday`.")
    currency: str | None = strawberry.field(description="The currency of metrics of that format.")
    metrics: list[MetricInfo] = strawberry.field(description="Every metric.")
    dimensions: list[DimensionInfo] = strawberry.field(description="Every dimension.")
    segments: list[SegmentInfo] = strawberry.field(description="Every named filter.")
    datasets: list[DatasetInfo] = strawberry.field(description="Every dataset.")
    funnels: list[FunnelInfo] = strawberry.field(description="Every funnel.")
    retentions: list[RetentionInfo] = strawberry.field(description="Every retention.")
    attributions: list[AttributionInfo] = strawberry.field(description="Every attribution.")
    scores: list[ScoreInfo] = strawberry.field(description="Every score.")
