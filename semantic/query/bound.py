"""A bound query: names replaced by definitions, dates absolute. All errors of the user end where one is made (bind)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from semantic.model.dataset import Dataset
from semantic.model.facts import Facts, Kind
from semantic.model.metric import Attribution, Metric
from semantic.model.model import Model
from semantic.model.score import ScoreDefinition
from semantic.model.sequence import AttributionDefinition, AttributionModel, Funnel, RetentionDefinition
from semantic.query.cells import Cell
from semantic.query.funnel import FunnelReport
from semantic.query.journey import JourneyReport
from semantic.query.period import Span
from semantic.query.query import Comparison, Condition, Having, OrderBy
from semantic.query.score import ScoreReport
from semantic.query.warning import QueryWarning
from semantic.time import Duration, Grain, Weekday


@dataclass(frozen=True, slots=True)
class Frame:
    """Which rows a value is of, seen from its period: shifted back by `offset`, then a trailing `window`, or everything
    since the period of `to_date` began. Nothing set: the period itself.
    """

    offset: Duration | None = None
    window: Duration | None = None
    to_date: Grain | None = None

    @property
    def is_plain(self) -> bool:
        """True when values are of the period itself."""
        return self == PLAIN


PLAIN = Frame()


@dataclass(frozen=True, slots=True)
class TimeKey:
    """Rows are split by the period of each metric's own time."""

    name: str
    grain: Grain

    @property
    def kind(self) -> Kind:
        """Dates; instants for clock grains."""
        return Kind.TIMESTAMPTZ if self.grain.is_clock else Kind.DATE


@dataclass(frozen=True, slots=True)
class DimensionKey:
    """Rows are split by a dimension; `grain` buckets a date or time dimension."""

    name: str
    dimension: str
    kind: Kind
    grain: Grain | None = None


Key = TimeKey | DimensionKey


@dataclass(frozen=True, slots=True)
class BoundMetric:
    """One asked-for number. `absent`: it can't be split as asked and its author chose null for that. `model`: of
    the attributions in it, instead of their own.
    """

    key: str
    metric: Metric
    kind: Kind
    frame: Frame = PLAIN
    where: Condition | None = None
    comparison: Comparison = Comparison.VALUE
    absent: bool = False
    model: AttributionModel | None = None


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """`output`: the response keys in order. `span`: the time range (None: all time). `days`: the first and last local
    day with data over the query's datasets (None: no data, or no time).
    """

    model: Model
    facts: Facts
    output: tuple[str, ...]
    keys: tuple[Key, ...]
    metrics: tuple[BoundMetric, ...]
    zone: ZoneInfo
    week_start: Weekday
    span: Span | None
    days: tuple[date, date] | None
    data_through: date | None
    where: Condition | None
    segments: tuple[str, ...]
    having: tuple[Having, ...]
    order_by: tuple[OrderBy, ...]
    limit: int | None
    offset: int
    fill: bool
    count_rows: bool
    warnings: tuple[QueryWarning, ...]

    @property
    def time_keys(self) -> tuple[TimeKey, ...]:
        """The keys that are periods, in order."""
        return tuple(key for key in self.keys if isinstance(key, TimeKey))


@dataclass(frozen=True, slots=True)
class BoundValues:
    """A bound question for a dimension's values: `datasets` are those that have it and everything `where` names."""

    model: Model
    facts: Facts
    dimension: str
    kind: Kind
    datasets: tuple[str, ...]
    zone: ZoneInfo
    week_start: Weekday
    span: Span | None
    where: Condition | None
    search: str | None
    limit: int
    data_through: date | None = None
    warnings: tuple[QueryWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class BoundFunnel:
    """A bound question about a funnel. `filters`: of an ad-hoc funnel's steps, in order. `step`: from 1."""

    model: Model
    facts: Facts
    funnel: Funnel
    filters: tuple[Condition | None, ...]
    report: FunnelReport
    zone: ZoneInfo
    week_start: Weekday
    span: Span | None
    days: tuple[date, date] | None
    data_through: date | None
    where: Condition | None
    segments: tuple[str, ...]
    dimensions: tuple[DimensionKey, ...]
    grain: Grain | None
    times: bool
    step: int
    buckets: int
    limit: int
    offset: int
    warnings: tuple[QueryWarning, ...]


@dataclass(frozen=True, slots=True)
class BoundRetention:
    """A bound question about a retention."""

    model: Model
    facts: Facts
    definition: RetentionDefinition
    cells: tuple[Cell, ...]
    zone: ZoneInfo
    week_start: Weekday
    span: Span | None
    days: tuple[date, date] | None
    data_through: date | None
    where: Condition | None
    segments: tuple[str, ...]
    dimensions: tuple[DimensionKey, ...]
    warnings: tuple[QueryWarning, ...]


@dataclass(frozen=True, slots=True)
class BoundLifecycle:
    """A bound question about a lifecycle."""

    model: Model
    facts: Facts
    definition: RetentionDefinition
    grain: Grain
    zone: ZoneInfo
    week_start: Weekday
    span: Span | None
    days: tuple[date, date] | None
    data_through: date | None
    where: Condition | None
    segments: tuple[str, ...]
    warnings: tuple[QueryWarning, ...]


@dataclass(frozen=True, slots=True)
class BoundJourney:
    """A bound question about journeys. `within`, `gap`: seconds. `by`: what events are called."""

    model: Model
    facts: Facts
    dataset: Dataset
    entity: str
    by: DimensionKey
    anchor: Condition
    backward: bool
    report: JourneyReport
    steps: int
    zone: ZoneInfo
    week_start: Weekday
    span: Span | None
    data_through: date | None
    where: Condition | None
    segments: tuple[str, ...]
    within: int
    gap: int | None
    repeats: bool
    limit: int
    warnings: tuple[QueryWarning, ...]


@dataclass(frozen=True, slots=True)
class BoundScore:
    """A bound question about a score's entities. `as_of`: the last day taken into account; None: there is no data."""

    model: Model
    facts: Facts
    definition: ScoreDefinition
    report: ScoreReport
    entities: tuple[str, ...]
    zone: ZoneInfo
    week_start: Weekday
    span: Span | None
    data_through: date | None
    as_of: date | None
    where: Condition | None
    limit: int
    offset: int
    warnings: tuple[QueryWarning, ...]


@dataclass(frozen=True, slots=True)
class BoundTouchPaths:
    """A bound question about touch paths. `by`: what touches are called. `metric`: whose value is summed, of a kind."""

    model: Model
    facts: Facts
    definition: AttributionDefinition
    by: DimensionKey
    metric: Attribution | None
    value_kind: Kind | None
    steps: int
    repeats: bool
    zone: ZoneInfo
    week_start: Weekday
    span: Span | None
    data_through: date | None
    where: Condition | None
    segments: tuple[str, ...]
    limit: int
    warnings: tuple[QueryWarning, ...]


Sequences = BoundFunnel | BoundRetention | BoundLifecycle | BoundJourney | BoundTouchPaths
"""Questions about somebody's events in time."""

Bound = BoundQuery | BoundValues | Sequences | BoundScore
"""Every question, bound."""
