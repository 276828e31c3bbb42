"""Subscriptions: answered at once, and again whenever the data or the model has changed.

Equal subscriptions of viewers who may see the same share one computation; each is given the newest answer only, so that
a slow reader holds nothing up and holds nothing back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Hashable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace

from graphql import OperationType, get_operation_ast
from starlette.requests import HTTPConnection

from api.answering import Answering, key_of, never
from api.asking import context_of
from api.channel import Channel, Reader
from api.context import Response, Snapshot
from api.execute import execute
from api.noted import Noted, Versions
from api.request import Asked
from api.resolvers.context import Context
from api.resolvers.ledger import Ledger
from api.resolvers.limits import Limits
from api.running import Stopping
from api.seats import Seats, full
from api.seen.notes import Notes
from api.seen.record import Record, Watcher
from api.served import Served
from semantic.errors import HeadwaterError
from semantic.query.query import Viewer

LOG = logging.getLogger("headwater")

OFTEN = 0.5
"""Seconds between two looks at the data, at least."""
AGAIN = 5.0
"""Seconds after which one that failed through a fault of ours is tried again."""


class Subscriptions:
    """Those of one server, at most `most` of them. Used by one event loop."""

    def __init__(self, served: Served, answering: Answering, watchers: Sequence[Watcher], most: int) -> None:
        self._served = served
        self._answering = answering
        self._watchers = tuple(watchers)
        self._seats = Seats(most)
        self._closed = False
        self._channels: dict[Hashable, Channel] = {}

    def __len__(self) -> int:
        return len(self._seats)

    async def answers(self, asked: Asked, connection: HTTPConnection) -> AsyncGenerator[Response, None]:
        """The answers to a subscription, or the one answer to a query. Unauthenticated, RateLimited, Overloaded (also
        later, when its place is given to somebody who has fewer), Stopping. To be closed by whoever reads it.
        """
        if self._closed:
            raise Stopping
        with self._served.lease() as snapshot:
            viewer = await self._served.viewers.of(connection, snapshot.model)
        limits, reader = self._served.limits.of(viewer), Reader()
        most = self._served.settings.each(limits.subscriptions)
        with self._seats.held(viewer.id, most, reader.dismiss):
            if await self._follows(asked, viewer, limits):
                async with aclosing(self._followed(asked, connection, reader)) as answers:
                    async for response in answers:
                        yield response
            else:
                yield await self._once(asked, connection)
        if reader.dismissed:
            raise full(len(self))

    async def _follows(self, asked: Asked, viewer: Viewer, limits: Limits) -> bool:
        with self._served.lease() as snapshot:
            if snapshot.model.policies:
                await asyncio.to_thread(snapshot.seen_by, viewer)  # it may have to be made first
            checked = await snapshot.seen_by(viewer).schemas.default.checked(asked.query, limits)
        operation = None if checked.document is None else get_operation_ast(checked.document, asked.operation_name)
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION

    async def _once(self, asked: Asked, connection: HTTPConnection) -> Response:
        notes, began, clock = Notes(), time.time_ns(), time.perf_counter()
        found = await self._answering.answer(asked, connection, never, notes)
        self._tell(notes, found.response, began, time.perf_counter() - clock)
        return found.response

    async def _followed(
        self, asked: Asked, connection: HTTPConnection, reader: Reader
    ) -> AsyncGenerator[Response, None]:
        """Joins a channel, and another one when the model or what the viewer may see has changed."""
        counted = True
        while not self._closed and not reader.dismissed:
            with self._served.lease() as snapshot:
                context = await context_of(snapshot, self._served, connection, counted)
            counted = False  # it was asked once, however often it is answered
            key = id(snapshot), key_of(snapshot, asked, context)
            channel = self._join(key, snapshot, asked, context, reader)
            try:
                clock, began = time.perf_counter(), time.time_ns()
                while (response := await channel.news(reader)) is not None:
                    if channel.number > 1 and not await self._is_still(connection, context, snapshot):
                        break
                    notes = Notes()
                    notes.of(context)
                    self._tell(notes, response, began, time.perf_counter() - clock)
                    yield response
                    if channel.final:
                        return
                    clock, began = time.perf_counter(), time.time_ns()
            finally:
                self._leave(key, channel, reader)

    async def _is_still(self, connection: HTTPConnection, context: Context, snapshot: Snapshot) -> bool:
        """Whether the viewer is who they were: a token may have expired. Unauthenticated."""
        return await self._served.viewers.of(connection, snapshot.model) == context.viewer

    def _join(self, key: Hashable, snapshot: Snapshot, asked: Asked, context: Context, reader: Reader) -> Channel:
        channel = self._channels.get(key)
        if channel is None or channel.ended:
            channel = self._channels[key] = Channel(snapshot)
            channel.task = asyncio.create_task(self._run(channel, asked, context))
        reader.seen = 0
        channel.readers[reader] = None
        return channel

    def _leave(self, key: Hashable, channel: Channel, reader: Reader) -> None:
        del channel.readers[reader]
        if not channel.readers or channel.ended:
            if self._channels.get(key) is channel:
                del self._channels[key]
            if not channel.readers and channel.task is not None:
                channel.task.cancel()

    async def _run(self, channel: Channel, asked: Asked, context: Context) -> None:
        """Answer, wait for a change, and answer again, for as long as the model stays the same."""
        try:
            while channel.snapshot is self._served.snapshot:
                with self._served.lease() as snapshot:
                    engine = Noted(snapshot.engine)
                    fresh = replace(context, engine=engine, ledger=Ledger())
                    response = await execute(
                        snapshot, asked.query, asked.variables, asked.operation_name, fresh, follows=True
                    )
                if response.retry_after is not None and channel.number:
                    await asyncio.sleep(response.retry_after)  # there is an answer; a newer one is tried for again
                    continue
                await channel.publish(response)
                if channel.final:
                    return
                await self._change(channel.snapshot, engine.versions)
        except Exception:
            LOG.exception("A subscription failed.")
            await asyncio.sleep(AGAIN)
        finally:
            await channel.end()

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
