"""The values of a dimension, for filter pickers.

Each dataset's distinct values, brought together, most frequent first.
"""

from __future__ import annotations

from semantic.errors import Code, QueryError, did_you_mean
from semantic.lower.filter import condition
from semantic.lower.guards import dataset_guards
from semantic.lower.scope import Scope
from semantic.lower.withhold import judged
from semantic.model.facts import Facts, Kind
from semantic.model.model import Model
from semantic.model.reach import ReachedDimension, reachable
from semantic.plan.build import conjunction
from semantic.plan.expr import AnyOf, Binary, Cast, Col, Const, Expr, IsNotTrue, Param, TextMatch
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Plan, Project, Sort, Union
from semantic.plan.operators import BinaryOp, TextTest
from semantic.plan.walk import columns
from semantic.query.access import LeastGroups
from semantic.query.bind import condition_dimensions, with_related
from semantic.query.bound import BoundValues
from semantic.query.kind import dimension_kind, widest
from semantic.query.period import data_through, resolve
from semantic.query.values import ValuesQuery
from semantic.time import zone

MAX_VALUES = 10_000
"""Values one question may ask for."""


def _answering(model: Model, query: ValuesQuery) -> tuple[str, ...]:
    """The datasets that have the dimension and all that the filter names. UNKNOWN_DIMENSION, DIMENSION_NOT_SHARED."""
    reach = {name: reachable(model, name) for name in model.datasets}
    filtered = tuple(condition_dimensions(query.where))
    known = {name for found in reach.values() for name in found}
    for name in (query.dimension, *filtered):
        if name not in known:
            near = did_you_mean(name, model.shown(known))
            raise QueryError(Code.UNKNOWN_DIMENSION, f'There is no dimension "{name}".', near)
    found = [name for name, has in reach.items() if all(other in has for other in (query.dimension, *filtered))]
    if query.time_range is not None and found:
        found = [name for name in found if model.datasets[name].time_dimension]
        if not found:
            raise QueryError(
                Code.NO_TIME_DIMENSION,
                f'"{query.dimension}" has no time: no dataset that has it declares a time_dimension.',
                "Ask for its values without a time range.",
            )
    if not found:
        raise QueryError(
            Code.DIMENSION_NOT_SHARED,
            f'No dataset has "{query.dimension}" together with what the question is filtered by.',
            "Drop a filter.",
        )
    direct = [name for name in found if not reach[name][query.dimension].path]
    return tuple(direct or found)


def values_datasets(model: Model, query: ValuesQuery) -> tuple[str, ...]:
    """The datasets whose facts the question needs, sorted."""
    needed: dict[str, None] = {}
    for name in _answering(model, query):
        with_related(model, name, needed)
    return tuple(sorted(needed))


def bind_values(model: Model, query: ValuesQuery, facts: Facts) -> BoundValues:
    """The question with its datasets found and its time range absolute."""
    if not 1 <= query.limit <= MAX_VALUES:
        raise QueryError(Code.BAD_ARGUMENT, f"`limit` must be 1 to {MAX_VALUES:,}.")
    datasets = _answering(model, query)
    tz = zone(query.timezone or model.timezone)
    days = [data_through(model.datasets[name], facts.datasets[name], zone(model.timezone)) for name in datasets]
    through = min((day for day in days if day is not None), default=None)
    span = resolve(query.time_range, through, tz, model.week_start) if query.time_range else None
    kind = widest([dimension_kind(model, facts, _reached(model, name, query), name) for name in datasets])
    return BoundValues(
        model,
        facts,
        query.dimension,
        kind,
        datasets,
        tz,
        model.week_start,
        span,
        query.where,
        query.search,
        query.limit,
    )


def _reached(model: Model, dataset: str, query: ValuesQuery) -> ReachedDimension:
    return reachable(model, dataset)[query.dimension]


def lower_values(bound: BoundValues, least: LeastGroups | None = None) -> Plan:
    """Columns `value` and `count` (rows). Equal values of several datasets are one. `least`: how many entities a value
    needs to be shown. FORBIDDEN when they can't be counted.
    """
    counted = tuple(_enough(bound, name, least) if least else _counted(bound, name) for name in bound.datasets)
    plan = counted[0]
    if len(counted) > 1:
        plan = Aggregate(Union(counted), (("value", Col("value")),), (("count", Agg(Fold.SUM, Col("count"))),))
    return Sort(plan, (("count", True), ("value", False)), bound.limit)


def _enough(bound: BoundValues, name: str, least: LeastGroups) -> Plan:
    """The values of a dataset that enough entities have, without the smallest where any has fewer."""
    needed = dataset_guards(bound.model, name, least)
    if not needed:
        return _counted(bound, name)
    plan = _counted(bound, name, tuple(needed))
    few = [Binary(BinaryOp.LT, Col(f"{column}#"), Const(number)) for column, number in needed.items()]
    groups, withheld = judged(plan, [f"{column}#" for column in needed], AnyOf(tuple(few)))
    return Project(Filter(groups, IsNotTrue(withheld)), (("value", Col("value")), ("count", Col("count"))))


def _counted(bound: BoundValues, name: str, entities: tuple[str, ...] = ()) -> Plan:
    scope = Scope(bound.model, bound.facts, bound.model.datasets[name], bound.zone, bound.week_start)
    value = scope.dimension(bound.dimension, bound.kind)
    found: list[Expr] = []
    if bound.span is not None and scope.dataset.time_dimension:
        time = scope.time(scope.dataset.time_dimension, None)
        found += [time.since(bound.span.start), time.before(bound.span.end)]
    if bound.where is not None:
        found.append(condition(scope, bound.where))
    if bound.search:
        text = value if bound.kind is Kind.STRING else Cast(value, Kind.STRING)
        found.append(TextMatch(TextTest.CONTAINS, text, Param(bound.search, Kind.STRING), fold=True))
    where = conjunction(found)
    plan = scope.relation([*columns([value, where] if where is not None else [value]), *entities])
    if where is not None:
        plan = Filter(plan, where)
    people = tuple((f"{column}#", Agg(Fold.COUNT_DISTINCT, Col(column))) for column in entities)
    return Aggregate(plan, (("value", value),), (("count", Agg(Fold.COUNT)), *people))
