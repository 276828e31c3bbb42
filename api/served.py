"""The snapshot that requests are answered from, and how another takes its place.

A swap is one assignment: a request sees one snapshot from its beginning to its end. The engine of a snapshot that was
replaced is closed when the last request that uses it has ended.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection

from api.context import Snapshot
from api.load import load_snapshot
from api.rates import Rates
from api.settings import Settings
from api.viewers.viewers import Viewers
from engine.warm import warm
from semantic.errors import Code, HeadwaterError, OurError
from semantic.model.facts import Facts, Kind

LOG = logging.getLogger("headwater")


@dataclass(slots=True, eq=False)
class _Held:
    """A snapshot and how many requests use it now."""

    snapshot: Snapshot
    users: int = 0
    retired: bool = False


class Served:
    """Holds the current snapshot. Used by one event loop. `problem`: why the model on disk is not the one served.

    `viewers` says who asks. UserError when the settings contradict each other.
    """

    def __init__(
        self,
        settings: Settings,
        load: Callable[[Settings], Awaitable[Snapshot]] = load_snapshot,
        rates: Rates | None = None,
    ) -> None:
        self.settings = settings
        self.viewers = Viewers(settings)
        self.limits = settings.limits
        self.rates = rates or Rates()
        self.problem: HeadwaterError | None = None
        self._load = load
        self._held: _Held | None = None
        self._loading = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        self._next_look = 0.0

    async def may_look(self, connection: HTTPConnection) -> bool:
        """Whether who asks may look at the schema: in the hardened profile only who signs in. Unauthenticated."""
        viewer = await self.viewers.of(connection, self.snapshot.model)
        return viewer.signed_in or not self.settings.is_hardened

    @property
    def snapshot(self) -> Snapshot:
        """The current one. To use it across an await, `lease` it."""
        assert self._held is not None, "open() first"
        return self._held.snapshot

    async def open(self) -> None:
        """Load for the first time, unless that was done. ModelError, DataError."""
        async with self._loading:
            if self._held is None:
                self._held = _Held(await self._load(self.settings))
                self._start(self._prepare())

    @contextmanager
    def lease(self) -> Iterator[Snapshot]:
        """The current snapshot, kept whole for as long as the block runs."""
        assert self._held is not None, "open() first"
        held = self._held
        held.users += 1
        try:
            yield held.snapshot
        finally:
            held.users -= 1
            self._close_unused(held)

    async def reload(self) -> bool:
        """Take the model on disk into service; a broken one is reported and the old one stays. True when it changed."""
        async with self._loading:
            try:
                fresh = await self._load(self.settings)
            except HeadwaterError as error:
                self._report(error)
                return False
            except Exception:  # a bug of ours must not end the watch
                LOG.exception("Loading the changed model failed; the earlier one stays in service.")
                self.problem = OurError(Code.INTERNAL, "Loading it failed, which is our fault. The log says why.")
                return False
            old, self.problem = self._held, None
            if old is not None and old.snapshot.version == fresh.version:
                await fresh.engine.close()
                return False
            self._held = _Held(fresh)
            self._start(self._prepare())
            LOG.info("The changed model is in service.")
            if old is not None:
                old.retired = True
                self._close_unused(old)
            return True

    def _report(self, error: HeadwaterError) -> None:
        if str(self.problem) != str(error):
            detail = f"\n{error.detail}" if isinstance(error, OurError) and error.detail else ""
            LOG.error("The changed model can't be used, the earlier one stays in service.\n%s%s", error, detail)
        self.problem = error

    def look_soon(self) -> None:
        """In the background, once per `freshness_check` at most: a new schema when columns have changed their kind."""
        now = asyncio.get_running_loop().time()
        if now >= self._next_look:
            self._next_look = now + max(self.settings.freshness_check, 1.0)
            self._start(self._look())

    async def _prepare(self) -> None:
        """What the first questions would wait for: proven keys, and a compiled kernel where the model has funnels."""
        if self.snapshot.model.funnels:
            await asyncio.to_thread(warm)
        await self._look()
        _leave_to_themselves()

    async def _look(self) -> None:
        with self.lease() as snapshot:
            try:
                facts = await snapshot.engine.facts(tuple(snapshot.model.stored))
            except HeadwaterError:
                return  # whoever asks for that dataset is told
        if kinds_of(facts) != kinds_of(snapshot.facts):
            LOG.info("The columns of the data have changed.")
            await self.reload()

    def _close_unused(self, held: _Held) -> None:
        if held.retired and held.users == 0:
            self._start(held.snapshot.engine.close())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        """Let go of everything."""
        gc.unfreeze()
        for task in tuple(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        if self._held is not None:
            held, self._held = self._held, None
            await held.snapshot.engine.close()


def kinds_of(facts: Facts) -> Mapping[str, Mapping[str, Kind]]:
    """Every column of every dataset and its kind: what a schema is made from, beside the model."""
    return {name: dict(found.columns) for name, found in facts.datasets.items()}


def _leave_to_themselves() -> None:
    """Take the model, its schemas and all modules out of the sight of the garbage collector.

    They live as long as they are served; walking them took a tenth of a query's time. What an earlier model left is
    looked through once.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
