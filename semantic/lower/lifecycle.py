"""The lifecycle of entities: period by period, who is new, comes back, was away, or stays away.

activity ─▶ Aggregate (entity, period) ──┬─▶ as it is: here ────────────┐
                                         ├─▶ a period later: before ────┴─▶ Union ─▶ Aggregate (entity, period)
                                         └─▶ each entity's first period ─▶ Join ─▶ Aggregate (period)
"""

from __future__ import annotations

from semantic.lower.cohort_events import ENTITY, Events, filters
from semantic.model.facts import Kind
from semantic.plan.build import conjunction
from semantic.plan.expr import NULL, ZERO, Binary, Coalesce, Col, Const, Expr, IsNotTrue, IsNull, PeriodIndex
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Join, JoinKind, Plan, Project, Sort, Spine, Union
from semantic.plan.operators import BinaryOp
from semantic.query.bind import range_or_days
from semantic.query.bound import BoundLifecycle
from semantic.query.cells import period_index
from semantic.query.lifecycle import LIFECYCLE_COUNTS
from semantic.query.period import targets

INDEX, HERE, BEFORE, FIRST, WHO, PLACE = "index#", "here#", "before#", "first#", "who#", "place#"


def lower_lifecycle(bound: BoundLifecycle) -> Plan:
    """The plan of a question about a lifecycle; its columns are those that LifecycleQuery documents."""
    activity = _activity(bound)
    states = Join(_states(activity), _firsts(activity), JoinKind.INNER, ((ENTITY, WHO),))
    counted = Aggregate(states, ((INDEX, Col(INDEX)),), _counts())
    placed = Join(_periods(bound), counted, JoinKind.LEFT, ((PLACE, INDEX),))
    named: list[tuple[str, Expr]] = [("period", Col("period"))]
    named += [(name, Coalesce((Col(name), ZERO))) for name in LIFECYCLE_COUNTS]
    return Sort(Project(placed, tuple(named)), (("period", False),))


def _activity(bound: BoundLifecycle) -> Plan:
    """Every period in which an entity is active, once."""
    events = Events(bound, bound.definition.cohort, bound.definition.entity)
    asked = () if bound.where is None else (bound.where,)
    asked_filter = filters(events.scope, asked, bound.segments)
    found = [*events.conditions(None, bound.span.end if bound.span else None)]
    found += [] if asked_filter is None else [asked_filter]
    index = PeriodIndex(events.time.day, bound.grain, bound.week_start)
    rows = events.rows(((INDEX, index),), found, as_text=False)
    return Aggregate(rows, ((ENTITY, Col(ENTITY)), (INDEX, Col(INDEX))), ())


def _states(activity: Plan) -> Plan:
    """Each entity's periods with activity now, or in the period before."""
    later = Binary(BinaryOp.ADD, Col(INDEX), Const(1))
    now = Project(activity, ((ENTITY, Col(ENTITY)), (INDEX, Col(INDEX)), (HERE, Const(1)), (BEFORE, NULL)))
    after = Project(activity, ((ENTITY, Col(ENTITY)), (INDEX, later), (HERE, NULL), (BEFORE, Const(1))))
    by = ((ENTITY, Col(ENTITY)), (INDEX, Col(INDEX)))
    folds = ((HERE, Agg(Fold.MAX, Col(HERE))), (BEFORE, Agg(Fold.MAX, Col(BEFORE))))
    return Aggregate(Union((now, after)), by, folds)


def _firsts(activity: Plan) -> Plan:
    return Aggregate(activity, ((WHO, Col(ENTITY)),), ((FIRST, Agg(Fold.MIN, Col(INDEX))),))


def _counts() -> tuple[tuple[str, Agg], ...]:
    here, away = IsNotTrue(IsNull(Col(HERE))), IsNull(Col(HERE))
    before, not_before = IsNotTrue(IsNull(Col(BEFORE))), IsNull(Col(BEFORE))
    first = Binary(BinaryOp.EQ, Col(INDEX), Col(FIRST))
    conditions: dict[str, list[Expr]] = {
        "active": [here],
        "new": [here, first],
        "returning": [here, before],
        "resurrected": [here, not_before, IsNotTrue(first)],
        "dormant": [away, before],
    }
    return tuple((name, Agg(Fold.COUNT, None, conjunction(conditions[name]))) for name in LIFECYCLE_COUNTS)


def _periods(bound: BoundLifecycle) -> Plan:
    """The periods of the range with their numbers."""
    span = range_or_days(bound.span, bound.days, bound.zone)
    found = targets(span, [bound.grain], bound.zone, bound.week_start) if span else ()
    rows = tuple((day.starts[0], period_index(day.first, bound.grain, bound.week_start)) for day in found)
    return Spine((("period", Kind.DATE), (PLACE, Kind.INTEGER)), rows)
