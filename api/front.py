"""`/graphql`: GraphQL over HTTP, and the page for a browser.

Follows the GraphQL-over-HTTP specification: a caller that takes `application/graphql-response+json` is told by the
status that nothing was run (400); one that takes `application/json` gets 200 whenever its request was well-formed.

An answer is looked for in three places, each falling through to the next: kept bytes (`Kept`), answers at hand of an
operation that was planned (`execute_now`), and the executor (`execute`). The first two are tried before this, without
waiting (`AtOnce`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response as Reply
from starlette.types import ASGIApp, Receive, Scope, Send

from api.accept import EVENTS, GRAPHQL_JSON, HTML, JSON
from api.answering import Answering, never
from api.asking import CLIENT_CLOSED_REQUEST, SOON, overloaded, refusal, told
from api.at_once import AtOnce, choose
from api.compression import coding_of
from api.context import Outcome, Response
from api.csrf import check_origin
from api.documents import Documents
from api.events import Events
from api.graphiql import graphiql_page
from api.kept import Bytes
from api.replies import AT_ONCE, Replies, form_of, once
from api.request import BAD_REQUEST, Asked, Malformed, check_content_type, from_address, from_body, read_body
from api.resolvers.answers import together
from api.resolvers.weighed import remembered
from api.running import Gone, Stopping
from api.seen.notes import notes_of
from api.served import Served
from api.subscriptions import Subscriptions
from semantic.errors import Code, HeadwaterError

LOG = logging.getLogger("headwater")

METHODS = ("GET", "HEAD", "POST", "OPTIONS")

_is_json = remembered(64)(check_content_type)


class Front:
    """The ASGI application of the GraphQL endpoint."""

    def __init__(
        self, served: Served, answering: Answering, subscriptions: Subscriptions, documents: Documents
    ) -> None:
        self._served = served
        self._settings = served.settings
        self._answering = answering
        self._subscriptions = subscriptions
        self._documents = documents
        self._replies = Replies(served.settings.browser_age)
        self.at_once = AtOnce(served, answering, self._replies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        reply = await self._respond(Request(scope, receive))
        await reply(scope, receive, send)

    async def _respond(self, request: Request) -> ASGIApp:
        method = request.method
        if method == "OPTIONS":
            return Reply(status_code=204, headers={"allow": ", ".join(METHODS)})
        accept = request.headers.get("accept")
        wants_page = method in ("GET", "HEAD") and choose(accept, (JSON, GRAPHQL_JSON, HTML)) == HTML
        if wants_page and (not self._settings.is_hardened or await self._served.may_look(request)):
            return graphiql_page()
        media = choose(accept, (JSON, GRAPHQL_JSON, EVENTS))
        if media is None:
            return refusal(JSON, 406, BAD_REQUEST, f"Only {JSON}, {GRAPHQL_JSON} and {EVENTS} can be had here.")
        if method not in METHODS:
            wrong = refusal(media, 405, BAD_REQUEST, f"Ask with GET or POST, not {method}.")
            wrong.headers["allow"] = ", ".join(METHODS)
            return wrong
        streams, media = media == EVENTS, JSON if media == EVENTS else media
        try:
            if self._settings.is_hardened:
                check_origin(request)
            asked = await self._asked(request)
            if isinstance(asked, list):
                return await self._several(request, asked, media, streams)
            return await (self._stream(request, asked) if streams else self._reply(request, asked, media))
        except HeadwaterError as error:
            return told(media, error, notes_of(request.scope).discreet)
        except Malformed as error:
            return refusal(media, error.status, error.code, error.message)
        except (Gone, ClientDisconnect):
            LOG.debug("The caller has gone; its query was stopped.")
            return Reply(status_code=CLIENT_CLOSED_REQUEST)
        except Stopping:
            stopping = refusal(media, 503, Code.CANCELLED, "The server is stopping. Ask again in a moment.")
            stopping.headers["retry-after"] = SOON
            return stopping
        except Exception:
            LOG.exception("A request failed.")
            return refusal(media, 500, Code.INTERNAL, "The request failed. The server's log says why.")

    async def _asked(self, request: Request) -> Asked | list[Asked]:
        if request.method != "POST":
            asked = self._documents.asked(from_address(request.query_params))
            if request.method == "GET":
                self.at_once.learn("GET", request.scope["query_string"], asked)
            return asked
        _is_json(request.headers.get("content-type"))
        body = await read_body(request, self._settings.max_request)
        given = from_body(body, self._settings.batch)
        if isinstance(given, list):
            return [self._documents.asked(one) for one in given]
        asked = self._documents.asked(given)
        self.at_once.learn("POST", body, asked)
        return asked

    async def _several(self, request: Request, several: list[Asked], media: str, streams: bool) -> Bytes:
        """The answers to a list of requests, as a list."""
        if streams:
            raise Malformed("A list of queries is answered as JSON.")
        notes = notes_of(request.scope)
        work = [self._answering.answer(one, request, never, notes) for one in several]
        found = await self._answering.until_gone(together(work), request.receive)
        body = b"[" + b",".join(one.response.body for one in found) + b"]"
        return once(Response(body, Outcome.PARTIAL), media, coding_of(request.headers.get("accept-encoding")))

    async def _stream(self, request: Request, asked: Asked) -> Events | Reply:
        """Answers as events. What is wrong before the first one is told by the status."""
        answers = self._subscriptions.answers(asked, request)
        first = await self._answering.until_gone(_first(answers), request.receive)
        if first is not None and first.retry_after is not None:
            await answers.aclose()
            return overloaded(first, JSON)
        return Events(answers, first)

    async def _reply(self, request: Request, asked: Asked, media: str) -> Reply | Bytes:
        found = await self._answering.answer(asked, request, request.receive, notes_of(request.scope))
        response, entry = found.response, found.entry
        if response.retry_after is not None:
            return overloaded(response, media)
        coding = coding_of(request.headers.get("accept-encoding"))
        large = coding is not None and len(response.body) > AT_ONCE
        if entry is None:
            return await asyncio.to_thread(once, response, media, coding) if large else once(response, media, coding)
        known = None if request.method == "POST" else request.headers.get("if-none-match", "")
        form = form_of(entry, media, coding, known)
        return await asyncio.to_thread(self._replies.of, entry, form) if large else self._replies.of(entry, form)


async def _first(answers: AsyncGenerator[Response, None]) -> Response | None:
    """The first answer; None when the server stops just now."""
    return await anext(answers, None)
