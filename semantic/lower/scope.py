"""A dataset as expressions see it: author's names and dimensions → plan expressions, and the joins these need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from semantic.errors import DataError
from semantic.lower import shifts
from semantic.model.dataset import Dataset, Relationship
from semantic.model.expression import Expression, Ref
from semantic.model.facts import Bounds, DatasetFacts, Facts, Kind
from semantic.model.model import Model
from semantic.model.reach import reachable
from semantic.plan.expr import NULL, All, Authored, Binary, Case, Cast, Coalesce, Col, Expr, Param, Truncate
from semantic.plan.node import Join, JoinKind, Plan, Scan
from semantic.plan.operators import BinaryOp
from semantic.query.bound import DimensionKey
from semantic.query.kind import column_kinds, expression_kind
from semantic.time import Grain, Weekday, day_begin, to_local, zone

ARROW = "→"
"""Between the relationships of a way and its column."""

_WIDE = Bounds(datetime(1970, 1, 1), datetime(2100, 1, 1))
_CALENDAR: Mapping[Kind, tuple[date, date]] = {
    Kind.DATE: (date(1, 1, 2), date(9999, 12, 30)),
    Kind.TIMESTAMP: (datetime(1, 1, 3), datetime(9999, 12, 30)),
    Kind.TIMESTAMPTZ: (datetime(1, 1, 3), datetime(9999, 12, 30)),
}
"""The first and the last value that bounds are made of (engine/bounds.py)."""
_NO_BOUNDS = Bounds(datetime(1970, 1, 1), datetime(1970, 1, 2))


@dataclass(frozen=True, slots=True)
class Scope:
    """One dataset at one set of facts, seen in one time zone.

    Columns of the dataset keep their names; those reached by relationships are named by the way: `buyer→member_level`.
    """

    model: Model
    facts: Facts
    dataset: Dataset
    zone: ZoneInfo
    week_start: Weekday

    @property
    def own(self) -> DatasetFacts:
        """The dataset's own facts."""
        return self.facts.datasets[self.dataset.name]

    def column(self, ref: Ref) -> Expr:
        """What an author's name stands for: a column, or a related dataset's dimension of that name."""
        if ref.path:
            target = self.model.datasets[self.model.relationships[ref.path[-1]].to_dataset]
            for dimension in target.dimensions:
                if dimension.name == ref.name:
                    return self.authored(dimension.expr, ref.path)
        return Col(_joined(ref))

    def authored(self, expression: Expression, path: tuple[str, ...] = ()) -> Expr:
        """An author's expression of the dataset (or, with a path, of the one it leads to) over this scope's columns."""
        names = tuple((ref, self._resolve(ref, path)) for ref in expression.refs)
        if len(names) == 1 and expression.sql == _quoted(names[0][0]):
            return names[0][1]
        return Authored(expression, names)

    def _resolve(self, ref: Ref, path: tuple[str, ...]) -> Expr:
        whole = Ref((*path, *ref.path), ref.name)
        return self.column(whole) if ref.path else Col(_joined(whole))

    def dimension(self, name: str, kind: Kind) -> Expr:
        """A dimension's values, of the kind they are served as."""
        reached = reachable(self.model, self.dataset.name)[name]
        expr = self.authored(reached.dimension.expr, reached.refs)
        if reached.dimension.newness:
            return self._newness(expr)
        at = reached.path[-1].to_dataset if reached.path else self.dataset.name
        native = expression_kind(reached.dimension.expr, column_kinds(self.model, self.facts, at))
        if native is kind:
            return expr
        if native in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ) and kind in (Kind.DATE, Kind.TIMESTAMPTZ):
            bounds = self._bounds(reached.dimension.expr, at)
            utc = self.to_utc(expr, native, self.model.datasets[at], bounds)
            return Cast(self.to_local(utc, bounds), Kind.DATE) if kind is Kind.DATE else Cast(utc, kind)
        return Cast(expr, kind)

    def _newness(self, first_day: Expr) -> Expr:
        """Whether a row lies on the first day of who it leads to or later; null before, and where it is unknown."""
        column = self.dataset.time_dimension
        assert column is not None, "rows without time have no such dimension"
        day = self.time(column, None).day
        new = (Binary(BinaryOp.EQ, day, first_day), Param("new", Kind.STRING))
        returning = (Binary(BinaryOp.GT, day, first_day), Param("returning", Kind.STRING))
        return Case((new, returning), NULL)

    def _bounds(self, expression: Expression, dataset: str) -> Bounds:
        """Between which instants the values of an expression lie: those of a column are known, where there are any."""
        if len(expression.refs) == 1 and expression.sql == _quoted(expression.refs[0]):
            return self.facts.datasets[dataset].bounds.get(expression.refs[0].name, _WIDE)
        return _WIDE

    def instant(self, expr: Expr, expression: Expression) -> Expr:
        """An author's zone-less timestamp as the instant it is; anything else as it is."""
        native = expression_kind(expression, column_kinds(self.model, self.facts, self.dataset.name))
        if native is not Kind.TIMESTAMP:
            return expr
        return Cast(self.to_utc(expr, native, self.dataset, _WIDE), Kind.TIMESTAMPTZ)

    def to_utc(self, expr: Expr, native: Kind, dataset: Dataset, bounds: Bounds) -> Expr:
        """A timestamp as naive UTC, whatever zone its dataset keeps it in."""
        if native is Kind.TIMESTAMPTZ:
            return Cast(expr, Kind.TIMESTAMP)
        if native is Kind.DATE or dataset.timezone == "UTC":
            return expr
        return shifts.shifted(expr, shifts.to_utc(zone(dataset.timezone), bounds))

    def to_local(self, utc: Expr, bounds: Bounds | None) -> Expr:
        """Naive UTC → naive local wall time of the scope's zone. Without bounds, right for 1970 to 2100."""
        return shifts.shifted(utc, shifts.to_local(self.zone, bounds or _WIDE))

    def key(self, key: DimensionKey) -> Expr:
        """The values of a dimension key, bucketed when it has a grain."""
        if key.grain is None:
            return self.dimension(key.dimension, key.kind)
        if key.grain.is_clock:
            reached = reachable(self.model, self.dataset.name)[key.dimension]
            at = reached.path[-1].to_dataset if reached.path else self.dataset.name
            utc = Cast(self.dimension(key.dimension, Kind.TIMESTAMPTZ), Kind.TIMESTAMP)
            return self.clock_bucket(utc, key.grain, self._bounds(reached.dimension.expr, at))
        day = self.dimension(key.dimension, Kind.DATE)
        return day if key.grain is Grain.DAY else Truncate(day, key.grain, self.week_start)

    def clock_bucket(self, utc: Expr, grain: Grain, bounds: Bounds | None) -> Expr:
        """The instant at which the local hour or minute of a naive UTC timestamp begins, as TIMESTAMPTZ."""
        return Cast(shifts.bucket(utc, grain, shifts.to_local(self.zone, bounds or _WIDE)), Kind.TIMESTAMPTZ)

    def period(self, utc: Expr, grain: Grain, bounds: Bounds | None) -> Expr:
        """The period that a naive UTC timestamp is in: its first local day; for clock grains, as `clock_bucket`."""
        if grain.is_clock:
            return self.clock_bucket(utc, grain, bounds)
        day = Cast(self.to_local(utc, bounds), Kind.DATE)
        return day if grain is Grain.DAY else Truncate(day, grain, self.week_start)

    def time(self, column: str, bounds: Bounds | None, path: tuple[str, ...] = ()) -> Time:
        """A time column, the dataset's own or one that relationships lead to, ready to be bucketed and compared.

        `bounds`: of the rows that will be read.
        """
        at = self.model.datasets[self.model.relationships[path[-1]].to_dataset] if path else self.dataset
        known = self.facts.datasets[at.name]
        native = known.columns.get(column, Kind.TIMESTAMP)
        return Time(self, _joined(Ref(path, column)), native, bounds or known.bounds.get(column) or _NO_BOUNDS, at)

    def relation(self, exprs: Iterable[str]) -> Plan:
        """The dataset's rows with the columns named, joined many-to-one with whatever relationships these need."""
        wanted = {self._way(name) for name in exprs}
        begun = {path[:length] for path, _ in wanted for length in range(1, len(path) + 1)}
        paths = sorted(begun, key=lambda path: (len(path), path))
        for path in paths:
            for source, target in self.model.relationships[path[-1]].columns:
                wanted |= {(path[:-1], source), (path, target)}
        plan: Plan = Scan(self.dataset.name, _columns_at(wanted, ()))
        for path in paths:
            relationship = self.model.relationships[path[-1]]
            self._check_to_one(relationship)
            prefix = ARROW.join(path) + ARROW
            right = Scan(relationship.to_dataset, _columns_at(wanted, path), prefix)
            on = tuple((ARROW.join((*path[:-1], source)), prefix + target) for source, target in relationship.columns)
            plan = Join(plan, right, JoinKind.LEFT, on)
        return plan

    def few_values(self, name: str) -> tuple[str | int | bool, ...] | None:
        """All values of a column but null, where it is known to have few."""
        path, column = self._way(name)
        at = self.model.relationships[path[-1]].to_dataset if path else self.dataset.name
        return self.facts.datasets[at].values.get(column)

    def few_values_of(self, expr: Expr) -> tuple[str | int | bool, ...] | None:
        """All values of a dimension but null, where its column is known to have few; what stands for none is one."""
        match expr:
            case Col(name):
                return self.few_values(name)
            case Coalesce((Col(name), Param(str() | bool() | int() as default))):
                known = self.few_values(name)
                return None if known is None else tuple(dict.fromkeys((*known, default)))
            case _:
                return None

    def _way(self, name: str) -> tuple[tuple[str, ...], str]:
        """The relationships that a name begins with, and the column, which may have an arrow of its own."""
        steps, path, here = name.split(ARROW), list[str](), self.dataset.name
        while len(steps) > 1:
            relationship = self.model.relationships.get(steps[0])
            if relationship is None or relationship.from_dataset != here:
                break
            path.append(steps.pop(0))
            here = relationship.to_dataset
        return tuple(path), ARROW.join(steps)

    def _check_to_one(self, relationship: Relationship) -> None:
        """Many rows may lead to one, never one to many: that would count rows several times. DataError."""
        target = self.model.datasets[relationship.to_dataset]
        columns = tuple(column for _, column in relationship.columns)
        keys = {target.primary_key, *self.facts.datasets[target.name].unique_keys}
        if not any(key and set(key) <= set(columns) for key in keys):
            raise DataError(
                f'Relationship "{relationship.name}" leads to several rows of "{target.name}" for one value of '
                f"{', '.join(columns)}: numbers would be counted more than once.",
                f'Declare the primary_key of "{target.name}", or remove the repeated rows.',
            )


