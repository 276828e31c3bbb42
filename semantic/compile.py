"""Compile: bind, lower, rewrite, render. One short function of nouns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from semantic.lower.combine import lower
from semantic.lower.values import bind_values, lower_values, values_datasets
from semantic.model.facts import Facts, Kind
from semantic.model.model import Model
from semantic.plan.node import Plan, Scan
from semantic.plan.walk import nodes
from semantic.query.bind import bind
from semantic.query.bind import datasets_needed as metric_datasets
from semantic.query.bound import BoundQuery, BoundValues
from semantic.query.query import ANONYMOUS, ROW_COUNT, MetricQuery, Viewer
from semantic.query.values import ValuesQuery
from semantic.query.visible import check_visible
from semantic.query.warning import QueryWarning
from semantic.rewrite import rewrite_plan
from semantic.sql.dialect import Dialect
from semantic.sql.duckdb import DUCKDB
from semantic.sql.render import Renderer
from semantic.sql.statement import Column, Statement


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query ready to run, with what led to it. `data_through`: the last complete day of all its datasets."""

    statement: Statement
    bound: BoundQuery | BoundValues
    plan: Plan
    warnings: tuple[QueryWarning, ...]
    data_through: date | None


def datasets_needed(model: Model, query: MetricQuery | ValuesQuery) -> tuple[str, ...]:
    """The datasets whose facts compiling a query needs, sorted. QueryError for unknown names."""
    if isinstance(query, ValuesQuery):
        return values_datasets(model, query)
    return metric_datasets(model, query)


def compile_query(
    model: Model,
    query: MetricQuery | ValuesQuery,
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
