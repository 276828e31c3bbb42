"""Combine: parts brought together on the query's keys, filled, computed, filtered, sorted.

Any number of facts meet by UNION ALL and one more GROUP BY: nothing fans out, nothing disappears, null keys meet null
keys.
"""

from __future__ import annotations

from semantic.errors import Code, QueryError
from semantic.lower.expand import Expander
from semantic.lower.filter import compare
from semantic.lower.guards import Told
from semantic.lower.leaf import Leaves
from semantic.lower.part import lower_part, parts
from semantic.lower.withhold import withholding
from semantic.plan.build import conjunction
from semantic.plan.expr import NULL, Col, Expr, IsNotTrue, IsNull, RowCount
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project, Sort, Spine, Union
from semantic.plan.word import WORD
from semantic.query.access import LeastGroups
from semantic.query.bind import effective_span
from semantic.query.bound import BoundQuery, TimeKey
from semantic.query.period import targets
from semantic.query.query import ROW_COUNT, Operator


def lower(bound: BoundQuery, word: int = WORD, least: LeastGroups | None = None) -> Plan:
    """The plan of a bound query; its output are the response keys in order (and the row count, when asked for).

    `word`: how many bits the engine's words have. `least`: how many entities a group needs to be shown.
    """
    leaves, values = _expanded(bound)
    withheld = withholding(bound, leaves, values, least)
    plans = [plan for part in parts(bound, leaves.items(), word) for plan in lower_part(part, word)]
    if not plans:
        raise QueryError(
            Code.DIMENSION_NOT_SHARED,
            "None of the selected metrics can be split as asked.",
            "Select a metric that can.",
        )
    names = tuple(name for _, name in leaves.items())
    plan = withheld.rows(_together(bound, plans, names))
    if bound.fill:
        plan = _filled(bound, plan, names)
    return _finished(bound, plan, {one.key: withheld.value(one, values[one.key]) for one in bound.metrics})


def rows_told(bound: BoundQuery, least: LeastGroups) -> frozenset[Told]:
    """The rows that the numbers of a query are of, where groups may be too small. FORBIDDEN as `lower` says it."""
    leaves, values = _expanded(bound)
    return withholding(bound, leaves, values, least).told


def _expanded(bound: BoundQuery) -> tuple[Leaves, dict[str, Expr]]:
    leaves = Leaves()
    expander = Expander(bound, leaves)
    return leaves, {metric.key: expander.field(metric) for metric in bound.metrics}


def _keys(bound: BoundQuery) -> tuple[tuple[str, Expr], ...]:
    return tuple((key.name, Col(key.name)) for key in bound.keys)


def _merged(bound: BoundQuery, plans: list[Plan], names: tuple[str, ...]) -> Plan:
    """Plans with some of the leaves each → one with all: at most one plan has a value for a key and leaf."""
    columns = (*(key.name for key in bound.keys), *names)

    def of(plan: Plan, name: str) -> tuple[str, Expr]:
        return name, Col(name) if name in plan.output else NULL

    members = tuple(Project(plan, tuple(of(plan, name) for name in columns)) for plan in plans)
    return Aggregate(Union(members), _keys(bound), tuple((name, Agg(Fold.MAX, Col(name))) for name in names))


def _together(bound: BoundQuery, plans: list[Plan], names: tuple[str, ...]) -> Plan:
    return plans[0] if len(plans) == 1 else _merged(bound, plans, names)


def _filled(bound: BoundQuery, plan: Plan, names: tuple[str, ...]) -> Plan:
    """A row for every period of the range in every group of the result."""
    span = effective_span(bound)
    if span is None:
        return plan
    grains = [key.grain for key in bound.time_keys]
    periods = targets(span, grains, bound.zone, bound.week_start)
    columns = tuple((key.name, key.kind) for key in bound.time_keys)
    spine: Plan = Spine(columns, tuple(target.starts for target in periods))
    dimensions = tuple((key.name, Col(key.name)) for key in bound.keys if not isinstance(key, TimeKey))
    if dimensions:
        spine = Join(spine, Aggregate(plan, dimensions, ()), JoinKind.CROSS)
    return _merged(bound, [plan, spine], names)


def _finished(bound: BoundQuery, plan: Plan, values: dict[str, Expr]) -> Plan:
    plan = Project(plan, tuple((name, values.get(name) or Col(name)) for name in bound.output))
    having = _having(bound)
    if having is not None:
        plan = Filter(plan, having)
    if bound.count_rows:
        kept: tuple[tuple[str, Expr], ...] = tuple((name, Col(name)) for name in bound.output)
        plan = Project(plan, (*kept, (ROW_COUNT, RowCount())))
    return Sort(plan, _order(bound), bound.limit, bound.offset)


def _having(bound: BoundQuery) -> Expr | None:
    kinds = {key.name: key.kind for key in bound.keys} | {metric.key: metric.kind for metric in bound.metrics}
    found = [compare(Col(item.key), kinds[item.key], item.operator, item.value, item.key) for item in bound.having]
    # a number that is not known meets no condition but isNull: here `ne` is not the opposite of `eq`
    opposite = (item.key for item in bound.having if item.operator in (Operator.NE, Operator.NOT_IN))
    return conjunction([*found, *(IsNotTrue(IsNull(Col(key))) for key in opposite)])


def _order(bound: BoundQuery) -> tuple[tuple[str, bool], ...]:
    """As asked; ties, and everything when nothing is asked, by the keys."""
    asked = tuple((order.key, order.descending) for order in bound.order_by)
    named = {name for name, _ in asked}
    keys = {key.name for key in bound.keys}
    return (*asked, *((name, False) for name in bound.output if name in keys and name not in named))
