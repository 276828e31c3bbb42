"""The DuckDB engine: files to facts, statements to rows, every answer from one version of its files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial

import duckdb
from cachetools import LRUCache

from engine.answering import run
from engine.edition import Edition, together
from engine.engine import Answer, Compile, Engine
from engine.files import changing
from engine.guard import Guard
from engine.learning import Learning
from engine.press import Press
from engine.settings import EngineSettings
from engine.shelf import Shelf
from engine.worker import Lane
from semantic.model.facts import Facts

LOOKING_THREADS = 4
"""Threads that look after files: one may prove a key of a large dataset for a while."""

KNOWN_FACTS = 64
"""Combinations of editions whose facts are remembered."""


class DuckDBEngine(Engine):
    """Used by one event loop."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, presses: Mapping[str, Press], settings: EngineSettings
    ) -> None:
        self._connection = connection
        self._attempts = settings.read_attempts
        self._guard = Guard()
        self._queries = Lane(connection, settings.concurrent, "query")
        self._looks = Lane(connection, LOOKING_THREADS, "look")
        few = {name: press.few for name, press in presses.items()}
        learning = Learning(few, Lane(connection, 1, "aside"), self._queries.is_busy)
        self._shelf = Shelf(presses, self._looks, learning, settings.freshness_check)
        self._known: LRUCache[tuple[Edition, ...], Facts] = LRUCache(KNOWN_FACTS)

    async def facts(self, datasets: Sequence[str]) -> Facts:
        """Facts of these datasets. DataError."""
        return self._facts_of(await self._shelf.current(datasets))

    def known(self, datasets: Sequence[str]) -> Facts | None:
        """Facts of these datasets that need no look at the files now."""
        editions = self._shelf.fresh(datasets)
        return None if editions is None else self._facts_of(editions)

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        """Compile, run, and look whether the files are still what they were; again when they are not."""
        for _ in range(self._attempts):
            editions = await self._shelf.current(datasets)
            facts = self._facts_of(editions)
            statement = compile_statement(facts)
            read = [edition for edition in editions if edition.dataset in statement.datasets]
            with self._shelf.reading(read):
                began = time.perf_counter()
                table = await self._queries.run(partial(run, statement=statement, editions=read, guard=self._guard))
            if table is not None:
                took = time.perf_counter() - began
                return Answer(table, statement, facts, cached=False, seconds=took, size=table.nbytes)
            self._shelf.doubt(statement.datasets)
        raise changing('", "'.join(datasets))

    def _facts_of(self, editions: tuple[Edition, ...]) -> Facts:
        """The facts of editions, remembered: most requests are about the same few."""
        known = self._known.get(editions)
        if known is None:
            known = self._known[editions] = facts_of(editions)
        return known

    async def close(self) -> None:
        """Interrupt what runs and close the database."""
        await self._shelf.close()
        await asyncio.gather(self._queries.close(), self._looks.close())
        self._connection.close()


def facts_of(editions: Sequence[Edition]) -> Facts:
    """The facts of editions, and one version for all of them."""
    return together({edition.dataset: edition.facts for edition in editions})
