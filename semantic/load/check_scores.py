"""Rules on scores, and on what counts their entities."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.errors import Code, Position, Problem
from semantic.load.check_sequences import check_entity
from semantic.load.suggest import at_part, near
from semantic.model.expression import Expression
from semantic.model.metric import Simple
from semantic.model.model import Model
from semantic.model.score import COLUMNS, NUMBERS


def check_scores(model: Model) -> Iterator[Problem]:
    """A score has a name of its own, an entity and a time; its rules read its numbers."""
    for score in model.scores.values():
        at = ("scores", score.name)
        if ("datasets", score.name) in model.places:
            message = f'"{score.name}" is a dataset already: a score is one too, of its entities.'
            yield Problem(Code.DUPLICATE_NAME, message, model.places.at(*at, "name"), "Give it another name.")
        yield from check_entity(model, (*at, "entity"), score.entity, [score.dataset])
        if score.time_dimension is None and model.datasets[score.dataset].time_dimension is None:
            message = f'A score is of purchases in time, and the dataset "{score.dataset}" has no time_dimension.'
            yield Problem(Code.MISSING_KEY, message, model.places.at(*at, "dataset"), "Give the score one.")
        rules: list[tuple[str, str, Expression | None]] = [("segments", one.name, one.where) for one in score.segments]
        rules += [("risks", one.name, one.where) for one in score.risks]
        for section, name, where in rules:
            if where is not None:
                place = model.places.at(*at, section, name, "where")
                yield from _check_names(where, [column for column, _ in NUMBERS], "A rule", place)


def check_scored(model: Model) -> Iterator[Problem]:
    """A metric over a score reads its columns, and has no time."""
    for metric in model.metrics.values():
        if not isinstance(metric, Simple) or model.datasets[metric.dataset].score is None:
            continue
        for key, expression in (("expr", metric.expr), ("where", metric.where)):
            if expression is not None:
                place = model.places.at("metrics", metric.name, key)
                known = [column for column, _ in COLUMNS if column != "reasons"]
                yield from _check_names(expression, known, f'A metric of the score "{metric.dataset}"', place)
        if metric.time_dimension is not None:
            message = f'A metric of the score "{metric.dataset}" is of the end of the time range: it has no time.'
            yield Problem(Code.BAD_VALUE, message, model.places.at("metrics", metric.name, "time_dimension"))


def _check_names(expression: Expression, known: list[str], who: str, at: Position | None) -> Iterator[Problem]:
    for ref in expression.refs:
        if ref.path or ref.name not in known:
            message = f'{who} reads {", ".join(known)}; there is no "{ref}".'
            place = at_part(ref, len(ref.path)) or at
            yield Problem(Code.UNKNOWN_COLUMN, message, place, near(ref.name, known))
