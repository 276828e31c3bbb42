"""A crowd of subscribers, half over server-sent events and half over WebSockets, each with a connection of its own."""

from __future__ import annotations

import asyncio
import json
import resource
import socket as sockets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

AT_A_TIME = 100
"""Connections that are opened at the same time: what a listening socket's backlog takes."""
HEAD = (
    "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n"
    "{extra}content-length: {length}\r\n\r\n"
)


class Subscriber(Protocol):
    """One subscription."""

    async def next(self) -> Any:
        """The next answer. EOFError when there is none any more."""

    async def leave(self) -> None:
        """Go away."""


@dataclass(slots=True, eq=False)
class Events:
    """Over server-sent events. `head`: what was answered before the first. `held`: what came of the next one."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes
    held: bytes = b""

    async def next(self) -> Any:
        """The next answer."""
        while True:
            event = await self._event()
            if event.startswith(b"event: complete"):
                raise EOFError
            if event.startswith(b"event: next"):
                return json.loads(event.partition(b"data: ")[2])

    async def _event(self) -> bytes:
        while b"\n\n" not in self.held:
            size = int(await self.reader.readline() or b"0", 16)
            if not size:
                raise EOFError
            self.held += (await self.reader.readexactly(size + 2))[:-2]
        event, _, self.held = self.held.partition(b"\n\n")
        return event.lstrip()

    async def leave(self) -> None:
        """Close the connection."""
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@dataclass(slots=True, eq=False)
class Socket:
    """Over a WebSocket."""

    connection: ClientConnection

    async def next(self) -> Any:
        """The next answer."""
        message = json.loads(await self.connection.recv())
        if message["type"] != "next":
            raise EOFError(message)
        return message["payload"]

    async def leave(self) -> None:
        """Close the connection."""
        await self.connection.close()


async def events(port: int, query: str, room: int | None = None, **headers: str) -> Events:
    """A subscription over server-sent events; only its beginning was waited for. `room`: bytes that this machine takes
    for it before they are read.
    """
    body = json.dumps({"query": query})
    extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    end = sockets.socket()
    end.setblocking(False)
    if room is not None:
        end.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, room)
    await asyncio.get_running_loop().sock_connect(end, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=end, limit=2**16)
    writer.write((HEAD.format(extra=extra, length=len(body)) + body).encode())
    return Events(reader, writer, await reader.readuntil(b"\r\n\r\n"))


async def socket(port: int, query: str, **init: str) -> Socket:
    """A subscription over a WebSocket."""
    address, protocol = f"ws://127.0.0.1:{port}/graphql", Subprotocol("graphql-transport-ws")
    connection = await connect(address, subprotocols=[protocol], open_timeout=60, ping_interval=None, max_size=2**26)
    await connection.send(json.dumps({"type": "connection_init", "payload": init}))
    await connection.recv()
    await connection.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
    return Socket(connection)


async def gather(open_one: Callable[[], Awaitable[Subscriber]], count: int) -> list[Subscriber]:
    """So many of a kind, a few being opened at a time."""
    few = asyncio.Semaphore(AT_A_TIME)

    async def one() -> Subscriber:
        async with few:
            return await open_one()

    return await asyncio.gather(*(one() for _ in range(count)))


async def all_next(crowd: Sequence[Subscriber]) -> list[Any]:
    """The next answer of everybody."""
    return await asyncio.gather(*(one.next() for one in crowd))


async def all_leave(crowd: Sequence[Subscriber]) -> None:
    """Everybody goes."""
    await asyncio.gather(*(one.leave() for one in crowd))


def may_open(files: int) -> None:
    """See to it that this process may hold so many connections. OSError when it may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
