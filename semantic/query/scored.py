"""What is true of scores: their facts, made of those of the datasets they read, and the day they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from semantic.model.facts import DatasetFacts, Facts, Kind
from semantic.model.first import FIRST_DAY, FirstDefinition
from semantic.model.model import Model
from semantic.model.score import COLUMNS, WHO, ScoreDefinition
from semantic.query.kind import column_kinds, expression_kind
from semantic.query.period import Span, data_through, local_day
from semantic.time import zone


def with_scores(model: Model, facts: Facts) -> Facts:
    """The facts of files, and of every score and first whose dataset is among them."""
    made = {
        score.name: _facts(model, facts, score) for score in model.scores.values() if score.dataset in facts.datasets
    }
    made |= {
        first.name: _first_facts(model, facts, first)
        for first in model.firsts.values()
        if first.dataset in facts.datasets
    }
    return replace(facts, datasets=MappingProxyType({**facts.datasets, **made})) if made else facts


def _first_facts(model: Model, facts: Facts, first: FirstDefinition) -> DatasetFacts:
    own = facts.datasets[first.dataset]
    who = model.datasets[first.dataset].entity_column(first.entity)
    kinds = {WHO: own.columns.get(who or "", Kind.OTHER), FIRST_DAY: Kind.DATE}
    return DatasetFacts(version=own.version, columns=kinds, unique_keys=frozenset([(WHO,)]))


def _facts(model: Model, facts: Facts, score: ScoreDefinition) -> DatasetFacts:
    own = facts.datasets[score.dataset]
    who = model.datasets[score.dataset].entity_column(score.entity)
    kinds: Mapping[str, Kind] = {
        **dict(COLUMNS),
        WHO: own.columns.get(who or "", Kind.OTHER),
        "monetary": amount_kind(model, facts, score),
    }
    return DatasetFacts(version=own.version, columns=kinds, unique_keys=frozenset([(WHO,)]))


def amount_kind(model: Model, facts: Facts, score: ScoreDefinition) -> Kind:
    """The kind of the amounts that somebody has paid."""
    kind = expression_kind(score.amount, column_kinds(model, facts, score.dataset))
    return kind if kind.is_number else Kind.FLOAT


def as_of(model: Model, facts: Facts, score: ScoreDefinition, span: Span | None, tz: ZoneInfo) -> date | None:
    """The last day that scores take into account: the time range's, or the last complete one where that is earlier.
    None: there is no data.
    """
    dataset = model.datasets[score.dataset]
    if score.time_dimension is not None:
        dataset = replace(dataset, time_dimension=score.time_dimension)
    through = data_through(dataset, facts.datasets[score.dataset], zone(model.timezone))
    if span is None or through is None:
        return through
    return min(through, local_day(span.end - timedelta(microseconds=1), tz))