@dataclass(frozen=True, slots=True)
class Time:
    """A time column in a scope: its local day, its buckets, and comparisons that a scan can prune by. `dataset`: whose
    column it is.
    """

    scope: Scope
    name: str
    native: Kind
    bounds: Bounds
    dataset: Dataset

    @property
    def column(self) -> Expr:
        """The column. What is in no calendar, such as infinity, is not set: it has no day."""
        whole = Col(self.name)
        if self.name.rpartition(ARROW)[2] not in self.scope.facts.datasets[self.dataset.name].beyond:
            return whole
        low, high = (Param(edge, self.native) for edge in _CALENDAR[self.native])
        return Case(((All((Binary(BinaryOp.GTE, whole, low), Binary(BinaryOp.LTE, whole, high))), whole),), NULL)

    @property
    def utc(self) -> Expr:
        """Naive UTC (a date stays a local date)."""
        return self.scope.to_utc(self.column, self.native, self.dataset, self.bounds)

    @property
    def day(self) -> Expr:
        """The local day."""
        if self.native is Kind.DATE:
            return self.column
        if self.native is Kind.TIMESTAMP and self.dataset.timezone == self.scope.zone.key:
            return Cast(self.column, Kind.DATE)
        return Cast(self.scope.to_local(self.utc, self.bounds), Kind.DATE)

    def bucket(self, grain: Grain) -> Expr:
        """The period's first local day; for clock grains, the instant (as TIMESTAMPTZ) at which it begins."""
        if not grain.is_clock:
            return self.day if grain is Grain.DAY else Truncate(self.day, grain, self.scope.week_start)
        return self.scope.clock_bucket(self.utc, grain, self.bounds)

    @property
    def instant(self) -> Expr:
        """Naive UTC; a date stands at its local midnight."""
        if self.native is not Kind.DATE:
            return self.utc
        return shifts.shifted(Cast(self.column, Kind.TIMESTAMP), shifts.to_utc(self.scope.zone, self.bounds))

    def since(self, instant: datetime) -> Expr:
        """At or after an instant (naive UTC)."""
        return self._compare(BinaryOp.GTE, instant)

    def before(self, instant: datetime) -> Expr:
        """Before an instant (naive UTC)."""
        return self._compare(BinaryOp.LT, instant)

    def _compare(self, op: BinaryOp, instant: datetime) -> Expr:
        if self.native is Kind.DATE:
            day = to_local(instant, self.scope.zone).date()
            while day_begin(day, self.scope.zone) < instant:
                day += timedelta(days=1)
            return Binary(op, Col(self.name), Param(day, Kind.DATE))
        if self.native is Kind.TIMESTAMPTZ:
            return Binary(op, Col(self.name), Param(instant, Kind.TIMESTAMPTZ))
        return Binary(op, self.utc, Param(instant, Kind.TIMESTAMP))


def _joined(ref: Ref) -> str:
    return ARROW.join((*ref.path, ref.name))


def _quoted(ref: Ref) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in (*ref.path, ref.name))


def _columns_at(wanted: Iterable[tuple[tuple[str, ...], str]], path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({column for at, column in wanted if at == path}))
