"""What one request has asked so far and what it was given: for its limits, and for the logs. Names and counts only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from api.resolvers.company import check_company
from api.resolvers.limits import MOST_SQL, Limits
from engine.engine import Answer
from semantic.compile import Compiled
from semantic.errors import Code, QueryError
from semantic.query.funnel import FunnelQuery
from semantic.query.journey import JourneyQuery
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.query import DimensionField, MetricQuery
from semantic.query.retention import RetentionQuery
from semantic.query.score import ScoreQuery
from semantic.query.touch_path import TouchPathQuery
from semantic.query.values import ValuesQuery
from semantic.query.visible import Question
from semantic.sql.statement import Statement


@dataclass(frozen=True, slots=True)
class Ran:
    """One statement that was run for a request. `ended`: nanoseconds since 1970."""

    compiled: Compiled
    rows: int
    seconds: float
    ended: int

    @property
    def statement(self) -> Statement:
        """What was run."""
        return self.compiled.statement


@dataclass(frozen=True, slots=True)
class Account:
    """What a request was about, when it has ended. `cached`: nothing had to be run. `read`: estimated rows of files."""

    asked: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    rows: int = 0
    read: int = 0
    cached: bool = False
    ran: tuple[Ran, ...] = ()


NO_ACCOUNT = Account()
"""Of a request that asked no question."""


@dataclass(slots=True, eq=False)
class Ledger:
    """Kept while a request is answered. It holds every question it was told of, so that none is taken for another."""

    _questions: dict[int, Question] = field(default_factory=dict)
    _compiled: dict[int, Compiled] = field(default_factory=dict)
    _answers: dict[int, Answer] = field(default_factory=dict)
    _ran: list[Ran] = field(default_factory=list)
    _bytes: int = 0

    def ask(self, question: Question) -> None:
        """Note that a question is asked, whatever becomes of it."""
        self._questions[id(question)] = question

    def weigh(self, question: Question, compiled: Compiled, limits: Limits) -> None:
        """Note what a question costs, before it runs. LIMIT_EXCEEDED when all of the request together is too much,
        FORBIDDEN when it could tell of groups that are too small.
        """
        self._questions[id(question)], self._compiled[id(question)] = question, compiled
        if (length := len(compiled.statement.sql)) > MOST_SQL:
            raise QueryError(
                Code.LIMIT_EXCEEDED,
                f"The question is too complex: its statement has {length:,} characters, but the limit is {MOST_SQL:,}.",
                "Ask for fewer fields at once, or give them the same filters and windows.",
            )
        if compiled.guarded:
            check_company((self._questions[key], one) for key, one in self._compiled.items())
        if limits.scan and (read := self._read) > limits.scan:
            raise QueryError(
                Code.LIMIT_EXCEEDED,
                f"About {read:,} rows would have to be read for this request, but at most {limits.scan:,} are.",
                "Ask for a shorter time range, or for less at once.",
            )

    def take(self, question: Question, compiled: Compiled, answer: Answer, now: int, limits: Limits) -> None:
        """Note an answer, come at `now` (nanoseconds since 1970). LIMIT_EXCEEDED when all together is too large."""
        self._answers[id(question)] = answer
        if not answer.cached:
            self._ran.append(Ran(compiled, answer.table.num_rows, answer.seconds, now))
        self._bytes += answer.size
        if limits.answer and self._bytes > limits.answer:
            raise QueryError(
                Code.LIMIT_EXCEEDED,
                f"The answer is too large: {self._bytes:,} bytes so far, but at most {limits.answer:,} are served.",
                "Ask page by page, with `limit` and `offset`, or for fewer fields.",
            )

    @property
    def _read(self) -> int:
        return sum(compiled.rows_read for compiled in self._compiled.values())

    def account(self) -> Account:
        """What it came to."""
        if not self._questions:
            return NO_ACCOUNT
        questions = self._questions.values()
        return Account(
            asked=_once(name for question in questions for name in names_of(question)),
            dimensions=_once(name for question in questions for name in dimensions_of(question)),
            datasets=_once(name for answer in self._answers.values() for name in answer.statement.datasets),
            rows=sum(answer.table.num_rows for answer in self._answers.values()),
            read=self._read,
            cached=bool(self._answers) and not self._ran,
            ran=tuple(self._ran),
        )


def names_of(question: Question) -> Iterable[str]:
    """The metrics, the funnel, the retention or the score that a question names."""
    match question:
        case MetricQuery():
            return (one.metric for one in question.metrics)
        case FunnelQuery():
            return (question.funnel if isinstance(question.funnel, str) else "(funnel of the query)",)
        case RetentionQuery() | LifecycleQuery():
            return (question.retention,)
        case ScoreQuery():
            return (question.score,)
        case TouchPathQuery():
            return (question.attribution, *(() if question.metric is None else (question.metric,)))
        case ValuesQuery() | JourneyQuery():
            return ()
        case _:
            assert_never(question)


def dimensions_of(question: Question) -> Iterable[str]:
    """The dimensions a question is split by."""
    match question:
        case MetricQuery():
            return (one.dimension for one in question.fields if isinstance(one, DimensionField))
        case FunnelQuery() | RetentionQuery():
            return question.breakdown
        case ValuesQuery():
            return (question.dimension,)
        case JourneyQuery():
            return (question.by,)
        case TouchPathQuery():
            return () if question.by is None else (question.by,)
        case LifecycleQuery() | ScoreQuery():
            return ()
        case _:
            assert_never(question)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
