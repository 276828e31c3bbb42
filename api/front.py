"""`/graphql`: GraphQL over HTTP, and the page for a browser.

Follows the GraphQL-over-HTTP specification: a caller that takes `application/graphql-response+json` is told by the
status that nothing was run (400); one that takes `application/json` gets 200 whenever its request was well-formed.

An answer is looked for in three places, each falling through to the next: kept bytes (`Kept`), answers at hand of an
operation that was planned (`execute_now`), and the executor (`execute`). The first two are tried without waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from weakref import ref

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response as Reply
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.accept import EVENTS, GRAPHQL_JSON, HTML, JSON, choose_type
from api.answering import Answering, never
from api.asking import CLIENT_CLOSED_REQUEST, SOON, overloaded, refusal, told
from api.compression import WORTH, coding_of, compress
from api.context import Outcome, Response
from api.csrf import check_origin
from api.documents import Documents
from api.events import Events
from api.graphiql import graphiql_page
from api.headers import ALWAYS
from api.kept import Bytes, Entry, Form, RawHeaders
from api.request import BAD_REQUEST, Asked, Malformed, check_content_type, from_address, from_body, read_body
from api.resolvers.answers import together
from api.resolvers.weighed import SHORT, remembered
from api.running import Gone, Stopping
from api.seen.notes import notes_of
from api.served import Served
from api.subscriptions import Subscriptions
from semantic.errors import Code, HeadwaterError
from semantic.query.query import ANONYMOUS

LOG = logging.getLogger("headwater")

METHODS = ("GET", "HEAD", "POST", "OPTIONS")

_AT_ONCE = 65_536
"""Bytes up to which a body is compressed at once; larger ones in a thread."""
_KNOWN_BODIES = 1024
"""Request bodies remembered with what they ask; only small ones."""
_SMALL = 8192
_FEW = 8
"""Ways in which a body's reply is remembered to be wanted."""

_choose = remembered(1024)(choose_type)
_is_json = remembered(64)(check_content_type)


