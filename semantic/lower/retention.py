"""Retentions: cohort sizes and cells, as a report and as metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from semantic.lower.cohort_question import CohortQuestion
from semantic.lower.cohorts import COHORT, ENTITIES, cohorts, hit
from semantic.lower.leaf import CohortLeaf
from semantic.model.facts import Kind
from semantic.plan.build import conjunction
from semantic.plan.expr import NULL, ZERO, Binary, Coalesce, Col, Expr, Param
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Plan, Project, Sort
from semantic.plan.operators import BinaryOp
from semantic.query.bind import range_or_days
from semantic.query.bound import BoundQuery, BoundRetention, Key, TimeKey
from semantic.query.cells import cell, last_mature
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
    )
    names = ("cohort", *(key.name for key in bound.dimensions))
    keys = (("cohort", Col(COHORT)), *((key.name, Col(key.name)) for key in bound.dimensions))
    counts = [("size", Agg(Fold.SUM, Col(ENTITIES)))]
    counts += [(f"cell{item.number}", Agg(Fold.SUM, Col(ENTITIES), hit(item))) for item in bound.cells]
    plan = Aggregate(cohorts(asked), keys, tuple(counts))
    named: list[tuple[str, Expr]] = [(name, Col(name)) for name in names]
    named += [(name, Coalesce((Col(name), ZERO))) for name, _ in counts]
    return Sort(Project(plan, tuple(named)), tuple((name, False) for name in names))


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
        bound, leaf = self.bound, self.items[0][0]
        units: tuple[Key, ...] = () if unit is None else (TimeKey(*unit),)
        numbers = dict.fromkeys(leaf.period for leaf, _ in self.items)
        asked = CohortQuestion(
            view=bound,
            definition=leaf.retention,
            cells=tuple(cell(leaf.retention, number) for number in numbers),
            keys=(*units, *keys),
            days=self._days(),
            start=self.start,
            end=self.end,
            through=bound.data_through,
            where=tuple(where for where in (bound.where, leaf.where) if where is not None),
            segments=bound.segments,
        )
        by = tuple((key.name, Col(key.name)) for key in (*units, *keys))
        return Aggregate(cohorts(asked), by, tuple((name, self._count(leaf)) for leaf, name in self.items))

    def _days(self) -> tuple[date, date]:
        """The local days that cohort events can lie on."""
        first, last = self.bound.days or _NO_DAYS
        if self.start is not None:
            first = max(first, to_local(self.start, self.bound.zone).date())
        if self.end is not None:
            last = min(last, to_local(self.end - timedelta(microseconds=1), self.bound.zone).date())
        return first, max(first, last)

    def _count(self, leaf: CohortLeaf) -> Agg:
        through = self.bound.data_through
        if through is None:
            return Agg(Fold.SUM, NULL)
        asked = cell(leaf.retention, leaf.period)
        last = last_mature(leaf.retention, asked, through, self.bound.week_start)
        mature = Binary(BinaryOp.LTE, Col(COHORT), Param(last, Kind.DATE))
        where = conjunction([mature, *([hit(asked)] if leaf.returned else [])])
        return Agg(Fold.SUM, Col(ENTITIES), where)
