"""`/graphql`: GraphQL over HTTP, and the page for a browser.

Follows the GraphQL-over-HTTP specification: a caller that takes `application/graphql-response+json` is told by the
status that nothing was run (400); one that takes `application/json` gets 200 whenever its request was well-formed.
"""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.accept import GRAPHQL_JSON, HTML, JSON, choose_type
from api.asking import BAD_REQUEST, CLIENT_CLOSED_REQUEST, SOON, context_of, overloaded, refusal, reply, told
from api.context import Outcome
from api.csrf import check_origin
from api.execute import execute
from api.graphiql import graphiql_page
from api.request import Asked, Malformed, read_request
from api.running import Gone, Running, Stopping
from api.seen.notes import notes_of
from api.served import Served
from semantic.errors import Code, HeadwaterError

LOG = logging.getLogger("headwater")

METHODS = ("GET", "HEAD", "POST", "OPTIONS")


class Front:
    """The ASGI application of the GraphQL endpoint."""

    def __init__(self, served: Served, running: Running) -> None:
        self._served = served
        self._settings = served.settings
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": ", ".join(METHODS)})
        accept = request.headers.get("accept")
        wants_page = request.method in ("GET", "HEAD") and choose_type(accept, (JSON, GRAPHQL_JSON, HTML)) == HTML
        if wants_page and (not self._settings.is_hardened or await self._served.may_look(request)):
            return graphiql_page()
        media = choose_type(accept, (JSON, GRAPHQL_JSON))
        if media is None:
            return refusal(JSON, 406, BAD_REQUEST, f"Only {JSON} and {GRAPHQL_JSON} can be had here.")
        if request.method not in METHODS:
            wrong = refusal(media, 405, BAD_REQUEST, f"Ask with GET or POST, not {request.method}.")
            wrong.headers["allow"] = ", ".join(METHODS)
            return wrong
        try:
            if self._settings.is_hardened:
                check_origin(request)
            asked = await read_request(request, self._settings.max_request)
            return await self._answer(request, asked, media)
        except HeadwaterError as error:
            return told(media, error, notes_of(request.scope).discreet)
        except Malformed as error:
            return refusal(media, error.status, BAD_REQUEST, error.message)
        except (Gone, ClientDisconnect):
            LOG.debug("The caller has gone; its query was stopped.")
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Stopping:
            stopping = refusal(media, 503, Code.CANCELLED, "The server is stopping. Ask again in a moment.")
            stopping.headers["retry-after"] = SOON
            return stopping
        except Exception:
            LOG.exception("A request failed.")
            return refusal(media, 500, Code.INTERNAL, "The request failed. The server's log says why.")

    async def _answer(self, request: Request, asked: Asked, media: str) -> Response:
        self._served.look_soon()
        with self._served.lease() as snapshot:
            context = await context_of(snapshot, self._served, request)
            work = execute(snapshot, asked.query, asked.variables, asked.operation_name, context)
            answered = await self._running.answer(work, request.receive)
        notes_of(request.scope).came(answered)
        if answered.retry_after is not None:
            return overloaded(answered, media)
        refused = answered.outcome is Outcome.REFUSED and media == GRAPHQL_JSON
        return reply(answered.body, media, 400 if refused else 200)
