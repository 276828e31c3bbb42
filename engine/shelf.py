"""The shelf: the current edition of every dataset, looked after at most once in `freshness_check` seconds."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from engine.edition import Edition, drop
from engine.learning import Learning
from engine.press import Press
from engine.worker import Lane
from semantic.errors import DataError

NEVER = float("-inf")


class Shelf:
    """Used by one event loop. Old editions are dropped when the last query that reads them is done."""

    def __init__(self, presses: Mapping[str, Press], lane: Lane, learning: Learning, freshness_check: float) -> None:
        self._presses = presses
        self._lane = lane
        self._learning = learning
        self._freshness = freshness_check
        self._editions: dict[str, Edition] = {}
        self._checked: dict[str, float] = {}
        self._failed: dict[str, DataError] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._readers: Counter[str] = Counter()
        self._old: set[str] = set()
        self._dropping: set[asyncio.Task[None]] = set()

    async def current(self, datasets: Sequence[str]) -> tuple[Edition, ...]:
        """The editions of these datasets, in their order. DataError."""
        oldest = time.monotonic() - self._freshness
        stale = [name for name in datasets if self._checked.get(name, NEVER) < oldest]
        if stale:
            await asyncio.gather(*(self._look_after(name, oldest) for name in stale))
        for name in datasets:
            if name in self._failed:
                raise self._failed[name].with_traceback(None)
        return tuple(self._editions[name] for name in datasets)

    def fresh(self, datasets: Sequence[str]) -> tuple[Edition, ...] | None:
        """The same without looking; None when a look is due."""
        oldest = time.monotonic() - self._freshness
        for name in datasets:
            if self._checked.get(name, NEVER) < oldest or name in self._failed:
                return None
        return tuple(self._editions[name] for name in datasets)

    def doubt(self, datasets: Sequence[str]) -> None:
        """Look after these datasets at the next request, whenever that is."""
        for name in datasets:
            self._checked.pop(name, None)

    @contextmanager
    def reading(self, editions: Sequence[Edition]) -> Iterator[None]:
        """Keep these editions for as long as the block runs."""
        schemas = [edition.schema for edition in editions]
        self._readers.update(schemas)
        try:
            yield
        finally:
            self._readers.subtract(schemas)
            self._sweep()

    async def close(self) -> None:
        """Stop looking."""
        await self._learning.close()
        tasks = (*self._looking.values(), *self._dropping)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_after(self, name: str, oldest: float) -> None:
        """Join the look under way, or begin one; again while the one that ended began too early."""
        while self._checked.get(name, NEVER) < oldest:
            task = self._looking.get(name)
            if task is None:
                task = self._looking[name] = asyncio.create_task(self._look(name))
            await asyncio.shield(task)

    async def _look(self, name: str) -> None:
        began = time.monotonic()
        previous = self._editions.get(name)
        try:
            edition = await self._lane.run(partial(self._presses[name].edition, previous=previous))
        except DataError as error:
            self._failed[name] = error
        else:
            self._failed.pop(name, None)
            self._put(name, edition)
        finally:
            del self._looking[name]
        self._checked[name] = began

    def _put(self, name: str, edition: Edition) -> None:
        previous = self._editions.get(name)
        if previous is not None and previous.schema == edition.schema:
            return  # the same one; meanwhile more of it may be known
        self._editions[name] = edition
        if previous is not None:
            self._old.add(previous.schema)
            self._sweep()
        self._learning.begin(edition, self.reading([edition]), self._learned)

    def _learned(self, edition: Edition, more: Edition) -> None:
        if self._editions.get(edition.dataset) is edition:
            self._editions[edition.dataset] = more

    def _sweep(self) -> None:
        unread = [schema for schema in self._old if self._readers[schema] <= 0]
        for schema in unread:
            self._old.discard(schema)
            del self._readers[schema]
            task = asyncio.create_task(self._lane.run(partial(drop, schema=schema)))
            self._dropping.add(task)
            task.add_done_callback(self._dropping.discard)
