"""GraphQL over server-sent events, in the mode of distinct connections: each answer an event, then `complete`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import orjson
from graphql import GraphQLError
from starlette.types import Receive, Scope, Send

from api.context import Response
from api.errors import format_error
from api.headers import ALWAYS
from semantic.errors import HeadwaterError

ALIVE = 15.0
"""Seconds without an answer after which a comment is sent, so that nobody between closes the connection."""
PIECE = 64 * 1024
"""Bytes that are sent at a time."""
_COMPLETE = b"event: complete\ndata:\n\n"


class Events:
    """A stream of answers. It ends with them, with the caller, or with the server."""

    def __init__(self, answers: AsyncGenerator[Response, None], first: Response | None) -> None:
        self._answers = answers
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            *ALWAYS,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_gone(receive))
        try:
            if self._first is not None:
                await _send(send, event_of(self._first.body))
            if await self._pass_on(send, gone):
                await _complete(send)
        except HeadwaterError as error:  # the subscription may not go on
            body = {"errors": [format_error(GraphQLError(error.message, original_error=error))]}
            await _send(send, event_of(orjson.dumps(body)))
            await _complete(send)
        finally:
            gone.cancel()
            await self._answers.aclose()

    async def _pass_on(self, send: Send, gone: asyncio.Future[None]) -> bool:
        """Send answers until there are no more; False when the caller went first."""
        while True:
            coming = asyncio.ensure_future(anext(self._answers, None))
            while not coming.done():
                await asyncio.wait((coming, gone), timeout=ALIVE, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    coming.cancel()
                    with suppress(asyncio.CancelledError, Exception):
                        await coming
                    return False
                if not coming.done():
                    await _send(send, b":\n\n")
            answer = coming.result()
            if answer is None:
                return True
            await _send(send, event_of(answer.body))


def event_of(body: bytes) -> bytes:
    """An answer as an event; JSON has no line breaks."""
    return b"event: next\ndata: " + body + b"\n\n"


async def _send(send: Send, body: bytes) -> None:
    """Send a part of the stream: of what a slow reader has not taken yet, a piece is held for it and no more."""
    for start in range(0, len(body), PIECE):
        await send({"type": "http.response.body", "body": body[start : start + PIECE], "more_body": True})


async def _complete(send: Send) -> None:
    await send({"type": "http.response.body", "body": _COMPLETE, "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
