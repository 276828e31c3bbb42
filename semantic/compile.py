"""Compile: bind, lower, rewrite, render. One short function of nouns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import assert_never

from semantic.errors import Code, QueryError
from semantic.lower.audits import Audit, audits
from semantic.lower.combine import lower, rows_told
from semantic.lower.funnel_report import lower_funnel
from semantic.lower.guards import Told
from semantic.lower.journey import lower_journey
from semantic.lower.lifecycle import lower_lifecycle
from semantic.lower.retention import lower_retention
from semantic.lower.score import lower_score
from semantic.lower.scored import with_score_rows
from semantic.lower.touch_path import lower_touch_paths
from semantic.lower.values import bind_values, lower_values, values_datasets
from semantic.model.facts import Facts
from semantic.model.metric import Metric
from semantic.model.model import Model
from semantic.model.reads import metrics_inside
from semantic.plan.cost import rows_read
from semantic.plan.node import Plan, Scan
from semantic.plan.walk import nodes
from semantic.query.access import LeastGroups, least_groups
from semantic.query.bind import bind
from semantic.query.bind import datasets_needed as metric_datasets
from semantic.query.bind_funnel import bind_funnel, funnel_datasets
from semantic.query.bind_journey import bind_journey, journey_datasets
from semantic.query.bind_retention import bind_lifecycle, bind_retention, retention_datasets
from semantic.query.bind_score import bind_score, score_datasets
from semantic.query.bind_touch_path import bind_touch_paths, touch_path_datasets
from semantic.query.bound import (
    Bound,
    BoundFunnel,
    BoundJourney,
    BoundLifecycle,
    BoundQuery,
    BoundRetention,
    BoundScore,
    BoundTouchPaths,
    BoundValues,
)
from semantic.query.funnel import FunnelQuery
from semantic.query.journey import JourneyQuery
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.query import ANONYMOUS, MetricQuery, Viewer
from semantic.query.retention import RetentionQuery
from semantic.query.score import ScoreQuery
from semantic.query.scored import with_scores
from semantic.query.seen import seen, unlisted
from semantic.query.touch_path import TouchPathQuery
from semantic.query.values import ValuesQuery
from semantic.query.visible import Question, check_visible, seen_by, veiled
from semantic.query.warning import QueryWarning
from semantic.rewrite import rewrite_plan
from semantic.sql.answer import answer_columns
from semantic.sql.dialect import Dialect
from semantic.sql.duckdb import DUCKDB
from semantic.sql.render import Renderer
from semantic.sql.statement import Column, Statement


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit ready to run: its rows become warnings beside the answer."""

    statement: Statement
    audit: Audit


@dataclass(frozen=True, slots=True)
class Compiled:
    """A question ready to run, with what led to it. `data_through`: the last complete day of all its datasets.

    `guarded`: it is of data whose groups may be too small for the viewer. `told`: which rows of it its metrics are of.
    `rows_read`: about how many rows of files it reads. `audits`: what to ask besides, for whoever wants every warning.
    """

    statement: Statement
    bound: Bound
    plan: Plan
    warnings: tuple[QueryWarning, ...]
    data_through: date | None
    rows_read: int
    audits: tuple[Audited, ...] = ()
    guarded: bool = False
    told: frozenset[Told] = frozenset()


def datasets_needed(model: Model, query: Question) -> tuple[str, ...]:
    """The datasets whose facts compiling a question needs, sorted. QueryError for unknown names."""
    match query:
        case MetricQuery():
            return metric_datasets(model, query)
        case ValuesQuery():
            return values_datasets(model, query)
        case FunnelQuery():
            return funnel_datasets(model, query)
        case RetentionQuery() | LifecycleQuery():
            return retention_datasets(model, query)
        case JourneyQuery():
            return journey_datasets(model, query)
        case TouchPathQuery():
            return touch_path_datasets(model, query)
        case ScoreQuery():
            return score_datasets(model, query)
        case _:
            assert_never(query)


