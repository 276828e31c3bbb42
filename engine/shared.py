"""Questions that come at once are run as few statements: what several of them compute is computed once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from engine.caller import CALLER, Caller
from engine.edition import together
from engine.engine import Answer, Compile, Engine
from engine.flight import Flights
from engine.load import Busy, Load, load_of
from engine.normalise import normalise
from semantic.errors import HeadwaterError, Overloaded, Timeout
from semantic.model.facts import Facts
from semantic.sql.several import several
from semantic.sql.statement import Statement

LOG = logging.getLogger("headwater")


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A question, its statement for the facts of now, and where it is told which flight answers it."""

    datasets: tuple[str, ...]
    compile_statement: Compile
    facts: Facts
    statement: Statement
    told: asyncio.Future[_Flight]


@dataclass(frozen=True, slots=True, eq=False)
class _Flight:
    """Questions that one statement answers."""

    asked: tuple[_Asked, ...]


class _Apart(Exception):
    """Questions have nothing in common."""


@dataclass(slots=True, eq=False)
class Shared(Engine, Busy):
    """An engine around another one. Questions of one caller that come in the same turn of the event loop are looked at
    together. Used by one event loop.
    """

    inner: Engine
    _waiting: dict[Caller, list[_Asked]] = field(default_factory=dict)
    _flights: Flights[dict[_Asked, Answer]] = field(default_factory=Flights)

    async def facts(self, datasets: Sequence[str]) -> Facts:
        """The inner engine's."""
        return await self.inner.facts(datasets)

    def known(self, datasets: Sequence[str]) -> Facts | None:
        """The inner engine's."""
        return self.inner.known(datasets)

    def load(self) -> Load:
        """The inner engine's."""
        return load_of(self.inner)

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        """The inner engine's, of this question alone or of several at once."""
        facts = self.inner.known(datasets)
        if facts is None:
            return await self.inner.answer(datasets, compile_statement)
        loop = asyncio.get_running_loop()
        asked = _Asked(tuple(datasets), compile_statement, facts, compile_statement(facts), loop.create_future())
        caller = CALLER.get()
        if caller not in self._waiting:
            self._waiting[caller] = []
            loop.call_soon(self._look, caller)
        self._waiting[caller].append(asked)
        flight = await asked.told
        if len(flight.asked) == 1:
            return await self.inner.answer(datasets, compile_statement)
        answers = await self._flights.join(flight, partial(self._fly, flight))
        return answers.get(asked) or await self.inner.answer(datasets, compile_statement)

    def _look(self, caller: Caller) -> None:
        """Tell everyone who came in this turn what they fly with."""
        asked = [one for one in self._waiting.pop(caller) if not one.told.done()]
        for flight in _flights(asked):
            for one in flight.asked:
                one.told.set_result(flight)

    async def _fly(self, flight: _Flight) -> dict[_Asked, Answer]:
        """The answers; none where they can't be had together, so that everyone asks for theirs and is told why."""
        datasets = tuple(sorted({name for one in flight.asked for name in one.datasets}))
        try:
            answer = await self.inner.answer(datasets, lambda facts: _together(flight, facts))
            return {one: _own(answer, place, one) for place, one in enumerate(flight.asked)}
        except (Overloaded, Timeout):
            raise
        except (HeadwaterError, _Apart):
            LOG.debug("Questions can't be answered together.", exc_info=True)
        except Exception:
            LOG.exception("Questions can't be answered together: each is asked alone.")
        return {}

    async def close(self) -> None:
        """Stop what runs and close the inner engine."""
        await self._flights.close()
        await self.inner.close()


def _flights(asked: Sequence[_Asked]) -> list[_Flight]:
    """Everyone in one of them. A failure to find what they share is ours, and nobody may be left waiting for it."""
    try:
        found = several([one.statement for one in asked])
    except Exception:
        LOG.exception("What questions have in common can't be told: each is asked alone.")
        return [_Flight((one,)) for one in asked]
    return [_Flight(tuple(asked[place] for place in one.places)) for one in found]


def _together(flight: _Flight, facts: Facts) -> Statement:
    """One statement for all. _Apart when, on data that has changed meanwhile, they have nothing in common."""
    found = several([one.compile_statement(_part(facts, one)) for one in flight.asked])
    if len(found) != 1:
        raise _Apart
    return found[0].statement


def _part(facts: Facts, asked: _Asked) -> Facts:
    """The facts of a question's own datasets: of the same version as when it came alone."""
    found = {name: facts.datasets[name] for name in asked.datasets}
    same = all(asked.facts.datasets[name].version == part.version for name, part in found.items())
    return asked.facts if same else together(found)


def _own(answer: Answer, place: int, asked: _Asked) -> Answer:
    """One question's rows of an answer to several."""
    facts = _part(answer.facts, asked)
    statement = asked.compile_statement(facts)
    table = normalise(rows_of(answer.table.column(place)), statement.columns)
    return Answer(table, statement, facts, cached=False, seconds=answer.seconds, size=table.nbytes)


def rows_of(lists: pa.ChunkedArray) -> pa.Table:
    """The records of a column of lists, as a table."""
    records = lists.combine_chunks().flatten()
    return pa.Table.from_batches([pa.RecordBatch.from_struct_array(records)])
