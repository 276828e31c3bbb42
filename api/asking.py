"""What every door does alike: who asks and how, and the form of a refusal."""

from __future__ import annotations

import asyncio
import math

import orjson
from graphql import GraphQLError
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.accept import JSON
from api.context import Response as Answered
from api.context import Snapshot
from api.errors import format_error
from api.resolvers.context import Context
from api.seen.notes import notes_of
from api.served import Served
from api.viewers.refused import Unauthenticated
from semantic.errors import Code, HeadwaterError, Overloaded, RateLimited
from semantic.query.query import Viewer

CLIENT_CLOSED_REQUEST = 499
SOON = "1"
"""`Retry-After` of what is over in a moment, in seconds."""
LATER = "5"
"""`Retry-After` of an answer that is still being computed, in seconds."""

STATUS = {
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.RATE_LIMITED: 429,
    Code.TIMEOUT: 504,
    Code.OVERLOADED: 503,
    Code.CANCELLED: 503,
    Code.DATA_ERROR: 503,
    Code.INTERNAL: 500,
}
"""The HTTP status of an error, where nothing but it is answered; 400 for all others."""
_RETRY = {Code.TIMEOUT: LATER, Code.OVERLOADED: SOON, Code.CANCELLED: SOON, Code.DATA_ERROR: SOON}


async def context_of(snapshot: Snapshot, served: Served, connection: HTTPConnection, counted: bool = True) -> Context:
    """The context of a request, or of a question over a WebSocket. Unauthenticated, Unverifiable, RateLimited.

    `counted`: as one request of the viewer's rate.
    """
    viewer = await served.viewers.of(connection, snapshot.model)
    if snapshot.model.policies:
        await asyncio.to_thread(snapshot.seen_by, viewer)  # it may have to be made first
    context = context_for(viewer, snapshot, served, connection.headers.get("accept-language"))
    notes_of(connection.scope).of(context)
    if counted:
        served.rates.take(context.viewer, context.limits)
    return context


def context_for(viewer: Viewer, snapshot: Snapshot, served: Served, locale: str | None) -> Context:
    """The context of a request of somebody known. FORBIDDEN when their claims say what is no limit."""
    return snapshot.context(
        viewer=viewer,
        locale=locale,
        may_see_sql=served.settings.may_show_sql,
        limits=served.limits,
        discreet=served.settings.is_hardened and not viewer.signed_in,
    )


class Told(Response):
    """A refusal. Those who look on are told of its codes when it is sent."""

    def __init__(self, codes: tuple[str, ...], response: Response) -> None:
        super().__init__(response.body, response.status_code, response.headers)
        self._codes = codes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        notes_of(scope).codes = self._codes
        await super().__call__(scope, receive, send)


def refusal(media: str, status: int, code: str, message: str) -> Response:
    """A refusal in the form of a GraphQL response."""
    fault = "ours" if status >= 500 else "user"
    body = {"errors": [{"message": message, "extensions": {"code": code, "fault": fault}}]}
    return Told((code,), reply(orjson.dumps(body), media, status))


def failure(media: str, errors: list[GraphQLError], discreet: bool = False) -> Response:
    """Errors where there is nothing else to say, with the status of the first one's code.

    `discreet`: without the names that were probably meant.
    """
    found = [format_error(error, discreet=discreet) for error in errors]
    codes = tuple(error["extensions"]["code"] for error in found)
    code = codes[0]
    response = Told(codes, reply(orjson.dumps({"errors": found}), media, STATUS.get(code, 400)))
    cause = errors[0].original_error
    if isinstance(cause, Overloaded | RateLimited):
        response.headers["retry-after"] = str(math.ceil(cause.retry_after))
    elif code in _RETRY:
        response.headers["retry-after"] = _RETRY[code]
    return response


def told(media: str, error: HeadwaterError, discreet: bool = False) -> Response:
    """An error where there is nothing else to say; to somebody who is not known, how to say who they are."""
    response = failure(media, [GraphQLError(error.message, original_error=error)], discreet)
    if isinstance(error, Unauthenticated):
        response.headers["www-authenticate"] = error.challenge
    return response


async def refuse(_: Request, error: Exception) -> Response:
    """The same as a handler of exceptions, for doors that raise it."""
    assert isinstance(error, HeadwaterError)
    return told(JSON, error)


def overloaded(answered: Answered, media: str) -> Response:
    """An answer without anything answered, because too many ask (503) or it takes longer (504); when to come again."""
    response = reply(answered.body, media, 503 if Code.OVERLOADED in answered.codes else 504)
    response.headers["retry-after"] = str(math.ceil(answered.retry_after or 1))
    return response


def reply(body: bytes, media: str, status: int) -> Response:
    """An answer that nobody keeps."""
    headers = {
        "content-type": f"{media}; charset=utf-8",
        "cache-control": "no-store",
        "vary": "accept, accept-language",
        "x-content-type-options": "nosniff",
    }
    return Response(body, status, headers)
