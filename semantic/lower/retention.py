"""Retentions: cohort sizes and cells, as a report and as metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from semantic.lower.cohort_events import ENTITY
from semantic.lower.cohort_question import CohortQuestion
from semantic.lower.cohorts import (
    COHORT,
    ENTITIES,
    INDEX,
    OTHER,
    RETURNED,
    SEEN,
    cohort_entities,
    cohorts,
    count,
    hit,
    periods_after,
    valued_returns,
)
from semantic.lower.leaf import CohortLeaf, ValueLeaf
from semantic.model.facts import Kind
from semantic.model.sequence import RetentionDefinition
from semantic.plan.build import conjunction
from semantic.plan.expr import NULL, ZERO, Binary, Case, Coalesce, Col, Const, Expr, Param
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Join, JoinKind, Plan, Project, Sort
from semantic.plan.operators import BinaryOp
from semantic.query.bind import least_through, range_or_days
from semantic.query.bound import BoundQuery, BoundRetention, Key, TimeKey
from semantic.query.cells import Cell, cell, last_mature
from semantic.time import Grain, to_local


def lower_retention(bound: BoundRetention) -> Plan:
    """The plan of a question about a retention; its columns are those that RetentionQuery documents."""
    span = range_or_days(bound.span, bound.days, bound.zone)
    asked = CohortQuestion(
        view=bound,
        definition=bound.definition,
        cells=bound.cells,
        keys=bound.dimensions,
        days=(span.first_day, span.last_day) if span else _NO_DAYS,
        start=bound.span.start if bound.span else None,
        end=bound.span.end if bound.span else None,
        through=bound.data_through,
        where=() if bound.where is None else (bound.where,),
        segments=bound.segments,
        so_far=True,
    )
    names = ("cohort", *(key.name for key in bound.dimensions))
    keys = (("cohort", Col(COHORT)), *((key.name, Col(key.name)) for key in bound.dimensions))
    counts = [("size", Agg(Fold.SUM, Col(ENTITIES)))]
    counts += [(f"cell{item.number}", _returned(bound, item)) for item in bound.cells]
    plan = Aggregate(cohorts(asked), keys, tuple(counts))
    named: list[tuple[str, Expr]] = [(name, Col(name)) for name in names]
    named += [(name, Coalesce((Col(name), ZERO))) for name, _ in counts]
    return Sort(Project(plan, tuple(named)), tuple((name, False) for name in names))


def _returned(bound: BoundRetention, asked: Cell) -> Agg:
    """How many count for a cell, of which an open-ended one sees no day beyond the complete ones once it is final."""
    if asked.high is not None:
        return count(asked)
    seen = hit(asked)
    if bound.data_through is not None:
        seen = Case(((_mature(bound, bound.definition, asked, bound.data_through), seen),), hit(asked, SEEN))
    return Agg(Fold.SUM, Col(ENTITIES), seen)


_DAY = date(1970, 1, 1)
_NO_DAYS = (_DAY, _DAY)


@dataclass(frozen=True, slots=True)
class RetentionReading:
    """Cells of one retention with one filter, pooled over the cohorts whose events lie between two instants."""

    bound: BoundQuery
    items: tuple[tuple[CohortLeaf, str], ...]
    start: datetime | None
    end: datetime | None

    def by(self, keys: tuple[Key, ...], unit: tuple[str, Grain] | None = None) -> Plan:
        """Entities of the mature cohorts, or those of them that came back, by keys of the cohort event."""
        leaf = self.items[0][0]
        units: tuple[Key, ...] = () if unit is None else (TimeKey(*unit),)
        numbers = dict.fromkeys(leaf.period for leaf, _ in self.items)
        looked_at = tuple(cell(leaf.retention, number) for number in numbers)
        asked = _question(self.bound, leaf, (*units, *keys), looked_at, self.start, self.end)
        by = tuple((key.name, Col(key.name)) for key in (*units, *keys))
        return Aggregate(cohorts(asked), by, tuple((name, self._count(leaf)) for leaf, name in self.items))

    def _count(self, leaf: CohortLeaf) -> Agg:
        through = _through(self.bound, leaf.retention)
        if through is None:
            return Agg(Fold.SUM, NULL)
        asked = cell(leaf.retention, leaf.period)
        mature = _mature(self.bound, leaf.retention, cell(leaf.retention, leaf.mature), through)
        where = conjunction([mature, *([hit(asked)] if leaf.returned else [])])
        return Agg(Fold.SUM, Col(ENTITIES), where)


@dataclass(frozen=True, slots=True)
class ValueReading:
    """Values of one retention with one filter: sums over the returns of mature cohorts, from the cohort's period on."""

    bound: BoundQuery
    items: tuple[tuple[ValueLeaf, str], ...]
    start: datetime | None
    end: datetime | None

    def by(self, keys: tuple[Key, ...], unit: tuple[str, Grain] | None = None) -> Plan:
        """The sums by keys of the cohort event."""
        leaf = self.items[0][0]
        units: tuple[Key, ...] = () if unit is None else (TimeKey(*unit),)
        furthest = max(leaf.period for leaf, _ in self.items)
        reach = (Cell(furthest, 0, furthest),)
        asked = _question(self.bound, leaf, (*units, *keys), reach, self.start, self.end)
        scope = asked.returns.scope
        values = tuple((f"{name}value", scope.authored(leaf.value)) for leaf, name in self.items)
        joined = Join(cohort_entities(asked), valued_returns(asked, values), JoinKind.INNER, ((ENTITY, OTHER),))
        kept: list[tuple[str, Expr]] = [(name, Col(name)) for name in joined.output if name not in (INDEX, RETURNED)]
        placed = Project(joined, (*kept, (INDEX, periods_after(asked))))
        by = tuple((key.name, Col(key.name)) for key in (*units, *keys))
        return Aggregate(placed, by, tuple((name, self._sum(leaf, f"{name}value")) for leaf, name in self.items))

    def _sum(self, leaf: ValueLeaf, column: str) -> Agg:
        through = _through(self.bound, leaf.retention)
        if through is None:
            return Agg(Fold.SUM, NULL)
        since, until = Binary(BinaryOp.GTE, Col(INDEX), ZERO), Binary(BinaryOp.LTE, Col(INDEX), Const(leaf.period))
        mature = _mature(self.bound, leaf.retention, Cell(leaf.mature, 0, leaf.mature), through)
        return Agg(Fold.SUM, Col(column), conjunction([mature, since, until]))


