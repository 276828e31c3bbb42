"""Metrics → expressions over leaves. Here the metric types disappear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from semantic.errors import Code, QueryError
from semantic.lower.frames import covered
from semantic.lower.leaf import CohortLeaf, CreditLeaf, Leaves, MetricLeaf, StepLeaf, ValueLeaf
from semantic.model.expression import Expression
from semantic.model.facts import Kind
from semantic.model.metric import (
    Aggregation,
    Attribution,
    Conversion,
    Cumulative,
    Derived,
    Metric,
    Ratio,
    Retention,
    Simple,
)
from semantic.model.reach import credit_time, reads_amounts
from semantic.model.sequence import AttributionModel
from semantic.plan.build import disjunction, divide
from semantic.plan.expr import (
    NULL,
    TRUE,
    ZERO,
    All,
    Authored,
    Binary,
    Case,
    Cast,
    Coalesce,
    Col,
    Const,
    Expr,
    IsNull,
    Param,
)
from semantic.plan.operators import BinaryOp
from semantic.query.bound import BoundMetric, BoundQuery, Frame
from semantic.query.kind import metric_kind
from semantic.query.query import Comparison, Condition


@dataclass(frozen=True, slots=True)
class Value:
    """A metric's value as an expression over leaf columns.

    For each of those: `missing`, the condition that it has no value, and `within`, that it is of a time with data.
    """

    expr: Expr
    missing: tuple[Expr, ...]
    within: tuple[Expr, ...] = (TRUE,)


@dataclass(frozen=True, slots=True)
class Expander:
    """Expands the metrics of one bound query; collects the leaves they need. `credited_by`: the model of all
    attributions, instead of their own.
    """

    bound: BoundQuery
    leaves: Leaves
    credited_by: AttributionModel | None = None

    def field(self, asked: BoundMetric) -> Expr:
        """The value under one response key, with its comparison, of its kind."""
        if asked.absent:
            return Cast(NULL, asked.kind)
        value = replace(self, credited_by=asked.model)._compared(asked)
        return value if asked.kind is Kind.DECIMAL or _is_quotient(value) else Cast(value, asked.kind)

    def _compared(self, asked: BoundMetric) -> Expr:
        value = self.expand(asked.metric, asked.frame, asked.where).expr
        if asked.comparison is Comparison.VALUE:
            return value
        now = self.expand(asked.metric, replace(asked.frame, offset=None), asked.where).expr
        change = Binary(BinaryOp.SUBTRACT, now, value)
        return change if asked.comparison is Comparison.CHANGE else divide(change, value)

    def expand(self, metric: Metric, frame: Frame, where: Condition | None) -> Value:
        """A metric of any type over the rows of a frame."""
        match metric:
            case Simple():
                return self._simple(metric, frame, where)
            case Ratio():
                return self._ratio(metric, frame, where)
            case Derived():
                return self._derived(metric, frame, where)
            case Cumulative():
                return self._cumulative(metric, frame, where)
            case Conversion():
                return self._conversion(metric, frame, where)
            case Retention():
                return self._retention(metric, frame, where)
            case Attribution():
                return self._attribution(metric, frame, where)
            case _:
                assert_never(metric)

    def _simple(self, metric: Simple, frame: Frame, where: Condition | None) -> Value:
        raw = Col(self.leaves.name(MetricLeaf(metric, frame, where)))
        counts = metric.agg in (Aggregation.COUNT, Aggregation.COUNT_DISTINCT)
        fill = metric.fill if metric.fill is not None else (0 if counts else None)
        if fill is not None and self._converts(metric.dataset, metric.expr) and not counts:
            rows = replace(metric, agg=Aggregation.COUNT, expr=None, fill=None)
            return self._filled_where_none(raw, MetricLeaf(rows, frame, where), fill, metric)
        missing = _is_zero(raw) if counts else IsNull(raw)
        return self._filled_leaf(raw, missing, fill, metric, frame)

    def _attribution(self, metric: Attribution, frame: Frame, where: Condition | None) -> Value:
        definition = self.bound.model.attributions[metric.attribution]
        time = credit_time(self.bound.model, metric)
        model = self.credited_by or definition.model
        raw = Col(self.leaves.name(CreditLeaf(definition, model, time, metric.value, frame, where)))
        fill = metric.fill if metric.fill is not None else (0 if metric.value is None else None)
        if fill is not None and self._converts(definition.conversion.dataset, metric.value):
            conversions = CreditLeaf(definition, model, time, None, frame, where)
            return self._filled_where_none(raw, conversions, fill, metric)
        return self._filled_leaf(raw, IsNull(raw), fill, metric, frame)

    def _converts(self, dataset: str, expression: Expression | None) -> bool:
        return expression is not None and reads_amounts(self.bound.model, dataset, expression)

    def _filled_where_none(
        self, raw: Expr, counted: MetricLeaf | CreditLeaf, fill: float, metric: Simple | Attribution
    ) -> Value:
        """A sum of amounts: what is left out for want of a rate is unknown, and only nothing at all is the fill."""
        within = TRUE if counted.frame.offset is None else covered(self.bound, metric, counted.frame)
        missing = _is_zero(Col(self.leaves.name(counted)))
        filled = Case(((missing, _number(fill)),), raw)
        return Value(filled if within == TRUE else Case(((within, filled),), NULL), (missing,), (within,))

    def _filled_leaf(
        self, raw: Expr, missing: Expr, fill: float | None, metric: Simple | Attribution, frame: Frame
    ) -> Value:
        """A leaf, or its fill where it has no value; but none where an offset leads to before or after all data."""
        within = TRUE if frame.offset is None else covered(self.bound, metric, frame)
        if fill is None:
            return Value(raw, (missing,), (within,))
        filled = Coalesce((raw, _number(fill)))
        return Value(filled if within == TRUE else Case(((within, filled),), NULL), (missing,), (within,))

    def _ratio(self, metric: Ratio, frame: Frame, where: Condition | None) -> Value:
        top = self.expand(self.bound.model.metrics[metric.numerator], frame, where)
        bottom = self.expand(self.bound.model.metrics[metric.denominator], frame, where)
        return _filled(metric, divide(top.expr, bottom.expr), (top, bottom))

    def _derived(self, metric: Derived, frame: Frame, where: Condition | None) -> Value:
        exact = metric_kind(self.bound.model, self.bound.facts, metric) is not Kind.FLOAT
        parts = {ref: self.expand(self.bound.model.metrics[ref.name], frame, where) for ref in metric.expr.refs}
        names = tuple((ref, part.expr if exact else Cast(part.expr, Kind.FLOAT)) for ref, part in parts.items())
        return _filled(metric, Authored(metric.expr, names), parts.values())

    def _conversion(self, metric: Conversion, frame: Frame, where: Condition | None) -> Value:
        funnel = self.bound.model.funnels[metric.funnel]
        places = {step.name: place for place, step in enumerate(funnel.steps, start=1)}
        top, bottom = (
            Col(self.leaves.name(StepLeaf(funnel, places[name], frame, where)))
            for name in (metric.to_step, metric.from_step)
        )
        return _filled(metric, divide(top, bottom), (Value(bottom, (IsNull(bottom),)),))

    def _retention(self, metric: Retention, frame: Frame, where: Condition | None) -> Value:
        retention = self.bound.model.retentions[metric.retention]
        size = Col(self.leaves.name(CohortLeaf(retention, metric.period, metric.mature_at, False, frame, where)))
        if metric.cost is not None:
            return self._payback(metric, size, frame, where)
        if metric.value is not None:
            top = self._lifetime_value(metric, metric.period, frame, where)
        else:
            top = Col(self.leaves.name(CohortLeaf(retention, metric.period, metric.mature_at, True, frame, where)))
        counted = Case(((IsNull(size), NULL),), Coalesce((top, ZERO)))  # a cohort of which nobody came back has 0
        return _filled(metric, divide(counted, size), (Value(size, (IsNull(size),)),))

    def _lifetime_value(self, metric: Retention, period: int, frame: Frame, where: Condition | None) -> Expr:
        assert metric.value is not None
        retention = self.bound.model.retentions[metric.retention]
        return Col(self.leaves.name(ValueLeaf(retention, period, metric.mature_at, metric.value, frame, where)))

    def _payback(self, metric: Retention, size: Expr, frame: Frame, where: Condition | None) -> Value:
        """The first period by which the cohorts' value per entity is at least the cost."""
        assert metric.cost is not None
        cost = self.expand(self.bound.model.metrics[metric.cost], frame, where)
        branches = []
        for period in range(metric.period + 1):
            value = divide(self._lifetime_value(metric, period, frame, where), size)
            branches.append((Binary(BinaryOp.GTE, value, cost.expr), Const(period)))
        return _filled(metric, Case(tuple(branches), NULL), (Value(size, (IsNull(size),)), cost))

    def _cumulative(self, metric: Cumulative, frame: Frame, where: Condition | None) -> Value:
        if frame.window is not None or frame.to_date is not None:
            raise QueryError(
                Code.NOT_ANSWERABLE,
                f'"{metric.name}" is cumulative already.',
                f'Use `rolling` and `toDate` on "{metric.metric}".',
            )
        framed = Frame(frame.offset, metric.window, metric.grain_to_date)
        inner = self.expand(self.bound.model.metrics[metric.metric], framed, where)
        return _filled(metric, inner.expr, (inner,))


def _is_zero(count: Expr) -> Expr:
    return Binary(BinaryOp.EQ, Coalesce((count, ZERO)), ZERO)


def _is_quotient(expr: Expr) -> bool:
    return isinstance(expr, Binary) and expr.op is BinaryOp.DIVIDE


def _number(value: float) -> Expr:
    return ZERO if value == 0 else Param(value, Kind.INTEGER if isinstance(value, int) else Kind.FLOAT)


def _filled(metric: Ratio | Derived | Cumulative | Conversion | Retention, expr: Expr, parts: Iterable[Value]) -> Value:
    """The metric's own fill, only where nothing inside it has a value and there is data for some: x / 0 stays null."""
    missing = tuple(condition for part in parts for condition in part.missing)
    within = tuple(dict.fromkeys(condition for part in parts for condition in part.within))
    if metric.fill is None or not missing:
        return Value(expr, missing, within)
    nothing = All(missing) if TRUE in within else All((*missing, disjunction(within)))
    return Value(Case(((nothing, _number(metric.fill)),), expr), missing, within)
