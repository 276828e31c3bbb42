"""`/v1/table`: the rows of `table` as JSON, CSV, Arrow or Parquet, for services and notebooks.

The same arguments, the same policies and the same cache as the field of that name; only the form differs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from itertools import chain
from typing import Any

from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api.accept import JSON, choose_type
from api.asking import CLIENT_CLOSED_REQUEST, context_of, failure, refusal, told
from api.compression import WORTH, coding_of, compress, compressed
from api.context import Snapshot
from api.documents import NOT_TRUSTED
from api.formats import FORMATS, SLICE, Format, Tabulated
from api.request import BAD_REQUEST, Malformed, read_object
from api.resolvers.context import Context
from api.resolvers.selection import Selected
from api.resolvers.table import Table, answer_table
from api.running import Gone, Running, Stopping
from api.seen.notes import notes_of
from api.served import Served
from api.table_request import Refused, TableRequest
from semantic.errors import Code, HeadwaterError

LOG = logging.getLogger("headwater")

METHODS = ("GET", "HEAD", "POST")


class TableDoor:
    """The ASGI application of `/v1/table` and of `/v1/table.<ending>`."""

    def __init__(self, served: Served, running: Running) -> None:
        self._served = served
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in METHODS:
            response = refusal(JSON, 405, BAD_REQUEST, f"Ask with GET or POST, not {request.method}.")
            response.headers["allow"] = ", ".join(METHODS)
            return response
        try:
            if self._served.settings.trusted_only:
                raise Malformed("Only trusted documents are answered here.", 403, NOT_TRUSTED)
            written = _format(request)
            return await self._answer(request, written)
        except Malformed as error:
            return refusal(JSON, error.status, error.code, error.message)
        except Refused as error:
            return failure(JSON, error.errors, notes_of(request.scope).discreet)
        except HeadwaterError as error:
            return told(JSON, error, notes_of(request.scope).discreet)
        except (Gone, ClientDisconnect):
            LOG.debug("The caller has gone; its query was stopped.")
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Stopping:
            return refusal(JSON, 503, Code.CANCELLED, "The server is stopping. Ask again in a moment.")
        except Exception as error:
            return failure(JSON, [GraphQLError(str(error), original_error=error)])

    async def _answer(self, request: Request, written: Format) -> Response:
        settings = self._served.settings
        self._served.look_soon()
        with self._served.lease() as snapshot:
            context = await context_of(snapshot, self._served, request)
            asked = await _asked(request, snapshot.seen_by(context.viewer), settings.max_request)
            answer = await self._running.answer(_tabulate(context, asked), request.receive)
            etag = _etag(written, answer, snapshot.version)
        headers = _headers(request, written, answer, settings.browser_age) | {"etag": etag}
        if request.method != "POST" and etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        coding = None if written.is_packed else coding_of(request.headers.get("accept-encoding"))
        if answer.table.num_rows <= SLICE:
            return await _whole(b"".join(written.write(answer)), headers, coding)
        pieces = written.write(answer)
        if coding is not None:
            pieces, headers = compressed(pieces, coding), headers | {"content-encoding": coding}
        return StreamingResponse(_first_now(pieces), 200, headers)


def _format(request: Request) -> Format:
    """The format of the address's ending; of several with that ending, and without one, the one the caller accepts."""
    ending = request.path_params.get("ending")
    offered = [one for one in FORMATS if ending in (None, one.ending)]
    if not offered:
        known = ", ".join(dict.fromkeys(one.ending for one in FORMATS))
        raise Malformed(f"There is no table.{ending}. The formats are {known}.", 404)
    media = choose_type(request.headers.get("accept"), [one.media for one in offered])
    chosen = next((one for one in offered if one.media == media), None)
    if chosen is not None:
        return chosen
    if ending is not None:  # said in the address
        return offered[0]
    raise Malformed(f"Only {', '.join(one.media for one in FORMATS)} can be had here.", 406)


async def _asked(request: Request, snapshot: Snapshot, most: int) -> Selected:
    table = TableRequest.of(snapshot.schemas.default.graphql)
    if request.method == "POST":
        return table.selected(await read_object(request, most, '{"metrics": ["GMV"]}'))
    return table.selected(table.from_address(request.query_params))


async def _tabulate(context: Context, asked: Selected) -> Tabulated:
    answer = await answer_table(context, asked)
    assert answer.part is not None
    (answered,) = answer.answers.values()
    return Tabulated(
        answer.part.table,
        answer.questions.zone,
        tuple(answer.columns),
        answered.answer.statement.digest,
        await _about(answer),
    )


async def _about(answer: Table) -> dict[str, Any]:
    """What is said about an answer and is the same whenever it is given."""
    page, meta = answer.page_info, await answer.meta
    return {
        "pageInfo": {"hasNextPage": page.has_next_page, "offset": page.offset, "limit": page.limit},
        "meta": {
            "dataVersion": meta.data_version,
            "dataThrough": None if meta.data_through is None else meta.data_through.isoformat(),
            "warnings": [{"code": notice.code, "message": notice.message} for notice in meta.warnings],
        },
    }


def _etag(written: Format, answer: Tabulated, model: str) -> str:
    """Changes with the question, the data, the model, the labels and the format."""
    labels = [(column.key, column.label, column.description) for column in answer.columns]
    parts = (written.media, model, answer.statement, answer.zone.key, repr(labels), repr(answer.about))
    return f'W/"{hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


def _headers(request: Request, written: Format, answer: Tabulated, fresh: int) -> dict[str, str]:
    """What a reader of a format without room for it must know: whether there is more, and how old the data is."""
    meta = answer.about["meta"]
    text = written.media if not written.media.startswith("text/") else f"{written.media}; charset=utf-8"
    return {
        "content-type": text,
        "cache-control": "no-store" if request.method == "POST" else f"private, max-age={fresh}",
        "vary": "accept, accept-encoding, accept-language, authorization, x-api-key",
        "x-content-type-options": "nosniff",
        "content-disposition": f'inline; filename="table.{written.ending}"',
        "headwater-has-next-page": "true" if answer.about["pageInfo"]["hasNextPage"] else "false",
        "headwater-data-version": meta["dataVersion"],
        "headwater-data-through": meta["dataThrough"] or "",
        "headwater-warnings": ", ".join(warning["code"] for warning in meta["warnings"]),
    }


async def _whole(body: bytes, headers: dict[str, str], coding: str | None) -> Response:
    """Few rows, in one piece; compressed where that is worth it."""
    if coding is None or len(body) < WORTH:
        return Response(body, 200, headers)
    packed = await asyncio.to_thread(compress, body, coding)
    return Response(packed, 200, headers | {"content-encoding": coding})


def _first_now(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces; what fails at the first one fails before anything is sent."""
    return chain((next(pieces),), pieces)
