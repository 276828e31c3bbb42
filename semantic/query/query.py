"""What was asked, names only: a plain value any door can make and any cache can hash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from semantic.model.sequence import AttributionModel
from semantic.time import Duration, Grain, Unit

Scalar = str | int | float | bool | Decimal | date | datetime | None


class Operator(StrEnum):
    """What a filter compares with. `in`, `not_in` take a tuple, `is_null` a boolean, all others one value.

    Two-valued: `ne`, `not_in` and `not` keep rows whose value is not set, so a filter and its opposite make the whole.
    """

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    IS_NULL = "is_null"


@dataclass(frozen=True, slots=True)
class Compare:
    """One dimension compared with one value (or, for in and not_in, a tuple of values)."""

    dimension: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All hold (none: true)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one holds (none: false)."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Condition


Condition = Compare | And | Or | Not


class Comparison(StrEnum):
    """What an offset field shows.

    The earlier value, the change since, or the change as a share of the earlier value.
    """

    VALUE = "value"
    CHANGE = "change"
    CHANGE_RATIO = "change_ratio"


@dataclass(frozen=True, slots=True)
class MetricField:
    """One metric under one response key, with its own filter and time arguments. `model`: of the attributions in it."""

    key: str
    metric: str
    where: Condition | None = None
    offset: Duration | None = None
    comparison: Comparison = Comparison.VALUE
    rolling: Duration | None = None
    to_date: Grain | None = None
    model: AttributionModel | None = None


@dataclass(frozen=True, slots=True)
class DimensionField:
    """One dimension under one response key; `grain` buckets a date or time dimension."""

    key: str
    dimension: str
    grain: Grain | None = None


@dataclass(frozen=True, slots=True)
class TimeField:
    """The period of each row, of the metrics' own time dimensions."""

    key: str
    grain: Grain


Field = MetricField | DimensionField | TimeField


@dataclass(frozen=True, slots=True)
class Dates:
    """Local days, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Between:
    """Instants (naive UTC), the end excluded."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Last:
    """The last complete periods, by data_through; `include_current` adds the period in progress."""

    count: int
    unit: Unit
    include_current: bool = False


TimeRange = Dates | Between | Last


@dataclass(frozen=True, slots=True)
class Having:
    """A filter on the value under a response key of the rows. Operators eq to lte, in, not_in, is_null."""

    key: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Order by a response key of the rows; nulls last either way."""

    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """Fields in response order and everything around them. `limit` None: no limit.

    A query without dimension and time fields has one row: it is how `totals` are asked for.
    `count_rows` adds the number of rows before limit and offset, as the column `__row_count`.
    """

    fields: tuple[Field, ...]
    time_range: TimeRange | None = None
    timezone: str | None = None
    where: Condition | None = None
    segments: tuple[str, ...] = ()
    having: tuple[Having, ...] = ()
    order_by: tuple[OrderBy, ...] = ()
    limit: int | None = 1000
    offset: int = 0
    fill: bool = False
    count_rows: bool = False

    @property
    def metrics(self) -> tuple[MetricField, ...]:
        """The metric fields, in order."""
        return tuple(field for field in self.fields if isinstance(field, MetricField))


ROW_COUNT = "__row_count"
"""The column that `count_rows` adds."""


Claim = Scalar | tuple[Scalar, ...]
"""What a viewer is known to have: one value, or several."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. Claims are sorted (name, value) pairs. `signed_in`: a key, a token or a proxy says who it is."""

    id: str = "anonymous"
    claims: tuple[tuple[str, Claim], ...] = ()
    signed_in: bool = False


ANONYMOUS = Viewer()