_Wanted = tuple[bytes | None, bytes | None, bytes | None]
"""What Accept, Accept-Encoding and Accept-Language say."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """The entry that answers somebody anonymous, for as long as it is kept, and the form of the reply."""

    entry: ref[Entry]
    form: Form


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A request body that came before: what it asks, and what was the reply to whoever wanted it so."""

    asked: Asked
    ready: dict[_Wanted, _Ready] = field(default_factory=dict)


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
        self._bodies: dict[bytes, _Known] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        reply = await self._respond(Request(scope, receive))
        await reply(scope, receive, send)

    def now(self, scope: Scope, message: Message) -> Bytes | None:
        """The reply to a POST that needs no waiting, once the first message of its body has come; None: ask properly.

        It has every header already that the application would add.
        """
        try:
            return self._now(scope, message)
        except Exception:
            LOG.exception("A kept answer can't be given; it is made anew.")
            return None

    def _now(self, scope: Scope, message: Message) -> Bytes | None:
        known = self._bodies.get(message.get("body", b""))
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        if known is None or len(headers) != len(scope["headers"]) or message.get("more_body"):
            return None
        if headers.get(b"content-type") != b"application/json":
            return None
        wanted = (headers.get(b"accept"), headers.get(b"accept-encoding"), headers.get(b"accept-language"))
        ready = known.ready.get(wanted)
        if ready is not None:
            entry = ready.entry()
            if entry is not None and self._answering.still(entry, headers):
                notes_of(scope).kept_one(entry.response, ANONYMOUS, entry.snapshot.model)
                return entry.replies[ready.form]
            del known.ready[wanted]
        return self._found_now(scope, known, headers, wanted)

    def _found_now(self, scope: Scope, known: _Known, headers: Mapping[bytes, bytes], wanted: _Wanted) -> Bytes | None:
        media = _choose(_text(wanted[0]), (JSON, GRAPHQL_JSON, EVENTS))
        if media == EVENTS:
            return None
        found = None if media is None else self._answering.now(known.asked, headers, notes_of(scope))
        if found is None or media is None:
            return None
        coding = coding_of(_text(wanted[1]))
        if coding is not None and len(found.response.body) > _AT_ONCE:
            return None
        if found.entry is None:
            return _once(found.response, media, coding)
        form = _form(found.entry, media, coding, posted=True)
        reply = self._kept(found.entry, form)
        if len(known.ready) < _FEW and sum(map(len, filter(None, wanted))) <= SHORT:
            known.ready[wanted] = _Ready(ref(found.entry), form)
        return reply

    async def _respond(self, request: Request) -> ASGIApp:
        method = request.method
        if method == "OPTIONS":
            return Reply(status_code=204, headers={"allow": ", ".join(METHODS)})
        accept = request.headers.get("accept")
        wants_page = method in ("GET", "HEAD") and _choose(accept, (JSON, GRAPHQL_JSON, HTML)) == HTML
        if wants_page and (not self._settings.is_hardened or await self._served.may_look(request)):
            return graphiql_page()
        media = _choose(accept, (JSON, GRAPHQL_JSON, EVENTS))
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
            return self._documents.asked(from_address(request.query_params))
        _is_json(request.headers.get("content-type"))
        body = await read_body(request, self._settings.max_request)
        given = from_body(body, self._settings.batch)
        if isinstance(given, list):
            return [self._documents.asked(one) for one in given]
        asked = self._documents.asked(given)
        if len(body) <= _SMALL:
            if len(self._bodies) >= _KNOWN_BODIES:
                self._bodies.clear()
            self._bodies[body] = _Known(asked)
        return asked

    async def _several(self, request: Request, several: list[Asked], media: str, streams: bool) -> Bytes:
        """The answers to a list of requests, as a list."""
        if streams:
            raise Malformed("A list of queries is answered as JSON.")
        notes = notes_of(request.scope)
        work = [self._answering.answer(one, request, never, notes) for one in several]
        found = await self._answering.until_gone(together(work), request.receive)
        body = b"[" + b",".join(one.response.body for one in found) + b"]"
        return _once(Response(body, Outcome.PARTIAL), media, coding_of(request.headers.get("accept-encoding")))

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
        large = coding is not None and len(response.body) > _AT_ONCE
        if entry is None:
            return await asyncio.to_thread(_once, response, media, coding) if large else _once(response, media, coding)
        form = _form(entry, media, coding, posted=request.method == "POST")
        if not form.posted and _matches(request.headers.get("if-none-match", ""), entry.etag):
            return Bytes(304, self._headers_of(entry, form)[1:], b"")
        return await asyncio.to_thread(self._kept, entry, form) if large else self._kept(entry, form)

    def _kept(self, entry: Entry, form: Form) -> Bytes:
        """The reply of an entry, made once for each form."""
        known = entry.replies.get(form)
        if known is None:
            known = entry.replies[form] = Bytes(200, self._headers_of(entry, form), entry.body(form.coding))
        return known

    def _headers_of(self, entry: Entry, form: Form) -> RawHeaders:
        kept_for = "no-store" if form.posted else f"private, max-age={int(self._settings.freshness_check)}"
        return [*_headers(form.media, form.coding, kept_for), (b"etag", entry.etag.encode())]


async def _first(answers: AsyncGenerator[Response, None]) -> Response | None:
    """The first answer; None when the server stops just now."""
    return await anext(answers, None)


def _form(entry: Entry, media: str, coding: str | None, posted: bool) -> Form:
    return Form(media, coding if len(entry.response.body) >= WORTH else None, posted)


def _once(response: Response, media: str, coding: str | None) -> Bytes:
    """The reply of an answer that nobody keeps."""
    if coding is None or len(response.body) < WORTH:
        coding, body = None, response.body
    else:
        body = compress(response.body, coding)
    refused = response.outcome is Outcome.REFUSED and media == GRAPHQL_JSON
    return Bytes(400 if refused else 200, _headers(media, coding, "no-store"), body)


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


def _matches(given: str, etag: str) -> bool:
    """Whether an If-None-Match header names the tag (weakly, as RFC 9110 has it)."""
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


@lru_cache(maxsize=64)
def _headers(media: str, coding: str | None, cache_control: str) -> RawHeaders:
    """The headers of an answer; the content type first."""
    found = [
        (b"content-type", f"{media}; charset=utf-8".encode()),
        (b"cache-control", cache_control.encode()),
        (b"vary", b"accept, accept-encoding, accept-language, authorization, x-api-key"),
        *ALWAYS,
    ]
    return [*found, (b"content-encoding", coding.encode())] if coding else found
