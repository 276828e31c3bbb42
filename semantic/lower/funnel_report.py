"""Reports about a funnel: counts and times by step, the time to convert, who left."""

from __future__ import annotations

from typing import assert_never

from semantic.lower.attempts import DEPTH, ENTITY, PERIOD, Attempts, filled
from semantic.lower.funnel import reached
from semantic.lower.step_events import window_seconds
from semantic.model.facts import Kind
from semantic.plan.build import divide
from semantic.plan.expr import NULL, ZERO, Binary, Case, Cast, Coalesce, Col, Const, Expr, Instant
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Plan, Project, Sort, Spine, Union
from semantic.plan.operators import BinaryOp
from semantic.query.bind import range_or_days
from semantic.query.bound import BoundFunnel
from semantic.query.funnel import FunnelReport
from semantic.query.period import targets

MICROS = 1_000_000


def lower_funnel(bound: BoundFunnel) -> Plan:
    """The plan of a question about a funnel; its columns are those that FunnelQuery documents."""
    match bound.report:
        case FunnelReport.STEPS:
            return _steps(bound)
        case FunnelReport.HISTOGRAM:
            return _histogram(bound)
        case FunnelReport.DROP_OFFS:
            return _drop_offs(bound)
        case _:
            assert_never(bound.report)


def _attempts(bound: BoundFunnel, times: bool) -> Plan:
    span = bound.span
    return Attempts(
        view=bound,
        funnel=bound.funnel,
        start=span.start if span else None,
        end=span.end if span else None,
        where=() if bound.where is None else (bound.where,),
        segments=bound.segments,
        dimensions=bound.dimensions,
        grain=bound.grain,
        times=times,
        filters=bound.filters,
    ).plan()


def _time(step: int) -> Expr:
    return Col(filled(step))


def _seconds(step: int) -> Expr:
    """Seconds from the step before to this one; null when it was not reached."""
    return divide(Binary(BinaryOp.SUBTRACT, _time(step), _time(step - 1)), Const(MICROS))


def _steps(bound: BoundFunnel) -> Plan:
    keys = _key_names(bound)
    steps = range(1, len(bound.funnel.steps) + 1)
    aggregates = [(f"count{step}", reached(step)) for step in steps]
    if bound.times:
        for step in steps[1:]:
            reaches = Binary(BinaryOp.GTE, Col(DEPTH), Const(step))
            aggregates.append((f"average{step}", Agg(Fold.AVG, _seconds(step), reaches)))
            aggregates.append((f"median{step}", Agg(Fold.PERCENTILE, _seconds(step), reaches, p=0.5)))
    named = tuple((name, Col(PERIOD if name == "period" else name)) for name in keys)
    plan: Plan = Aggregate(_attempts(bound, bound.times), named, tuple(aggregates))
    if bound.grain is not None:
        plan = _every_period(bound, plan)
    kept = [(name, _column(name)) for name in plan.output]
    return Sort(Project(plan, tuple(kept)), tuple((name, False) for name in keys))


def _key_names(bound: BoundFunnel) -> tuple[str, ...]:
    return (*(["period"] if bound.grain else []), *(key.name for key in bound.dimensions))


def _column(name: str) -> Expr:
    return Coalesce((Col(name), ZERO)) if name.startswith("count") else Col(name)


def _every_period(bound: BoundFunnel, plan: Plan) -> Plan:
    """The same with a row for every period of the range; without a breakdown only, whose groups are as they are."""
    span = range_or_days(bound.span, bound.days, bound.zone)
    if span is None or bound.dimensions or bound.grain is None:
        return plan
    kind = Kind.TIMESTAMPTZ if bound.grain.is_clock else Kind.DATE
    periods = targets(span, [bound.grain], bound.zone, bound.week_start)
    spine = Spine((("period", kind),), tuple(target.starts for target in periods))
    empty: list[tuple[str, Expr]] = [(name, Col(name) if name == "period" else NULL) for name in plan.output]
    both = Union((plan, Project(spine, tuple(empty))))
    folded = tuple((name, Agg(Fold.MAX, Col(name))) for name in plan.output if name != "period")
    return Aggregate(both, (("period", Col("period")),), folded)


def longest_seconds(bound: BoundFunnel) -> int:
    """The longest that converting may take: the window, or the longest day."""
    return window_seconds(bound.funnel.window) if bound.funnel.window else 25 * 3600


def bucket_micros(bound: BoundFunnel) -> int:
    """The width of a histogram's buckets in microseconds."""
    return max(1, -(-longest_seconds(bound) * MICROS // bound.buckets))


def _histogram(bound: BoundFunnel) -> Plan:
    took = Filter(_attempts(bound, times=True), Binary(BinaryOp.GTE, Col(DEPTH), Const(bound.step)))
    since = Binary(BinaryOp.SUBTRACT, _time(bound.step), _time(1))
    bucket = Binary(BinaryOp.WHOLES, since, Const(bucket_micros(bound)))
    last = Const(bound.buckets - 1)
    clipped = Case(((Binary(BinaryOp.GT, bucket, last), last),), bucket)  # the window's end is in the last part
    plan = Aggregate(took, (("bucket", clipped),), (("count", Agg(Fold.COUNT)),))
    return Sort(plan, (("bucket", False),))


def _drop_offs(bound: BoundFunnel) -> Plan:
    left = Filter(_attempts(bound, times=True), Binary(BinaryOp.EQ, Col(DEPTH), Const(bound.step)))
    named = (("entity", Cast(Col(ENTITY), Kind.STRING)), ("last_seen", Instant(_time(bound.step))))
    return Sort(Project(left, named), (("last_seen", True), ("entity", False)), bound.limit, bound.offset)
