"""GraphQL over a WebSocket, in the protocol graphql-transport-ws."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import urlsplit

import orjson
from graphql import GraphQLError
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.documents import Documents
from api.errors import format_error
from api.request import Malformed, from_object
from api.running import Stopping
from api.seats import Seats
from api.served import Served
from api.subscriptions import Subscriptions
from semantic.errors import Code, HeadwaterError, Overloaded, RateLimited
from semantic.query.query import ANONYMOUS

LOG = logging.getLogger("headwater")

PROTOCOL = "graphql-transport-ws"
PATIENCE = 10.0
"""Seconds in which a client must say who it is."""
MOST = 100
"""Operations of one connection at a time."""
FULL = 1013, "Too many connections; try again later"
SILENT = 4408, "Connection initialisation timeout"


class SocketDoor:
    """The WebSocket endpoint of GraphQL: as many connections as subscriptions, and as many of one viewer.

    Those that have not said who they are yet have places of their own, so that the silent keep nobody out: when these
    are all taken, the one that has been silent longest is closed.
    """

    def __init__(self, served: Served, subscriptions: Subscriptions, documents: Documents) -> None:
        self._served = served
        self._subscriptions = subscriptions
        self._documents = documents
        self._origins = served.settings.cors_origins
        self._most = served.settings.each(served.settings.subscribers)
        self._silent: dict[_Connection, None] = {}
        self._seats = Seats(self._most)

    def __len__(self) -> int:
        return len(self._silent) + len(self._seats)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        socket = WebSocket(scope, receive, send)
        if not _is_welcome(socket, self._origins):
            await socket.close(4403, "This site may not connect.")
            return
        if PROTOCOL not in socket.scope.get("subprotocols", ()):
            await socket.accept()
            await socket.close(4406, "Subprotocol not acceptable")
            return
        await socket.accept(PROTOCOL)
        connection = _Connection(socket, self._subscriptions, self._documents)
        try:
            await self._serve(connection)
        except _Close as error:
            await socket.close(error.code, error.reason)
        except (Overloaded, RateLimited):
            await socket.close(*FULL)
        except WebSocketDisconnect:
            pass
        finally:
            await connection.end()

    async def _serve(self, connection: _Connection) -> None:
        if len(self._silent) >= self._most:
            first = next(iter(self._silent))
            del self._silent[first]
            first.close(*SILENT)
        self._silent[connection] = None
        try:
            who = await connection.introduction()
        finally:
            self._silent.pop(connection, None)
        viewer, limit = await self._viewer(who)
        with self._seats.held(viewer, limit, lambda: connection.close(*FULL)):
            await connection.serve()

    async def _viewer(self, who: HTTPConnection) -> tuple[str, int]:
        """Who connects, and how many connections they may have. Who can't be known is told so when they ask."""
        viewer, limits = ANONYMOUS, self._served.limits
        with self._served.lease() as snapshot, suppress(HeadwaterError):
            viewer = await self._served.viewers.of(who, snapshot.model)
            limits = limits.of(viewer)
        return viewer.id, self._served.settings.each(limits.subscriptions)