def compile_query(
    model: Model,
    query: Question,
    facts: Facts,
    viewer: Viewer = ANONYMOUS,
    dialect: Dialect = DUCKDB,
) -> Compiled:
    """A question → one SQL statement, or QueryError saying why there is no right answer."""
    model = seen_by(model, viewer)
    check_visible(model, query, viewer)
    least = least_groups(model, viewer)
    facts = with_scores(model, unlisted(model, seen(model, facts), viewer))
    try:
        bound = _bind(model, query, facts)
        lowered = with_score_rows(_lower(bound, dialect, least), bound)
        plan = rewrite_plan(lowered, model, facts, viewer)
    except QueryError as error:
        raise veiled(error, model.hidden) from error
    statement = _statement(plan, answer_columns(bound), dialect)
    audited, guarded = [], _is_guarded(bound, least)
    for audit in () if guarded else audits(lowered, model, facts):  # what these count may be of a few
        columns = tuple(Column(name, kind) for name, kind in audit.columns)
        besides = rewrite_plan(audit.plan, model, facts, viewer)
        audited.append(Audited(_statement(besides, columns, dialect), audit))
    read = rows_read(plan, facts)
    told = rows_told(bound, least) if guarded and isinstance(bound, BoundQuery) else frozenset()
    return Compiled(statement, bound, plan, bound.warnings, bound.data_through, read, tuple(audited), guarded, told)


def _statement(plan: Plan, columns: tuple[Column, ...], dialect: Dialect) -> Statement:
    text = Renderer(dialect, plan).render(plan)
    datasets = sorted({node.dataset for node in nodes(plan) if isinstance(node, Scan)})
    return Statement(text.text, text.params, columns, tuple(datasets), plan)


def _bind(model: Model, query: Question, facts: Facts) -> Bound:
    match query:
        case MetricQuery():
            return bind(model, query, facts)
        case ValuesQuery():
            return bind_values(model, query, facts)
        case FunnelQuery():
            return bind_funnel(model, query, facts)
        case RetentionQuery():
            return bind_retention(model, query, facts)
        case LifecycleQuery():
            return bind_lifecycle(model, query, facts)
        case JourneyQuery():
            return bind_journey(model, query, facts)
        case TouchPathQuery():
            return bind_touch_paths(model, query, facts)
        case ScoreQuery():
            return bind_score(model, query, facts)
        case _:
            assert_never(query)


def _lower(bound: Bound, dialect: Dialect, least: LeastGroups) -> Plan:
    if not isinstance(bound, BoundQuery | BoundValues) and _is_guarded(bound, least):
        raise QueryError(
            Code.FORBIDDEN,
            "Groups may be too small for you to see in such a report.",
            "Ask `metrics` for what you need of it: conversion and retention are metrics, too.",
        )
    match bound:
        case BoundQuery():
            return lower(bound, dialect.word, least)
        case BoundValues():
            return lower_values(bound, least)
        case BoundFunnel():
            return lower_funnel(bound)
        case BoundRetention():
            return lower_retention(bound)
        case BoundLifecycle():
            return lower_lifecycle(bound)
        case BoundJourney():
            return lower_journey(bound)
        case BoundTouchPaths():
            return lower_touch_paths(bound)
        case BoundScore():
            return lower_score(bound)
        case _:
            assert_never(bound)


def _is_guarded(bound: Bound, least: LeastGroups) -> bool:
    """Whether a question is about anything whose groups may be too small."""
    if not least.datasets.keys().isdisjoint(bound.facts.datasets):
        return True
    asked: list[Metric] = [one.metric for one in bound.metrics] if isinstance(bound, BoundQuery) else []
    if isinstance(bound, BoundTouchPaths) and bound.metric is not None:
        asked = [bound.metric]
    return any(not least.metrics.keys().isdisjoint(metrics_inside(bound.model, metric)) for metric in asked)
