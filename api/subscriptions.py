"""Subscriptions: answered at once, and again whenever the data or the model has changed.

Equal subscriptions of viewers who may see the same share one computation; each is given the newest answer only, so that
a slow reader holds nothing up and holds nothing back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from graphql import OperationType, get_operation_ast
from starlette.requests import HTTPConnection

from api.answering import Answering, key_of, never
from api.asking import context_of
from api.context import Outcome, Response, Snapshot
from api.execute import execute
from api.noted import Noted, Versions
from api.request import Asked
from api.resolvers.context import Context
from api.resolvers.ledger import Ledger
from api.running import Stopping
from api.seen.notes import Notes
from api.seen.record import Record, Watcher
from api.served import Served
from semantic.errors import HeadwaterError, Overloaded

LOG = logging.getLogger("headwater")

OFTEN = 0.5
"""Seconds between two looks at the data, at least."""
WAIT = 5.0
"""Seconds after which one who was refused may try again."""


@dataclass(slots=True, eq=False)
class _Channel:
    """What equal subscriptions share. `number`: of the newest answer; `final`: none comes after it."""

    snapshot: Snapshot
    response: Response | None = None
    number: int = 0
    final: bool = False
    ended: bool = False
    readers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def publish(self, response: Response) -> None:
        self.response, self.number = response, self.number + 1
        self.final = response.outcome is Outcome.REFUSED
        self._tell()

    def end(self) -> None:
        self.ended = True
        self._tell()

    def _tell(self) -> None:
        told, self.changed = self.changed, asyncio.Event()
        told.set()

    async def after(self, number: int) -> None:
        """Until there is a newer answer than that, or there will be none."""
        while self.number <= number and not self.ended:
            await self.changed.wait()


class Subscriptions:
    """Those of one server, at most `most` of them. Used by one event loop."""

    def __init__(self, served: Served, answering: Answering, watchers: Sequence[Watcher], most: int) -> None:
        self._served = served
        self._answering = answering
        self._watchers = tuple(watchers)
        self._most = most
        self._count = 0
        self._closed = False
        self._channels: dict[Hashable, _Channel] = {}

    def __len__(self) -> int:
        return self._count

    async def answers(self, asked: Asked, connection: HTTPConnection) -> AsyncGenerator[Response, None]:
        """The answers to a subscription, or the one answer to a query. Unauthenticated, RateLimited, Overloaded,
        Stopping. To be closed by whoever reads it.
        """
        if self._closed:
            raise Stopping
        if self._count >= self._most:
            message = f"{self._count} subscriptions are open, which is the limit."
            raise Overloaded(message, "Try again later.", WAIT)
        self._count += 1
        try:
            if await self._follows(asked, connection):
                async for response in self._followed(asked, connection):
                    yield response
            else:
                yield await self._once(asked, connection)
        finally:
            self._count -= 1

    async def _follows(self, asked: Asked, connection: HTTPConnection) -> bool:
        with self._served.lease() as snapshot:
            viewer = await self._served.viewers.of(connection, snapshot.model)
            seen = await asyncio.to_thread(snapshot.seen_by, viewer)  # it may have to be made first
            checked = seen.schemas.default.check(asked.query, self._served.limits.of(viewer))
        operation = None if checked.document is None else get_operation_ast(checked.document, asked.operation_name)
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION

    async def _once(self, asked: Asked, connection: HTTPConnection) -> Response:
        notes, began, clock = Notes(), time.time_ns(), time.perf_counter()
        found = await self._answering.answer(asked, connection, never, notes)
        self._tell(notes, found.response, began, time.perf_counter() - clock)
        return found.response

    async def _followed(self, asked: Asked, connection: HTTPConnection) -> AsyncGenerator[Response, None]:
        """Joins a channel, and another one when the model or what the viewer may see has changed."""
        while not self._closed:
            with self._served.lease() as snapshot:
                context = await context_of(snapshot, self._served, connection)
            key = id(snapshot), key_of(snapshot, asked, context)
            channel = self._join(key, snapshot, asked, context)
            seen = 0
            try:
                while not channel.ended:
                    clock, began = time.perf_counter(), time.time_ns()
                    await channel.after(seen)
                    if channel.number > seen and channel.response is not None:
                        if seen and not await self._is_still(connection, context, snapshot):
                            break
                        seen = channel.number
                        notes = Notes()
                        notes.of(context)
                        self._tell(notes, channel.response, began, time.perf_counter() - clock)
                        yield channel.response
                        if channel.final:
                            return
            finally:
                self._leave(key, channel)

    async def _is_still(self, connection: HTTPConnection, context: Context, snapshot: Snapshot) -> bool:
        """Whether the viewer is who they were: a token may have expired. Unauthenticated."""
        return await self._served.viewers.of(connection, snapshot.model) == context.viewer

    def _join(self, key: Hashable, snapshot: Snapshot, asked: Asked, context: Context) -> _Channel:
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel(snapshot)
            channel.task = asyncio.create_task(self._run(channel, asked, context))
        channel.readers += 1
        return channel

    def _leave(self, key: Hashable, channel: _Channel) -> None:
        channel.readers -= 1
        if channel.readers <= 0 or channel.ended:
            if self._channels.get(key) is channel:
                del self._channels[key]
            if channel.readers <= 0 and channel.task is not None:
                channel.task.cancel()

    async def _run(self, channel: _Channel, asked: Asked, context: Context) -> None:
        """Answer, wait for a change, and answer again, for as long as the model stays the same."""
        try:
            while channel.snapshot is self._served.snapshot and not channel.final:
                with self._served.lease() as snapshot:
                    engine = Noted(snapshot.engine)
                    fresh = replace(context, engine=engine, ledger=Ledger())
                    channel.publish(
                        await execute(snapshot, asked.query, asked.variables, asked.operation_name, fresh, follows=True)
                    )
                await self._change(channel.snapshot, engine.versions)
        except Exception:
            LOG.exception("A subscription failed.")
        finally:
            channel.end()

    async def _change(self, snapshot: Snapshot, versions: Versions | None) -> None:
        """Until the data is of other versions, or the model is another one."""
        known = dict(versions or ())
        while True:
            await asyncio.sleep(max(self._served.settings.freshness_check, OFTEN))
            self._served.look_soon()
            if versions is None or self._served.snapshot is not snapshot:
                return
            with self._served.lease(), suppress(HeadwaterError):  # data that can't be read now is asked for again
                facts = await snapshot.engine.facts(tuple(known))
                if any(facts.datasets[name].version != version for name, version in known.items()):
                    return

    def _tell(self, notes: Notes, response: Response, began: int, seconds: float) -> None:
        notes.came(response)
        record = Record("graphql", "SUBSCRIBE", 200, began, seconds, len(response.body), notes, notes.account)
        for watcher in self._watchers:
            try:
                watcher.seen(record)
            except Exception:
                LOG.exception("An answer could not be told of.")

    async def close(self) -> None:
        """End every subscription: its readers come to an end."""
        self._closed = True
        tasks = [channel.task for channel in self._channels.values() if channel.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
