"""Questions of one request whose answers together could tell of groups that are too small to be shown."""

from __future__ import annotations

from collections.abc import Iterable

from semantic.compile import Compiled
from semantic.errors import Code, QueryError
from semantic.lower.guards import overlap
from semantic.model.metric import Cumulative
from semantic.model.model import Model
from semantic.model.reads import metrics_inside
from semantic.query.query import MetricField, MetricQuery
from semantic.query.visible import Question


def check_company(asked: Iterable[tuple[Question, Compiled]]) -> None:
    """FORBIDDEN unless the guarded questions are one, or rows and totals of the same rows of data.

    Within a question, what subtraction would tell is withheld; between two, it could not be.
    """
    guarded = {question: compiled for question, compiled in asked if compiled.guarded}
    if len(guarded) < 2:
        return
    ranges, splits = set(), set()
    for question, compiled in guarded.items():
        if not isinstance(question, MetricQuery) or not _is_plain(compiled.bound.model, question):
            raise _refusal()
        ranges.add((question.time_range, question.timezone, question.where, question.segments))
        if len(question.metrics) < len(question.fields):
            splits.add(question)
    told = (one for compiled in guarded.values() for one in compiled.told)
    if len(ranges) > 1 or len(splits) > 1 or overlap(told):
        raise _refusal()


def _is_plain(model: Model, question: MetricQuery) -> bool:
    """Whether its fields take the rows of their metrics as they are."""
    for field in question.metrics:
        if field != MetricField(field.key, field.metric):
            return False
        inside = metrics_inside(model, model.metrics[field.metric])
        if any(isinstance(model.metrics[name], Cumulative) for name in inside):
            return False
    return True


def _refusal() -> QueryError:
    return QueryError(
        Code.FORBIDDEN,
        "Together these answers could tell you of groups that are too small for you to see.",
        "Ask for rows and their totals; ask for anything else in a request of its own.",
    )