class _Close(Exception):
    """The connection is to be closed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class _Connection:
    """One client and its operations."""

    def __init__(self, socket: WebSocket, subscriptions: Subscriptions, documents: Documents) -> None:
        self._socket = socket
        self._subscriptions = subscriptions
        self._documents = documents
        self._who: HTTPConnection | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._closing: asyncio.Task[None] | None = None

    async def introduction(self) -> HTTPConnection:
        """Who connects, once the client has said it. _Close."""
        try:
            async with asyncio.timeout(PATIENCE):
                self._who = await self._begin(await self._message())
                return self._who
        except TimeoutError:
            raise _Close(*SILENT) from None

    async def serve(self) -> None:
        """Read messages until the client goes. _Close."""
        await self._send({"type": "connection_ack"})
        while True:
            await self._obey(await self._message())

    async def _message(self) -> dict[str, Any]:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received["code"])
        try:
            message = orjson.loads(received.get("text") or b"")
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _Close(4400, "Not a message of graphql-transport-ws")
        return message

    async def _begin(self, message: dict[str, Any]) -> HTTPConnection:
        while message["type"] == "ping":
            await self._send({"type": "pong"})
            message = await self._message()
        if message["type"] != "connection_init":
            raise _Close(4401, "Unauthorized")
        return _with_credentials(self._socket, message.get("payload"))

    async def _obey(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "ping"}:
                await self._send({"type": "pong"})
            case {"type": "pong"}:
                pass
            case {"type": "connection_init"}:
                raise _Close(4429, "Too many initialisation requests")
            case {"type": "subscribe", "id": str(number), "payload": dict(payload)} if number:
                self._subscribe(number, payload)
            case {"type": "complete", "id": str(number)}:
                task = self._operations.pop(number, None)
                if task is not None:
                    task.cancel()
            case _:
                raise _Close(4400, "Not a message of graphql-transport-ws")

    def _subscribe(self, number: str, payload: dict[str, Any]) -> None:
        if number in self._operations:
            raise _Close(4409, f"Subscriber for {number} already exists")
        if len(self._operations) >= MOST:
            raise _Close(4429, "Too many operations")
        self._operations[number] = asyncio.create_task(self._run(number, payload))

    async def _run(self, number: str, payload: dict[str, Any]) -> None:
        assert self._who is not None
        try:
            asked = self._documents.asked(from_object(payload))
            async with aclosing(self._subscriptions.answers(asked, self._who)) as answers:
                async for answer in answers:
                    body = orjson.Fragment(answer.body)
                    if answer.is_refused or answer.retry_after is not None:
                        errors = orjson.loads(answer.body)["errors"]
                        await self._send({"id": number, "type": "error", "payload": errors})
                        return
                    await self._send({"id": number, "type": "next", "payload": body})
            await self._send({"id": number, "type": "complete"})
        except (HeadwaterError, Malformed, Stopping) as error:
            await self._send({"id": number, "type": "error", "payload": [_told(error)]})
        except (WebSocketDisconnect, RuntimeError):
            LOG.debug("The client of a WebSocket has gone.")
        finally:
            if self._operations.get(number) is asyncio.current_task():
                del self._operations[number]

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(orjson.dumps(message).decode())

    def close(self, code: int, reason: str) -> None:
        """Have the connection closed."""
        self._closing = asyncio.create_task(self._close(code, reason))

    async def _close(self, code: int, reason: str) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # the client has gone already
            await self._socket.close(code, reason)

    async def end(self) -> None:
        """Stop all operations."""
        tasks = [*self._operations.values(), *([] if self._closing is None else [self._closing])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _told(error: Exception) -> dict[str, Any]:
    match error:
        case HeadwaterError():
            return format_error(GraphQLError(error.message, original_error=error))
        case Malformed():
            return {"message": error.message, "extensions": {"code": error.code, "fault": "user"}}
        case _:
            return {"message": "The server is stopping.", "extensions": {"code": Code.CANCELLED, "fault": "ours"}}


def _with_credentials(socket: WebSocket, payload: object) -> HTTPConnection:
    """The connection as if what its client says of itself had come in headers: browsers can't send those here."""
    given = payload if isinstance(payload, dict) else {}
    known = {name.lower(): value for name, value in given.items() if isinstance(value, str)}
    extra = [
        (name.encode(), known[name].encode())
        for name in ("authorization", "x-api-key", "accept-language")
        if name in known
    ]
    names = {name for name, _ in extra}
    headers = [pair for pair in socket.scope["headers"] if pair[0] not in names]
    return HTTPConnection({**socket.scope, "headers": [*headers, *extra]})


def _is_welcome(socket: WebSocket, origins: tuple[str, ...]) -> bool:
    """Whether the page that connects, if it is one, is of this site or of one that may: browsers ask nobody else."""
    origin = socket.headers.get("origin")
    if origin is None or origin in origins or "*" in origins:
        return True
    return urlsplit(origin).netloc == socket.headers.get("host")
