"""Touch paths: the touches before each conversion, one after another, and how many conversions have the same.

conversions ─▶ each entity and instant with the touches of its lookback ─▶ equal ones in a row are one ─▶ the last few
    ─▶ one row for each entity and instant ─▶ back to its conversions ─▶ counted by path
"""

from __future__ import annotations

from datetime import timedelta

from semantic.lower.cohort_events import ENTITY, Events, Named
from semantic.lower.credits import AT, before
from semantic.lower.step_events import window_seconds
from semantic.lower.touches import KEPT, TOUCH_AT, Touches, moved, text_or_own
from semantic.model.facts import Kind
from semantic.plan.build import conjunction
from semantic.plan.expr import (
    ZERO,
    AnyOf,
    Binary,
    Cast,
    Coalesce,
    Col,
    Const,
    Expr,
    Micros,
    Previous,
    RowNumber,
)
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project, Sort
from semantic.plan.operators import BinaryOp, Order
from semantic.plan.walk import columns
from semantic.query.bound import BoundTouchPaths

NAME, PLACE, LAST, STEP, LENGTH, VALUE = "name#", "place#", "last#", "step#", "length#", "value#"
_WHO, _WHEN = "who#", "when#"


def lower_touch_paths(bound: BoundTouchPaths) -> Plan:
    """The plan of a question about touch paths; its columns are those that TouchPathQuery documents."""
    touches = _touches(bound)
    conversions = _conversions(bound, touches)
    paths = _paths(bound, touches, _numbered(bound, touches, conversions))
    joined = Join(conversions, paths, JoinKind.LEFT, ((ENTITY, _WHO), (AT, _WHEN)))
    length = Coalesce((Col(LENGTH), ZERO))
    by: Named = (("length", length), *((name, Col(name)) for name in path_names(bound)))
    counted = Aggregate(joined, by, (("conversions", Agg(Fold.COUNT)), *_sums(bound, "value", VALUE)))
    totals = (("total", Agg(Fold.SUM, Col("conversions"))), *_sums(bound, "total_value", "value"))
    both = Join(counted, Aggregate(counted, (), totals), JoinKind.CROSS)
    order = (("conversions", True), ("length", False), *((name, False) for name in path_names(bound)))
    return Sort(both, order, bound.limit)


def path_names(bound: BoundTouchPaths) -> tuple[str, ...]:
    """The columns of a path's touches, from the last one back."""
    return tuple(f"name{step}" for step in range(1, bound.steps + 1))


def _sums(bound: BoundTouchPaths, name: str, of: str) -> tuple[tuple[str, Agg], ...]:
    return () if bound.metric is None else ((name, Agg(Fold.SUM, Col(of))),)


def _touches(bound: BoundTouchPaths) -> Touches:
    start, end = (bound.span.start, bound.span.end) if bound.span else (None, None)
    reach = timedelta(seconds=window_seconds(bound.definition.lookback))
    return Touches(
        view=bound,
        definition=bound.definition,
        dimensions=(bound.by,),
        where=() if bound.where is None else (bound.where,),
        segments=bound.segments,
        start=moved(start, -reach),
        end=end,
    )


def _conversions(bound: BoundTouchPaths, touches: Touches) -> Plan:
    """Every conversion of the range: who, when, its value."""
    events = Events(bound, bound.definition.conversion, bound.definition.entity)
    named: list[tuple[str, Expr]] = [(ENTITY, text_or_own(events.who, touches.mixed))]
    named.append((AT, Micros(events.time.instant)))
    if bound.metric is not None and bound.metric.value is not None:
        named.append((VALUE, events.scope.authored(bound.metric.value)))
    start, end = (bound.span.start, bound.span.end) if bound.span else (None, None)
    where = conjunction(events.conditions(start, end))
    exprs = [expr for _, expr in named]
    rows = events.scope.relation(columns([*exprs, where] if where is not None else exprs))
    return Project(rows if where is None else Filter(rows, where), tuple(named))


def _numbered(bound: BoundTouchPaths, touches: Touches, conversions: Plan) -> Plan:
    """Each conversion's instant with the last touches before it: their names and places, the last one's is 1."""
    order = touches.order()
    name = Cast(dict(touches.asked())[bound.by.name], Kind.STRING)
    kept = tuple((name, expr) for name, expr in touches.asked() if name == KEPT)
    instants = Aggregate(conversions, ((ENTITY, Col(ENTITY)), (AT, Col(AT))), ())
    met = before(touches.definition, instants, touches.plan((*order, (NAME, name), *kept)))
    along = Order((TOUCH_AT, *(name for name, _ in order), NAME), (ENTITY, AT))
    columns_of_touch = tuple((name, Col(name)) for name in (ENTITY, AT, *along.by))
    events: Plan = Project(Filter(met, Col(KEPT)) if kept else met, columns_of_touch)
    if not bound.repeats:
        beside: Named = ((PLACE, RowNumber(along)), (LAST, Previous(Col(NAME), along)))
        first = Binary(BinaryOp.EQ, Col(PLACE), Const(1))
        changes = Binary(BinaryOp.DIFFERENT, Col(NAME), Col(LAST))
        events = Filter(Project(events, (*columns_of_touch, *beside)), AnyOf((first, changes)))
    backward = Order(along.by, along.within, reverse=True)
    numbered = Project(events, ((ENTITY, Col(ENTITY)), (AT, Col(AT)), (NAME, Col(NAME)), (STEP, RowNumber(backward))))
    return Filter(numbered, Binary(BinaryOp.LTE, Col(STEP), Const(bound.steps)))


def _paths(bound: BoundTouchPaths, touches: Touches, numbered: Plan) -> Plan:
    names = tuple(
        (name, Agg(Fold.MAX, Col(NAME), Binary(BinaryOp.EQ, Col(STEP), Const(step))))
        for step, name in enumerate(path_names(bound), start=1)
    )
    keys = ((_WHO, Col(ENTITY)), (_WHEN, Col(AT)))
    return Aggregate(numbered, keys, ((LENGTH, Agg(Fold.COUNT)), *names))
