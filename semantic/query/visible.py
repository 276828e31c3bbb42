"""What a viewer may name: hidden metrics and dimensions don't exist for whoever may not see them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from semantic.errors import Code, QueryError
from semantic.model.dataset import Relationship
from semantic.model.model import Model
from semantic.model.reach import ReachedDimension, reachable, touch_dimensions
from semantic.model.reads import columns_read
from semantic.query.access import closed_datasets, hidden_names
from semantic.query.bind import condition_dimensions
from semantic.query.bind_funnel import funnel_datasets
from semantic.query.bind_score import score_datasets
from semantic.query.funnel import FunnelQuery, FunnelReport
from semantic.query.journey import JourneyQuery
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.query import DimensionField, MetricQuery, Viewer
from semantic.query.retention import RetentionQuery
from semantic.query.score import ScoreQuery
from semantic.query.touch_path import TouchPathQuery
from semantic.query.values import ValuesQuery

Sequences = FunnelQuery | RetentionQuery | LifecycleQuery | JourneyQuery | TouchPathQuery
"""Questions about somebody's events in time."""

Question = MetricQuery | ValuesQuery | Sequences | ScoreQuery
"""Everything that can be asked."""


def seen_by(model: Model, viewer: Viewer) -> Model:
    """The model that tells this viewer of nothing hidden; the same one when nothing is."""
    hidden = hidden_names(model, viewer)
    return model if hidden == model.hidden else replace(model, hidden=hidden)


def veiled(error: QueryError, hidden: frozenset[str]) -> QueryError:
    """The same refusal without the names of what is hidden, such as of a metric inside another."""
    texts = [
        text and re.sub(r'"(\w+)"', lambda found: '"…"' if found[1] in hidden else found[0], text)
        for text in (error.message, error.suggestion)
    ]
    return QueryError(error.code, texts[0] or "", texts[1])


def check_visible(model: Model, query: Question, viewer: Viewer) -> None:
    """Refuse a hidden name exactly as an unknown one, without a suggestion that would betray it; and what lists who is
    counted, where a policy keeps that from the viewer (FORBIDDEN).
    """
    _check_hidden(model, query, hidden_names(model, viewer))
    _check_entities(model, query, closed_datasets(model, viewer))


def _check_hidden(model: Model, query: Question, hidden: frozenset[str]) -> None:
    if not hidden:
        return
    for metric in _metrics(query):
        if metric in hidden:
            raise QueryError(Code.UNKNOWN_METRIC, f'There is no metric "{metric}".')
    for name in _dimensions(model, query):
        if name in hidden:
            raise QueryError(Code.UNKNOWN_DIMENSION, f'There is no dimension "{name}".')


def _check_entities(model: Model, query: Question, closed: frozenset[str]) -> None:
    if not closed:
        return
    if not closed.isdisjoint(_datasets_listed(model, query)):
        raise QueryError(Code.FORBIDDEN, "You may not see who the entities are.", "Ask for what counts them.")
    named = set(_dimensions(model, query))
    for dataset in model.datasets:
        for reached in reachable(model, dataset).values():
            if reached.name in named and _tells_who(model, dataset, reached, closed):
                message = f'"{reached.name}" says who the entities are, which you may not see.'
                raise QueryError(Code.FORBIDDEN, message, "Split and filter by something else.")


def _tells_who(model: Model, dataset: str, reached: ReachedDimension, closed: frozenset[str]) -> bool:
    """Whether a dimension is made of an id of a closed dataset's entities: in that dataset, or in one it leads to."""
    holder = reached.path[-1].to_dataset if reached.path else dataset
    for way, column in columns_read(model, holder, reached.dimension.expr, reached.path):
        passed = (dataset, *(step.to_dataset for step in way))
        for place, name in enumerate(passed):
            if model.stored_as(name) in closed and column in _ids_along(model, name, way[place:]):
                return True
    return False


def _ids_along(model: Model, dataset: str, way: tuple[Relationship, ...]) -> set[str]:
    """The columns, where a way from a dataset ends, that say who its entities are: those that it joins their ids to,
    those of the same entities, and what is made of either.
    """
    entities = dict(model.datasets[dataset].entities)
    ids = _and_made_of(model, dataset, set(entities.values()))
    for step in way:
        joined = {column for own, column in step.columns if own in ids}
        same = {column for entity, column in model.datasets[step.to_dataset].entities if entity in entities}
        ids = _and_made_of(model, step.to_dataset, joined | same)
    return ids


def _and_made_of(model: Model, dataset: str, ids: set[str]) -> set[str]:
    made = model.datasets[dataset].computed
    return ids | {column for column, expr in made if any(ref.name in ids for ref in expr.refs)}


def _datasets_listed(model: Model, query: Question) -> tuple[str, ...]:
    """The datasets whose entities a question lists."""
    match query:
        case FunnelQuery(report=FunnelReport.DROP_OFFS):
            return funnel_datasets(model, query)
        case ScoreQuery():
            return score_datasets(model, query)
        case MetricQuery() | ValuesQuery() | FunnelQuery() | RetentionQuery() | LifecycleQuery():
            return ()
        case JourneyQuery() | TouchPathQuery():
            return ()
        case _:
            assert_never(query)


def _metrics(query: Question) -> Iterator[str]:
    if isinstance(query, MetricQuery):
        yield from (field.metric for field in query.metrics)
    if isinstance(query, TouchPathQuery) and query.metric is not None:
        yield query.metric


def _called_by(model: Model, query: TouchPathQuery) -> tuple[str, ...]:
    """What touches are called by: as asked, else the first that credit can be split by."""
    if query.by is not None:
        return (query.by,)
    attribution = model.attributions.get(query.attribution)
    return () if attribution is None else model.shown(touch_dimensions(model, attribution))[:1]


def _dimensions(model: Model, query: Question) -> Iterator[str]:
    yield from condition_dimensions(query.where)
    if isinstance(query, ValuesQuery):
        yield query.dimension
        return
    if isinstance(query, LifecycleQuery):
        return
    if isinstance(query, ScoreQuery):  # an answer tells them all
        yield from model.scores[query.score].dimension_names if query.score in model.scores else ()
        return
    if isinstance(query, JourneyQuery):
        yield query.by
        yield from condition_dimensions(query.anchor)
        return
    if isinstance(query, TouchPathQuery):
        yield from _called_by(model, query)
        return
    if isinstance(query, RetentionQuery):
        yield from query.breakdown
        return
    if isinstance(query, FunnelQuery):
        yield from query.breakdown
        steps = () if isinstance(query.funnel, str) else query.funnel.steps
        for step in steps:
            yield from condition_dimensions(step.where)
        return
    for field in query.fields:
        if isinstance(field, DimensionField):
            yield field.dimension
    for metric in query.metrics:
        yield from condition_dimensions(metric.where)
