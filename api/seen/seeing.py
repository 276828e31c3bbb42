"""Looks on while questions are answered, and tells of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.at_once import Given
from api.kept import Bytes
from api.seen.notes import KEY, Notes
from api.seen.record import Record, Watcher

Now = Callable[[Scope, bytes], Given | None]

GONE = 499
"""The status of a request whose caller went before it had an answer."""
_TRIED = "headwater.tried"
"""Set in a scope whose request was found not to be answered at once."""


class Seeing:
    """ASGI middleware. Only the doors that answer questions are looked at.

    `now`: the reply to a request of GraphQL, with all of its body, that needs no waiting.
    """

    def __init__(self, app: ASGIApp, watcher: Watcher, now: Now | None = None) -> None:
        self._app = app
        self._watcher = watcher
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and tell of it."""
        door = _door(scope["path"]) if scope["type"] == "http" else None
        if door is None:
            await self._app(scope, receive, send)
            return
        notes, status, size = Notes(), GONE, 0
        began, clock = time.time_ns(), time.perf_counter()
        try:
            given = None
            if door == "graphql" and self._now is not None and _TRIED not in scope:
                message = await receive() if scope["method"] == "POST" else _NO_BODY
                given = None if message.get("more_body") else self._now(scope, message.get("body", b""))
                receive = receive if message is _NO_BODY else _once_more(message, receive)
            if given is not None:
                status, size, notes = given.reply.status, len(given.reply.body), given.notes
                await given.reply(scope, receive, send)
                return

            async def send_on(message: Message) -> None:
                nonlocal status, size
                if message["type"] == "http.response.start":
                    status = message["status"]
                else:
                    size += len(message.get("body", b""))
                await send(message)

            scope[KEY] = notes
            await self._app(scope, receive, send_on)
        except Exception:
            status = 500
            raise
        finally:
            self._tell(scope, door, status, size, notes, began, clock)

    def at_once(self, scope: Scope, body: bytes, write: Callable[[Bytes], None]) -> bool:
        """Whether a request, of which all has come, was answered just now. If not, call the application for it."""
        if self._now is None or scope["path"] != "/graphql":
            return False
        began, clock = time.time_ns(), time.perf_counter()
        given = self._now(scope, body)
        if given is None:
            scope[_TRIED] = True
            return False
        reply, notes = given
        write(reply)
        self._tell(scope, "graphql", reply.status, len(reply.body), notes, began, clock)
        return True

    def _tell(self, scope: Scope, door: str, status: int, size: int, notes: Notes, began: int, clock: float) -> None:
        seconds = time.perf_counter() - clock
        account, parent = notes.account, _parent(scope)
        self._watcher.seen(Record(door, scope["method"], status, began, seconds, size, notes, account, parent))


_NO_BODY: Message = {}
"""In place of the body of a GET, which nobody reads."""


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
