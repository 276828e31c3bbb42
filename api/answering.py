"""Where answers come from: kept bytes, answers at hand of a planned operation, or the executor.

All three say the same; each is there because the one after it costs several times as much.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

from api.asking import context_for, context_of
from api.context import Outcome, Response, Snapshot
from api.execute import execute, execute_now
from api.kept import Entry, Kept
from api.noted import Noted
from api.request import Asked
from api.resolvers.context import Context
from api.resolvers.ledger import Ledger
from api.resolvers.weighed import Key, remembered
from api.running import Running
from api.schema.language import choose
from api.seen.notes import Notes
from api.served import Served
from semantic.query.access import scope_of
from semantic.query.query import Viewer

_OF_THE_MOMENT = re.compile(r"\b(cached|durationMs|warnings|freshness|rollup|viewer)\b")
"""Fields whose values are of this very answer, of the clock or of who asks: an answer with one of them is not kept."""

T = TypeVar("T")

_nearest = remembered(1024)(choose)


@remembered(2048, longest=8192)
def _is_of_the_moment(document: str | None) -> bool:
    return _OF_THE_MOMENT.search(document or "") is not None


@dataclass(frozen=True, slots=True)
class Found:
    """An answer, and the entry that it is kept as, where it is."""

    response: Response
    entry: Entry | None = None


class Answering:
    """Answers requests of one server. Used by one event loop."""

    def __init__(self, served: Served, running: Running) -> None:
        self._served = served
        self._running = running
        self._kept = Kept(served.settings.each(served.settings.cache_bytes) // 4)

    def may_give(self, entry: Entry) -> bool:
        """Whether an entry may be given now, without waiting, to whom it was given before."""
        return entry.snapshot is self._served.snapshot and self._kept.has(entry) and entry.is_current_now()

    def now(self, asked: Asked, viewer: Viewer, locale: str | None, notes: Notes) -> Found | None:
        """The answer to somebody known that needs no waiting; None: `answer` it. FORBIDDEN as `context_for`."""
        served, snapshot = self._served, self._served.snapshot
        if snapshot.model.policies and not snapshot.knows_what_is_seen_by(viewer):
            return None
        context = context_for(viewer, snapshot, served, locale)
        key = key_of(snapshot, asked, context)
        if not _is_of_the_moment(asked.query):
            entry = self._kept.get(snapshot, key)
            if entry is None or not self.may_give(entry):
                return None
            notes.kept_one(entry.response, viewer, snapshot.model)
            return Found(entry.response, entry)
        if not snapshot.seen_by(viewer).plans.has(key):
            return None
        response = execute_now(snapshot, asked, key, context)
        if response is None:
            return None
        notes.of(context)
        notes.came(response)
        return Found(response)

    async def answer(self, asked: Asked, connection: HTTPConnection, receive: Receive, notes: Notes) -> Found:
        """The answer, from the first place that has it. Unauthenticated, RateLimited, Gone, Stopping."""
        self._served.look_soon()
        with self._served.lease() as snapshot:
            context = await context_of(snapshot, self._served, connection)
            key = key_of(snapshot, asked, context)
            of_the_moment = _is_of_the_moment(asked.query)
            entry = None if of_the_moment else self._kept.get(snapshot, key)
            if entry is not None and await entry.is_current():
                notes.kept_one(entry.response, context.viewer, snapshot.model)
                return Found(entry.response, entry)
            engine = Noted(snapshot.engine)
            response = await self._execute(snapshot, asked, key, replace(context, engine=engine), receive, notes)
            notes.came(response)
            versions = engine.versions
            if of_the_moment or response.outcome is not Outcome.OK or versions is None:
                return Found(response)
            entry = Entry(snapshot, key, _at_rest(response), versions)
            if snapshot is self._served.snapshot:
                self._kept.put(entry)
            return Found(response, entry)

    async def until_gone(self, work: Coroutine[Any, Any, T], receive: Receive) -> T:
        """What `work` returns, unless its caller goes first. Gone, Stopping."""
        return await self._running.answer(work, receive)

    async def _execute(
        self, snapshot: Snapshot, asked: Asked, key: Key, context: Context, receive: Receive, notes: Notes
    ) -> Response:
        now = execute_now(snapshot, asked, key, context)
        if now is not None:
            return now
        fresh = replace(context, ledger=Ledger())
        notes.of(fresh)
        work = execute(snapshot, asked.query, asked.variables, asked.operation_name, fresh)
        return await self._running.answer(work, receive)


def _at_rest(response: Response) -> Response:
    """A response as it is told of when it is given again: nothing is run for it."""
    return replace(response, account=replace(response.account, ran=(), cached=True))


def key_of(snapshot: Snapshot, asked: Asked, context: Context) -> Key:
    """All that an answer depends on beside the data: what is asked, by whom, in which language.

    Viewers who may see the same are answered alike.
    """
    locale = _nearest(context.locale, snapshot.locales) if context.locale else None
    scope = scope_of(snapshot.model, context.viewer)
    size = asked.size + sum(len(value) for _, value in scope)
    return Key(asked.key, scope, context.limits, context.discreet, locale, size=size)


async def never() -> Message:
    """`receive` where somebody else looks after the end of the connection."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
