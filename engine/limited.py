"""Admission: so many queries run, so many wait for their turn, and none longer than the deadline."""

from __future__ import annotations

from collections.abc import Sequence

from engine.admission import Admission
from engine.caller import CALLER
from engine.deadline import in_time
from engine.engine import Answer, Compile, Engine
from engine.load import Busy, Load
from engine.settings import EngineSettings
from semantic.model.facts import Facts


class Limited(Engine, Busy):
    """An engine around another one. More running queries than cores would only slow all of them down."""

    def __init__(self, inner: Engine, settings: EngineSettings) -> None:
        self._inner = inner
        self._processes = settings.processes
        self._deadline = settings.deadline_seconds
        self._end = settings.deadline_seconds and settings.deadline_seconds + settings.linger_seconds
        self._admission = Admission(settings.concurrent, settings.queue_length, settings.deadline_seconds)

    async def facts(self, datasets: Sequence[str]) -> Facts:
        """The inner engine's. Timeout when new files take longer to look at than the deadline; the look goes on."""
        async with in_time(self._deadline, "New data is still being looked at", "Ask again in a moment."):
            return await self._inner.facts(datasets)

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        """The inner engine's, when it is this one's turn. Overloaded, Timeout."""
        caller = CALLER.get().within(self._processes)
        async with in_time(self._end, "The query was stopped"), self._admission.turn(caller):
            return await self._inner.answer(datasets, compile_statement)

    def load(self) -> Load:
        """The queue's."""
        return Load(self._admission.running, self._admission.waiting)

    def known(self, datasets: Sequence[str]) -> Facts | None:
        """The inner engine's."""
        return self._inner.known(datasets)

    def kept(self, datasets: Sequence[str], compile_statement: Compile) -> Answer | None:
        """The inner engine's."""
        return self._inner.kept(datasets, compile_statement)

    async def close(self) -> None:
        """Close the inner engine."""
        await self._inner.close()
