"""Metrics: the closed union of everything an author can define to be measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from semantic.errors import Position
from semantic.model.expression import Expression, Ref
from semantic.model.sequence import CreditTime
from semantic.model.text import NO_TEXT, Text
from semantic.time import Duration, Grain


class Aggregation(StrEnum):
    """How a simple metric folds rows into one number."""

    SUM = "sum"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    PERCENTILE = "percentile"


class Additivity(StrEnum):
    """What a metric's values may be summed over: everything, everything but time, nothing."""

    FULL = "full"
    TIME = "time"
    NONE = "none"


class Format(StrEnum):
    """How a client should show the number."""

    NUMBER = "number"
    INTEGER = "integer"
    PERCENT = "percent"
    CURRENCY = "currency"
    DURATION = "duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What every metric has. `fill`: its value where there are no rows (counts: 0). `unallocated_null`: where it
    can't be split by an asked-for dimension it is null with a warning, instead of an error.
    """

    name: str
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    format: Format = Format.NUMBER
    fill: int | float | None = None
    unallocated_null: bool = False
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple(Described):
    """An aggregate of one dataset. `expr` None counts rows. `p` in (0, 1) for percentile. `time_dimension` overrides
    the dataset's: a column of its own, or one that relationships lead to.
    """

    dataset: str
    agg: Aggregation
    expr: Expression | None = None
    where: Expression | None = None
    p: float | None = None
    time_dimension: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio(Described):
    """numerator / denominator, two metrics of any datasets; x / 0 is null."""

    numerator: str
    denominator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Described):
    """An expression over metrics of any datasets; its refs are metric names."""

    expr: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Cumulative(Described):
    """Another metric over a trailing window that ends with the row's period, or since a coarser period began.
    Exactly one of `window` and `grain_to_date` is set.
    """

    metric: str
    window: Duration | None = None
    grain_to_date: Grain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion(Described):
    """Share of a funnel's entities at `from_step` that reach `to_step`."""

    funnel: str
    from_step: str
    to_step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention(Described):
    """One period of a retention, over its mature cohorts.

    The rate of those who came back; or, with `value` (an expression over the return dataset), the sum of it over the
    returns of periods 0 to `period`, for each entity of the cohorts: their lifetime value so far; or, with `cost` too
    (a metric), the first period by which that value is at least the cost: the payback (null when not by `period`).
    `mature`: the period a cohort must be old enough for to count, when that is not `period` itself.
    """

    retention: str
    period: int
    value: Expression | None = None
    cost: str | None = None
    mature: int | None = None

    @property
    def mature_at(self) -> int:
        """The period a cohort must be old enough for to count."""
        return self.period if self.mature is None else self.mature


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution(Described):
    """Credit of an attribution.

    Of `value` (an expression over the conversion dataset), or of the conversions counted. `time` overrides the
    attribution's.
    """

    attribution: str
    value: Expression | None = None
    time: CreditTime | None = None


Metric = Simple | Ratio | Derived | Cumulative | Conversion | Retention | Attribution
