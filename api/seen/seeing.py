"""Looks on while questions are answered, and tells the watchers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.seen.notes import KEY, Notes
from api.seen.record import Record, Watcher

LOG = logging.getLogger("headwater")

Now = Callable[[Scope, Message], ASGIApp | None]

GONE = 499
"""The status of a request whose caller went before it had an answer."""


class Seeing:
    """ASGI middleware. Only the doors that answer questions are looked at.

    `now`: the reply to a POST of GraphQL that needs no waiting, from the first message of its body.
    """

    def __init__(self, app: ASGIApp, watchers: Sequence[Watcher], now: Now | None = None) -> None:
        self._app = app
        self._watchers = watchers
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and tell of it."""
        door = _door(scope["path"]) if scope["type"] == "http" else None
        if door is None:
            await self._app(scope, receive, send)
            return
        notes = scope[KEY] = Notes()
        status, size = GONE, 0
        began, clock = time.time_ns(), time.perf_counter()

        async def send_on(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            app: ASGIApp | None = None
            if self._now is not None and door == "graphql" and scope["method"] == "POST":
                message = await receive()
                app = self._now(scope, message)
                receive = _once_more(message, receive)
            await (app or self._app)(scope, receive, send_on)
        except Exception:
            status = 500
            raise
        finally:
            seconds = time.perf_counter() - clock
            record = Record(door, scope["method"], status, began, seconds, size, notes, notes.account, _parent(scope))
            for watcher in self._watchers:
                try:
                    watcher.seen(record)
                except Exception:
                    LOG.exception("A request could not be told of.")


def _once_more(message: Message, receive: Receive) -> Receive:
    """`receive` as if the message had not been received yet."""
    waiting = [message]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _door(path: str) -> str | None:
    if path == "/graphql":
        return "graphql"
    return "table" if path.startswith("/v1/table") else None


def _parent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return str(value, "latin-1")
    return None
