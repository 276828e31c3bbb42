"""Bind a question about a score's entities."""

from __future__ import annotations

from semantic.errors import Code, QueryError, did_you_mean
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.model.reach import reachable
from semantic.model.score import ScoreDefinition
from semantic.query.bind import condition_dimensions, least_through, with_related
from semantic.query.bound import BoundScore
from semantic.query.period import resolve
from semantic.query.score import ScoreQuery
from semantic.query.scored import as_of
from semantic.time import zone

MAX_ENTITIES = 10_000


def score_datasets(model: Model, query: ScoreQuery) -> tuple[str, ...]:
    """The datasets whose facts the question needs, sorted. UNKNOWN_NAME."""
    needed: dict[str, None] = {}
    with_related(model, _definition(model, query).dataset, needed)
    return tuple(sorted(needed))


def bind_score(model: Model, query: ScoreQuery, facts: Facts) -> BoundScore:
    """The question with every name resolved and every date absolute."""
    definition = _definition(model, query)
    if not 1 <= query.limit <= MAX_ENTITIES or query.offset < 0:
        raise QueryError(Code.BAD_ARGUMENT, f"`limit` must be 1 to {MAX_ENTITIES}, `offset` not negative.")
    known = reachable(model, definition.name)
    for name in condition_dimensions(query.where):
        if name not in known:
            shown = model.shown(known)
            raise QueryError(
                Code.DIMENSION_NOT_SHARED,
                f'The entities of "{definition.name}" can\'t be filtered by "{name}". They can be by: '
                f"{', '.join(shown)}.",
                did_you_mean(name, shown),
            )
    tz = zone(query.timezone or model.timezone)
    through = least_through(model, [definition.dataset], facts)
    span = resolve(query.time_range, through, tz, model.week_start) if query.time_range else None
    return BoundScore(
        model=model,
        facts=facts,
        definition=definition,
        report=query.report,
        entities=query.entities,
        zone=tz,
        week_start=model.week_start,
        span=span,
        data_through=through,
        as_of=as_of(model, facts, definition, span, tz),
        where=query.where,
        limit=query.limit,
        offset=query.offset,
        warnings=(),
    )


def _definition(model: Model, query: ScoreQuery) -> ScoreDefinition:
    found = model.scores.get(query.score)
    if found is None:
        near = did_you_mean(query.score, model.scores)
        raise QueryError(Code.UNKNOWN_NAME, f'There is no score "{query.score}".', near)
    return found
