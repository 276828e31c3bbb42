"""Learning: what is worth knowing of an edition, and takes reading, is looked up aside once it can be queried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import Event

import duckdb

from engine.aside import Aside, Busy
from engine.edition import Edition
from engine.few import Few
from engine.worker import Lane
from semantic.model.facts import Value

Learned = Callable[[Edition, Edition], None]
"""Told of an edition and of the same one with more facts."""


class Learning:
    """Used by one event loop. Of each dataset only the newest edition is looked at: what is under way for an older one
    is stopped, and what it has found is not forgotten.
    """

    def __init__(self, few: Mapping[str, Few], lane: Lane, busy: Busy) -> None:
        """`lane`: of one thread."""
        self._few = few
        self._lane = lane
        self._busy = busy
        self._looks: dict[str, tuple[asyncio.Task[None], Event]] = {}

    def begin(self, edition: Edition, kept: AbstractContextManager[None], learned: Learned) -> None:
        """Look at an edition, which is `kept` for so long. `learned` is called when more is known of it."""
        few = self._few[edition.dataset]
        if not few.names:
            return
        self._stop(edition.dataset)
        stopped = Event()

        def look(cursor: duckdb.DuckDBPyConnection) -> Mapping[str, tuple[Value, ...]]:
            return few.values(Aside(cursor, self._busy, stopped), edition)

        async def learn() -> None:
            with kept:
                values = await self._lane.run(look)
            if values:
                learned(edition, replace(edition, facts=replace(edition.facts, values=values)))

        self._looks[edition.dataset] = asyncio.create_task(learn()), stopped

    def _stop(self, dataset: str) -> None:
        if dataset in self._looks:
            task, stopped = self._looks[dataset]
            stopped.set()
            task.cancel()

    async def close(self) -> None:
        """Stop looking."""
        for dataset in self._looks:
            self._stop(dataset)
        await asyncio.gather(*(task for task, _ in self._looks.values()), return_exceptions=True)
        await self._lane.close()
