"""Journeys: what entities do after (before) an event, step by step.

rows ─▶ Aggregate: each entity's anchor instant ─┐
rows ────────────────────────────────────────────┴▶ Join: the rows from there on, as far as they may lie
    ─▶ begun: what stands before the anchor is dropped       ─▶ unbroken: what follows a pause is dropped
    ─▶ merged: equal ones in a row are one                   ─▶ numbered: the step of each, up to the last asked for

Rows of one instant are ordered by name, null last, the anchor before its equals; backward, everything the other way.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

from semantic.lower.cohort_events import ENTITY, Events, Named, filters
from semantic.lower.filter import condition
from semantic.lower.scope import Scope
from semantic.model.facts import Kind
from semantic.model.sequence import EventSet
from semantic.plan.build import conjunction
from semantic.plan.expr import (
    NULL,
    ZERO,
    All,
    AnyOf,
    Binary,
    Case,
    Cast,
    Col,
    Const,
    CountSoFar,
    Expr,
    IsNull,
    Micros,
    Previous,
    RowNumber,
)
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project, Sort
from semantic.plan.operators import BinaryOp, Order
from semantic.query.bound import BoundJourney
from semantic.query.journey import JourneyReport

AT, NAME, MARK, STEP, BEGAN, OTHER = "at#", "name#", "mark#", "step#", "began#", "other#"
SEEN, BEFORE, PLACE, LAST, RANK, LABEL, NEXT = "seen#", "before#", "place#", "last#", "common#", "label#", "next#"
WHO, AT_STEP, CALLED, NEXT_OTHER, NEXT_STEP = "who#", "at_step#", "called#", "next_other#", "next_step#"


def lower_journey(bound: BoundJourney) -> Plan:
    """The plan of a question about journeys; its columns are those that JourneyQuery documents."""
    numbered = _numbered(bound, _merged(bound, _unbroken(bound, _begun(bound))))
    match bound.report:
        case JourneyReport.LINKS:
            return _links(bound, numbered)
        case JourneyReport.SEQUENCES:
            return _sequences(bound, numbered)
        case _:
            assert_never(bound.report)


def _events(bound: BoundJourney) -> Events:
    return Events(bound, EventSet(bound.dataset.name), bound.entity)


def _asked(bound: BoundJourney, scope: Scope) -> list[Expr]:
    found = filters(scope, () if bound.where is None else (bound.where,), bound.segments)
    return [] if found is None else [found]


def _anchor(bound: BoundJourney, events: Events) -> Expr:
    """What makes a row an anchor, its time included."""
    start, end = (bound.span.start, bound.span.end) if bound.span else (None, None)
    found = conjunction([condition(events.scope, bound.anchor), *events.conditions(start, end)])
    assert found is not None, "an anchor always has a condition"
    return found


def _order(bound: BoundJourney) -> Order:
    """An entity's events, from the anchor on."""
    return Order((AT, NAME, MARK), (ENTITY,), bound.backward)


def _kept(*names: str) -> Named:
    return tuple((name, Col(name)) for name in names)


def _near(bound: BoundJourney) -> Plan:
    """Each entity's events from the instant of its anchor on, as far away as they may be."""
    events = _events(bound)
    anchor, asked = _anchor(bound, events), _asked(bound, events.scope)
    anchors = events.rows(((AT, Micros(events.time.instant)),), [*asked, anchor], as_text=False)
    first = Agg(Fold.MAX if bound.backward else Fold.MIN, Col(AT))
    began = Aggregate(anchors, ((WHO, Col(ENTITY)),), ((BEGAN, first),))
    start, end = _reach(bound)
    name = Cast(events.scope.key(bound.by), Kind.STRING)
    mark = Case(((anchor, Const(1 if bound.backward else -1)),), ZERO)
    named: Named = ((AT, Micros(events.time.instant)), (NAME, name), (MARK, mark))
    rows = events.rows(named, [*asked, *events.conditions(start, end)], as_text=False)
    both = Join(rows, began, JoinKind.INNER, ((ENTITY, WHO),))
    away = Binary(BinaryOp.SUBTRACT, *_directed(bound, Col(AT), Col(BEGAN)))
    near = (Binary(BinaryOp.GTE, away, ZERO), Binary(BinaryOp.LTE, away, Const(_micros(bound.within))))
    return Filter(both, All(near))


def _reach(bound: BoundJourney) -> tuple[datetime | None, datetime | None]:
    """The instants between which events may lie; None: unbounded, also where the calendar ends."""
    if bound.span is None:
        return None, None
    start, end, within = bound.span.start, bound.span.end, timedelta(seconds=bound.within)
    if bound.backward:
        return start - within if start - datetime.min > within else None, end
    return start, end + within if datetime.max - end > within else None


def _directed(bound: BoundJourney, later: Expr, earlier: Expr) -> tuple[Expr, Expr]:
    return (earlier, later) if bound.backward else (later, earlier)


def _micros(seconds: int) -> int:
    return seconds * 1_000_000


