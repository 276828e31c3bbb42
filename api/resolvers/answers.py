"""Questions → answers: all of a field at once, and all from one version of the data."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from api.resolvers.compiler import Question
from api.resolvers.context import Context
from api.resolvers.start import Ticket
from engine.caller import CALLER, Caller
from engine.deadline import in_time
from engine.engine import Answer
from semantic.compile import Audited, Compiled, datasets_needed
from semantic.errors import DataError, QueryError
from semantic.model.facts import Facts
from semantic.query.query import Viewer
from semantic.query.warning import QueryWarning
from semantic.sql.statement import Statement

_ATTEMPTS = 3
"""How often a field is asked anew when its data changes between its statements."""

T = TypeVar("T")
Q = TypeVar("Q", bound=Question)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with what was compiled for it."""

    answer: Answer
    compiled: Compiled


async def ask(context: Context, question: Question) -> Answered:
    """Compile and run one question. QueryError when there is no right answer, or too much of it; DataError, Timeout,
    Overloaded.
    """
    ticket = context.start.ticket()
    try:
        return await _ask(context, question, ticket)
    finally:
        ticket.given_up()


async def _ask(context: Context, question: Question, ticket: Ticket) -> Answered:
    context.ledger.ask(question)
    CALLER.set(Caller(context.viewer.id, context.limits.concurrency))

    def compile_statement(facts: Facts) -> Statement:
        compiled = context.compiler.compile(question, facts, context.viewer)
        context.ledger.weigh(question, compiled, context.limits)
        return compiled.statement

    with _spoken(context):
        async with in_time(context.limits.deadline, "The query was stopped"):
            datasets = datasets_needed(context.model, question)
            facts = context.engine.known(datasets) or await context.engine.facts(datasets)
            await context.compiler.prepare(question, facts, context.viewer)
            await ticket.wait()
            answer = await context.engine.answer(datasets, compile_statement)
    return _taken(context, question, answer, context.compiler.compile(question, answer.facts, context.viewer))


class Prepared(Generic[Q]):
    """A question that is asked again and again, with what was compiled for it last: of which viewer, on which data."""

    __slots__ = ("_compiled", "_facts", "_viewer", "datasets", "question")

    def __init__(self, question: Q, datasets: tuple[str, ...]) -> None:
        self.question = question
        self.datasets = datasets
        self._facts: Facts | None = None
        self._viewer: Viewer | None = None
        self._compiled: Compiled | None = None

    def kept(self, context: Context) -> Answered | None:
        """The answer where it is at hand; None when it has to be asked for. Errors as those of `ask`."""
        context.ledger.ask(self.question)
        answer = context.engine.kept(self.datasets, lambda facts: self._compile(context, facts).statement)
        if answer is None:
            return None
        return _taken(context, self.question, answer, self._compile(context, answer.facts))

    def _compile(self, context: Context, facts: Facts) -> Compiled:
        known = self._compiled
        if known is None or facts is not self._facts or context.viewer != self._viewer:
            known = context.compiler.compile(self.question, facts, context.viewer)
            self._compiled, self._facts, self._viewer = known, facts, context.viewer
        context.ledger.weigh(self.question, known, context.limits)
        return known


def _taken(context: Context, question: Question, answer: Answer, compiled: Compiled) -> Answered:
    """An answer with what was compiled for it, entered in the request's ledger."""
    context.ledger.take(question, compiled, answer, time.time_ns(), context.limits)
    return Answered(answer, compiled)


@contextmanager
def _spoken(context: Context) -> Iterator[None]:
    """Refusals name metrics and dimensions as the caller does."""
    try:
        yield
    except QueryError as error:
        suggestion = error.suggestion and context.names.spoken(error.suggestion)
        raise QueryError(error.code, context.names.spoken(error.message), suggestion) from error


async def ask_all(context: Context, questions: Iterable[Q]) -> Mapping[Q, Answered]:
    """Answers to all questions, run side by side, from one version of every dataset. Errors as those of `ask`."""
    asked = tuple(questions)
    for _ in range(_ATTEMPTS):
        found = await _all(context, asked)
        if _agree(found):
            return dict(zip(asked, found, strict=True))
    raise DataError("The data kept changing while it was read.", "Ask again in a moment.")


async def _all(context: Context, asked: Sequence[Question]) -> list[Answered]:
    tickets = [context.start.ticket() for _ in asked]
    try:
        pairs = zip(asked, tickets, strict=True)
        return await together([_ask(context, question, ticket) for question, ticket in pairs])
    finally:
        for ticket in tickets:
            ticket.given_up()


async def audit(context: Context, answers: Iterable[Answered]) -> tuple[QueryWarning, ...]:
    """What the audits of answers warn of, each once. Errors as those of `ask`."""
    asked = list(dict.fromkeys(one for answered in answers for one in answered.compiled.audits))
    found = await together([_audit(context, one) for one in asked])
    return tuple(dict.fromkeys(warning for warnings in found for warning in warnings))


async def _audit(context: Context, asked: Audited) -> list[QueryWarning]:
    CALLER.set(Caller(context.viewer.id, context.limits.concurrency))
    async with in_time(context.limits.deadline, "The query was stopped"):
        answer = await context.engine.answer(asked.statement.datasets, lambda facts: asked.statement)
    return list(asked.audit.warnings(answer.table.to_pylist()))


async def together(coroutines: list[Coroutine[Any, Any, T]]) -> list[T]:
    """All results in order. The first failure is raised, and what still runs is stopped."""
    if len(coroutines) == 1:
        return [await coroutines[0]]
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _agree(answers: Iterable[Answered]) -> bool:
    """Whether no dataset was read in two versions."""
    seen: dict[str, str] = {}
    pairs = [pair for answered in answers for pair in versions(answered.answer.facts).items()]
    return all(seen.setdefault(name, version) == version for name, version in pairs)


def versions(facts: Facts) -> dict[str, str]:
    """The version of each dataset."""
    return {name: dataset.version for name, dataset in facts.datasets.items()}


def data_version(several: Iterable[Facts]) -> str:
    """One version for all datasets of several facts: the facts' own where they are of the same datasets."""
    found = {facts.version: facts for facts in several}
    if len(found) == 1:
        return next(iter(found))
    every = {name: version for facts in found.values() for name, version in versions(facts).items()}
    return hashlib.sha256(repr(sorted(every.items())).encode()).hexdigest()[:16]
