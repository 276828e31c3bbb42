"""Answers kept by what was asked and of which data, so that equal questions of unchanged files run once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from cachetools import LRUCache

from engine.engine import Answer, Compile, Engine
from engine.flight import Flights
from engine.load import Busy, Load, load_of
from engine.settings import EngineSettings
from semantic.errors import Timeout
from semantic.model.facts import Facts
from semantic.sql.statement import Statement

AGAIN = 5.0
"""Seconds after which it is worth asking again for an answer that is still being computed."""
OVERHEAD, PER_VALUE = 2048, 128
"""Bytes of an answer beside its columns and its SQL, and of each value among its parameters."""


@dataclass(slots=True, eq=False)
class _Fresh:
    """An answer that was just computed, for one or for several."""

    answer: Answer
    taken: bool = False

    def take(self) -> Answer:
        """The answer. It was run for the first who takes it; the others are given it once more."""
        first, self.taken = not self.taken, True
        return self.answer if first else _again(self.answer, self.answer.facts)


class Cached(Engine, Busy):
    """An engine around another one. The key is the statement's digest and the versions of the datasets it reads."""

    def __init__(self, inner: Engine, settings: EngineSettings) -> None:
        self._inner = inner
        self._answers: LRUCache[Hashable, Answer] = LRUCache(settings.cache_bytes, getsizeof=size_of)
        self._flights: Flights[_Fresh] = Flights()
        self._patience = settings.deadline_seconds if settings.linger_seconds else 0.0

    async def facts(self, datasets: Sequence[str]) -> Facts:
        """The inner engine's."""
        return await self._inner.facts(datasets)

    def known(self, datasets: Sequence[str]) -> Facts | None:
        """The inner engine's."""
        return self._inner.known(datasets)

    def kept(self, datasets: Sequence[str], compile_statement: Compile) -> Answer | None:
        """A kept answer, of current facts."""
        facts = self._inner.known(datasets)
        if facts is None:
            return None
        statement = compile_statement(facts)
        kept = self._answers.get(key_of(statement, facts))
        return None if kept is None else _again(kept, facts)

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        """A kept answer, the one that an equal query is computing, or the inner engine's."""
        facts = await self._inner.facts(datasets)
        statement = compile_statement(facts)
        key = key_of(statement, facts)
        kept = self._answers.get(key)
        if kept is not None:
            return _again(kept, facts)

        def compile_again(now: Facts) -> Statement:
            return statement if now is facts else compile_statement(now)

        try:
            compute = partial(self._compute, datasets, compile_again)
            return (await self._flights.join(key, compute, self._patience or None)).take()
        except TimeoutError:
            message = f"The query takes longer than {self._patience:g} s. It goes on, and its answer is kept."
            raise Timeout(message, f"Ask again in {AGAIN:g} s, or for less at once.", AGAIN) from None

    def load(self) -> Load:
        """The inner engine's, and what is kept here."""
        return replace(load_of(self._inner), kept_bytes=int(self._answers.currsize))

    async def close(self) -> None:
        """Cancel what is under way, forget everything and close the inner engine."""
        await self._flights.close()
        self._answers.clear()
        await self._inner.close()

    async def _compute(self, datasets: Sequence[str], compile_statement: Compile) -> _Fresh:
        answer = await self._inner.answer(datasets, compile_statement)
        answer = replace(answer, statement=replace(answer.statement, plan=None))  # plans are large, and run by now
        with suppress(ValueError):  # larger than the whole cache
            self._answers[key_of(answer.statement, answer.facts)] = answer
        return _Fresh(answer)


def _again(kept: Answer, facts: Facts) -> Answer:
    """A kept answer, given once more."""
    return Answer(kept.table, kept.statement, facts, cached=True, seconds=kept.seconds, size=kept.size)


def key_of(statement: Statement, facts: Facts) -> Hashable:
    """What an answer depends on."""
    return statement.digest, tuple(facts.datasets[name].version for name in statement.datasets)


def size_of(answer: Answer) -> int:
    """Its bytes, about."""
    statement = answer.statement
    return answer.size + 2 * len(statement.sql) + PER_VALUE * statement.values + OVERHEAD