def _begun(bound: BoundJourney) -> Plan:
    """From the anchor itself on; where pauses matter with BEFORE, the instant of the event before."""
    order, is_anchor = _order(bound), Binary(BinaryOp.DIFFERENT, Col(MARK), ZERO)
    before: Named = () if bound.gap is None else ((BEFORE, Previous(Col(AT), order)),)
    rows = Project(_near(bound), (*_kept(ENTITY, AT, NAME, MARK), (SEEN, CountSoFar(is_anchor, order)), *before))
    return Filter(rows, Binary(BinaryOp.GTE, Col(SEEN), Const(1)))


def _unbroken(bound: BoundJourney, begun: Plan) -> Plan:
    """Up to the first pause that is too long. At the anchor there is none: what is before it is of its instant."""
    if bound.gap is None:
        return begun
    pause = Binary(BinaryOp.SUBTRACT, *_directed(bound, Col(AT), Col(BEFORE)))
    too_long = Binary(BinaryOp.GT, pause, Const(_micros(bound.gap)))
    rows = Project(begun, (*_kept(ENTITY, AT, NAME, MARK), (SEEN, CountSoFar(too_long, _order(bound)))))
    return Filter(rows, Binary(BinaryOp.EQ, Col(SEEN), ZERO))


def _merged(bound: BoundJourney, events: Plan) -> Plan:
    """Without the events that are called like the one before."""
    if bound.repeats:
        return events
    order = _order(bound)
    beside: Named = ((PLACE, RowNumber(order)), (LAST, Previous(Col(NAME), order)))
    rows = Project(events, (*_kept(ENTITY, AT, NAME, MARK), *beside))
    first = Binary(BinaryOp.EQ, Col(PLACE), Const(1))
    return Filter(rows, AnyOf((first, Binary(BinaryOp.DIFFERENT, Col(NAME), Col(LAST)))))


def _numbered(bound: BoundJourney, events: Plan) -> Plan:
    """Entity, name and place (from 1: the anchor) of each event of a path."""
    rows = Project(events, (*_kept(ENTITY, NAME), (STEP, RowNumber(_order(bound)))))
    return Filter(rows, Binary(BinaryOp.LTE, Col(STEP), Const(bound.steps + 1)))


def _links(bound: BoundJourney, numbered: Plan) -> Plan:
    labelled = _labelled(bound, numbered)
    onward = Order((STEP,), (ENTITY,), reverse=True)
    beside: Named = (
        (NEXT, Previous(Col(LABEL), onward)),
        (NEXT_OTHER, Previous(Col(OTHER), onward)),
        (NEXT_STEP, Previous(Col(STEP), onward)),
    )
    pairs = Project(labelled, (*_kept(ENTITY, STEP, LABEL, OTHER), *beside))
    ends = Case(((IsNull(Col(NEXT_STEP)), Const(1)),), ZERO)
    by: Named = (
        ("step", Binary(BinaryOp.SUBTRACT, Col(STEP), Const(1))),
        ("name", Col(LABEL)),
        ("other", Col(OTHER)),
        ("next", Col(NEXT)),
        ("next_other", Col(NEXT_OTHER)),
        ("ends", ends),
    )
    counted = Aggregate(pairs, by, (("count", Agg(Fold.COUNT)),))
    return Sort(counted, tuple((name, False) for name, _ in by))


def _labelled(bound: BoundJourney, numbered: Plan) -> Plan:
    """Events with the names that are most common at their step; OTHER: it is none of those."""
    counted = Aggregate(numbered, ((AT_STEP, Col(STEP)), (CALLED, Col(NAME))), (("count", Agg(Fold.COUNT)),))
    rarest = Binary(BinaryOp.SUBTRACT, ZERO, Col("count"))
    keyed = Project(counted, (*_kept(AT_STEP, CALLED), (PLACE, rarest)))
    ranked = Project(keyed, (*_kept(AT_STEP, CALLED), (RANK, RowNumber(Order((PLACE, CALLED), (AT_STEP,))))))
    common = Filter(ranked, Binary(BinaryOp.LTE, Col(RANK), Const(bound.limit)))
    both = Join(numbered, common, JoinKind.LEFT, ((STEP, AT_STEP), (NAME, CALLED)), null_safe=True)
    is_other = IsNull(Col(RANK))
    named: Named = ((LABEL, Case(((is_other, NULL),), Col(NAME))), (OTHER, Case(((is_other, Const(1)),), ZERO)))
    return Project(both, (*_kept(ENTITY, STEP), *named))


def _sequences(bound: BoundJourney, numbered: Plan) -> Plan:
    names = tuple(f"name{step}" for step in range(bound.steps + 1))
    folds = tuple(
        (name, Agg(Fold.MAX, Col(NAME), Binary(BinaryOp.EQ, Col(STEP), Const(step))))
        for step, name in enumerate(names, start=1)
    )
    paths = Aggregate(numbered, ((ENTITY, Col(ENTITY)),), (("length", Agg(Fold.COUNT)), *folds))
    counted = Aggregate(paths, _kept("length", *names), (("count", Agg(Fold.COUNT)),))
    total = Aggregate(counted, (), (("total", Agg(Fold.SUM, Col("count"))),))
    with_total = Join(counted, total, JoinKind.CROSS)
    order = (("count", True), ("length", False), *((name, False) for name in names))
    return Sort(with_total, order, bound.limit)