def _question(
    bound: BoundQuery,
    leaf: CohortLeaf | ValueLeaf,
    keys: tuple[Key, ...],
    looked_at: tuple[Cell, ...],
    start: datetime | None,
    end: datetime | None,
) -> CohortQuestion:
    return CohortQuestion(
        view=bound,
        definition=leaf.retention,
        cells=looked_at,
        keys=keys,
        days=_cohort_days(bound, start, end),
        start=start,
        end=end,
        through=_through(bound, leaf.retention),
        where=tuple(where for where in (bound.where, leaf.where) if where is not None),
        segments=bound.segments,
    )


def _through(bound: BoundQuery, retention: RetentionDefinition) -> date | None:
    """The last day that is complete in the retention's own datasets, whatever else the query reads."""
    return least_through(bound.model, (retention.cohort.dataset, retention.returns.dataset), bound.facts)


def _cohort_days(bound: BoundQuery, start: datetime | None, end: datetime | None) -> tuple[date, date]:
    """The local days that cohort events can lie on."""
    first, last = bound.days or _NO_DAYS
    if start is not None:
        first = max(first, to_local(start, bound.zone).date())
    if end is not None:
        last = min(last, to_local(end - timedelta(microseconds=1), bound.zone).date())
    return first, max(first, last)


def _mature(bound: BoundQuery | BoundRetention, retention: RetentionDefinition, asked: Cell, through: date) -> Expr:
    """The condition that a cohort's cell is final."""
    last = last_mature(retention, asked, through, bound.week_start, bound.zone)
    return Binary(BinaryOp.LTE, Col(COHORT), Param(last, Kind.DATE))
