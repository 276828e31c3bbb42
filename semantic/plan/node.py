"""The relational algebra every metric is lowered to: a closed union of frozen nodes.

A node answers `inputs`, `with_inputs` and `output` (its column names, in order), and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from semantic.model.facts import Kind
from semantic.plan.expr import Expr
from semantic.plan.fold import Agg
from semantic.plan.spec import MatchSpec
from semantic.query.query import Scalar
from semantic.time import Grain


@dataclass(frozen=True, slots=True)
class Scan:
    """Columns of a dataset's rows. Each column is output as `prefix` + name; the prefix tells two uses of one dataset
    apart.

    `distinct_on`: keep one row for each value of these columns, the first by `order` (nulls last); empty: rows are
    distinct already. Rows with a null among `distinct_on` are all kept.
    """

    dataset: str
    columns: tuple[str, ...]
    prefix: str = ""
    distinct_on: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[Plan, ...]:
        """None."""
        return ()

    def with_inputs(self, inputs: tuple[Plan, ...]) -> Scan:
        """Itself."""
        assert not inputs
        return self

    @property
    def output(self) -> tuple[str, ...]:
        """The prefixed column names."""
        return tuple(self.prefix + column for column in self.columns)


@dataclass(frozen=True, slots=True)
class Expansion:
    """Turns each row of a spine into one row, `name`, for every `unit` in [start, end), two of its columns."""

    start: str
    end: str
    unit: Grain
    name: str


@dataclass(frozen=True, slots=True)
class Spine:
    """A table of given values: periods. With `expansion`, its two bounds are replaced by the units between them."""

    columns: tuple[tuple[str, Kind], ...]
    rows: tuple[tuple[Scalar, ...], ...]
    expansion: Expansion | None = None

    @property
    def inputs(self) -> tuple[Plan, ...]:
        """None."""
        return ()

    def with_inputs(self, inputs: tuple[Plan, ...]) -> Spine:
        """Itself."""
        assert not inputs
        return self

    @property
    def output(self) -> tuple[str, ...]:
        """Its columns; expanded: without the bounds, with the unit."""
        names = tuple(name for name, _ in self.columns)
        if self.expansion is None:
            return names
        bounds = (self.expansion.start, self.expansion.end)
        return (*(name for name in names if name not in bounds), self.expansion.name)


@dataclass(frozen=True, slots=True)
class Filter:
    """Rows where `where` is true."""

    input: Plan
    where: Expr

    @property
    def inputs(self) -> tuple[Plan, ...]:
        """One."""
        return (self.input,)

    def with_inputs(self, inputs: tuple[Plan, ...]) -> Filter:
        """The same over another input."""
        (only,) = inputs
        return replace(self, input=only)

    @property
    def output(self) -> tuple[str, ...]:
        """The input's columns."""
        return self.input.output


@dataclass(frozen=True, slots=True)
class Project:
    """New columns computed from each row."""

    input: Plan
    columns: tuple[tuple[str, Expr], ...]

    @property
    def inputs(self) -> tuple[Plan, ...]:
        """One."""
        return (self.input,)

    def with_inputs(self, inputs: tuple[Plan, ...]) -> Project:
        """The same over another input."""
        (only,) = inputs
        return replace(self, input=only)

    @property
    def output(self) -> tuple[str, ...]:
        """The new columns."""
        return tuple(name for name, _ in self.columns)


class JoinKind(StrEnum):
    """LEFT keeps every left row, INNER only matches; CROSS pairs all (no condition)."""

    LEFT = "left"
    INNER = "inner"
    CROSS = "cross"


@dataclass(frozen=True, slots=True)
class Join:
    """Left and right rows where the paired columns are equal (`null_safe`: null equals null). The columns of both sides
    have different names.
    """

    left: Plan
    right: Plan
    kind: JoinKind
    on: tuple[tuple[str, str], ...] = ()
    null_safe: bool = False

    @property
    def inputs(self) -> tuple[Plan, ...]:
        """Left, right."""
        return (self.left, self.right)

    def with_inputs(self, inputs: tuple[Plan, ...]) -> Join:
        """The same over other inputs."""
        left, right = inputs
        return replace(self, left=left, right=right)

    @property
    def output(self) -> tuple[str, ...]:
        """Left's columns, then right's."""
        return (*self.left.output, *self.right.output)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One row for each value of the keys (no keys: exactly one row; no aggregates: the distinct keys)."""

    input: Plan
    keys: tuple[tuple[str, Expr], ...]
    aggregates: tuple[tuple[str, Agg], ...]

    @property
    def inputs(self) -> tuple[Plan, ...]:
        """One."""
        return (self.input,)

    def with_inputs(self, inputs: tuple[Plan, ...]) -> Aggregate:
        """The same over another input."""
        (only,) = inputs
        return replace(self, input=only)

    @property
    def output(self) -> tuple[str, ...]:
        """Keys, then aggregates."""
        return (*(name for name, _ in self.keys), *(name for name, _ in self.aggregates))


@dataclass(frozen=True, slots=True)
class Match:
    """Per entity, its events in time order → the funnel attempts found in them (semantics.md §1).

    The input's columns `time` (naive UTC) and `mask` (bits: the steps, then `opens`, exclusions, `passive`), and when
    named `code` and `period` (numbers of the event), say what each event is; `held` the number of the value that all
    steps of its attempt share (0: not known, it fills none); `keys` say whose it is. Output: the keys, then for each
    chosen attempt `code` and `period` of its opening event, `depth` (steps filled; negative: an exclusion removes the
    entity), and with `times` the instants t1 … of the steps (microseconds since 1970; null beyond the depth).
    """

    input: Plan
    keys: tuple[str, ...]
    spec: MatchSpec

    @property
    def inputs(self) -> tuple[Plan, ...]:
        """One."""
        return (self.input,)

    def with_inputs(self, inputs: tuple[Plan, ...]) -> Match:
        """The same over another input."""
        (only,) = inputs
        return replace(self, input=only)

    @property
    def output(self) -> tuple[str, ...]:
        """The keys and the attempt's columns."""
        times = tuple(f"t{step + 1}" for step in range(self.spec.steps)) if self.spec.times else ()
        return (*self.keys, "code", "period", "depth", *times)


@dataclass(frozen=True, slots=True)
class Union:
    """The rows of all inputs, which have the same columns in the same order; equal rows are all kept."""

    members: tuple[Plan, ...]

    @property
    def inputs(self) -> tuple[Plan, ...]:
        """All members."""
        return self.members

    def with_inputs(self, inputs: tuple[Plan, ...]) -> Union:
        """The same over other members."""
        return Union(inputs)

    @property
    def output(self) -> tuple[str, ...]:
        """The members' columns."""
        return self.members[0].output


@dataclass(frozen=True, slots=True)
class Sort:
    """Rows in order (nulls last either way), then a part of them: `limit` rows after `offset`."""

    input: Plan
    by: tuple[tuple[str, bool], ...]
    limit: int | None = None
    offset: int = 0

    @property
    def inputs(self) -> tuple[Plan, ...]:
        """One."""
        return (self.input,)

    def with_inputs(self, inputs: tuple[Plan, ...]) -> Sort:
        """The same over another input."""
        (only,) = inputs
        return replace(self, input=only)

    @property
    def output(self) -> tuple[str, ...]:
        """The input's columns."""
        return self.input.output


Plan = Scan | Spine | Filter | Project | Join | Aggregate | Match | Union | Sort
