"""Questions about a score's entities: who stands how, and how often people have bought."""

from __future__ import annotations

from typing import assert_never

from semantic.lower.cohort_events import Named
from semantic.lower.filter import condition
from semantic.lower.scope import Scope
from semantic.model.facts import Kind
from semantic.model.score import COLUMNS, WHO
from semantic.plan.build import conjunction
from semantic.plan.expr import Binary, Cast, Col, Const, Expr, InList, Param, PeriodIndex
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Plan, Project, Sort
from semantic.plan.operators import BinaryOp
from semantic.query.bound import BoundScore
from semantic.query.score import ScoreReport
from semantic.time import Grain


def lower_score(bound: BoundScore) -> Plan:
    """The plan of a question about a score; its columns are those that ScoreQuery documents."""
    match bound.report:
        case ScoreReport.ENTITIES:
            return _entities(bound)
        case ScoreReport.HISTORY:
            return _history(bound)
        case _:
            assert_never(bound.report)


def _rows(bound: BoundScore) -> Plan:
    """The score's rows that are asked for."""
    name = bound.definition.name
    scope = Scope(bound.model, bound.facts, bound.model.datasets[name], bound.zone, bound.week_start)
    found: list[Expr] = [] if bound.where is None else [condition(scope, bound.where)]
    if bound.entities:
        asked = tuple(Param(entity, Kind.STRING) for entity in bound.entities)
        found.append(InList(Cast(Col(WHO), Kind.STRING), asked))
    rows = scope.relation([name for name, _ in COLUMNS])
    where = conjunction(found)
    return rows if where is None else Filter(rows, where)


def _entities(bound: BoundScore) -> Plan:
    named: Named = tuple((name, Cast(Col(name), Kind.STRING) if name == WHO else Col(name)) for name, _ in COLUMNS)
    order = (("monetary", True), (WHO, False))
    return Sort(Project(_rows(bound), named), order, bound.limit, bound.offset)


def _history(bound: BoundScore) -> Plan:
    first, last = (PeriodIndex(Col(name), Grain.DAY) for name in ("first_day", "last_day"))
    since_last = Col("recency_days")
    whole = Binary(BinaryOp.SUBTRACT, last, first)
    by: Named = (
        ("repeats", Binary(BinaryOp.SUBTRACT, Col("purchase_days"), Const(1))),
        ("last", whole),
        ("age", Binary(BinaryOp.ADD, whole, since_last)),
    )
    counted = Aggregate(_rows(bound), by, (("count", Agg(Fold.COUNT)),))
    return Sort(counted, tuple((name, False) for name, _ in by))
