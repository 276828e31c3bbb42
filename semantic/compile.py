"""Compile: bind, lower, rewrite, render. One short function of nouns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from semantic.lower.combine import lower
from semantic.lower.funnel_report import lower_funnel
from semantic.lower.values import bind_values, lower_values, values_datasets
from semantic.model.facts import Facts, Kind
from semantic.model.model import Model
from semantic.plan.node import Plan, Scan
from semantic.plan.walk import nodes
from semantic.query.bind import bind
from semantic.query.bind import datasets_needed as metric_datasets
from semantic.query.bind_funnel import bind_funnel, funnel_datasets
from semantic.query.bound import BoundFunnel, BoundQuery, BoundValues
from semantic.query.funnel import FunnelQuery, FunnelReport
from semantic.query.query import ANONYMOUS, ROW_COUNT, MetricQuery, Viewer
from semantic.query.values import ValuesQuery
from semantic.query.visible import check_visible
from semantic.query.warning import QueryWarning
from semantic.rewrite import rewrite_plan
from semantic.sql.dialect import Dialect
from semantic.sql.duckdb import DUCKDB
from semantic.sql.render import Renderer
from semantic.sql.statement import Column, Statement

Question = MetricQuery | ValuesQuery | FunnelQuery
"""Everything that can be asked."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query ready to run, with what led to it. `data_through`: the last complete day of all its datasets."""

    statement: Statement
    bound: BoundQuery | BoundValues | BoundFunnel
    plan: Plan
    warnings: tuple[QueryWarning, ...]
    data_through: date | None


def datasets_needed(model: Model, query: Question) -> tuple[str, ...]:
    """The datasets whose facts compiling a query needs, sorted. QueryError for unknown names."""
    if isinstance(query, ValuesQuery):
        return values_datasets(model, query)
    if isinstance(query, FunnelQuery):
        return funnel_datasets(model, query)
    return metric_datasets(model, query)


def compile_query(
    model: Model,
    query: Question,
    facts: Facts,
    viewer: Viewer = ANONYMOUS,
    dialect: Dialect = DUCKDB,
) -> Compiled:
    """A question → one SQL statement, or QueryError saying why there is no right answer."""
    check_visible(model, query, viewer)
    if isinstance(query, ValuesQuery):
        values = bind_values(model, query, facts)
        plan = rewrite_plan(lower_values(values), model, facts, viewer)
        columns = (Column("value", values.kind), Column("count", Kind.INTEGER))
        return Compiled(_statement(plan, columns, dialect), values, plan, (), None)
    if isinstance(query, FunnelQuery):
        funnel = bind_funnel(model, query, facts)
        plan = rewrite_plan(lower_funnel(funnel), model, facts, viewer)
        statement = _statement(plan, _funnel_columns(funnel), dialect)
        return Compiled(statement, funnel, plan, funnel.warnings, funnel.data_through)
    bound = bind(model, query, facts)
    plan = rewrite_plan(lower(bound), model, facts, viewer)
    return Compiled(_statement(plan, _columns(bound), dialect), bound, plan, bound.warnings, bound.data_through)


def _statement(plan: Plan, columns: tuple[Column, ...], dialect: Dialect) -> Statement:
    text = Renderer(dialect, plan).render(plan)
    datasets = sorted({node.dataset for node in nodes(plan) if isinstance(node, Scan)})
    return Statement(text.text, text.params, columns, tuple(datasets))


def _columns(bound: BoundQuery) -> tuple[Column, ...]:
    kinds = {key.name: key.kind for key in bound.keys} | {metric.key: metric.kind for metric in bound.metrics}
    found = [Column(name, kinds[name]) for name in bound.output]
    if bound.count_rows:
        found.append(Column(ROW_COUNT, Kind.INTEGER))
    return tuple(found)


def _funnel_columns(bound: BoundFunnel) -> tuple[Column, ...]:
    if bound.report is FunnelReport.HISTOGRAM:
        return (Column("bucket", Kind.INTEGER), Column("count", Kind.INTEGER))
    if bound.report is FunnelReport.DROP_OFFS:
        return (Column("entity", Kind.STRING), Column("last_seen", Kind.TIMESTAMPTZ))
    steps = range(1, len(bound.funnel.steps) + 1)
    found = [Column(key.name, key.kind) for key in bound.dimensions]
    if bound.grain is not None:
        found.insert(0, Column("period", Kind.TIMESTAMPTZ if bound.grain.is_clock else Kind.DATE))
    found += [Column(f"count{step}", Kind.INTEGER) for step in steps]
    if bound.times:
        for step in steps[1:]:
            found += [Column(f"average{step}", Kind.FLOAT), Column(f"median{step}", Kind.FLOAT)]
    return tuple(found)
