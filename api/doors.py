"""The small doors beside GraphQL: the schema as files, an example, and the probes of an orchestrator."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.routing import BaseRoute, Route

from api.compression import WORTH, coding_of, compress
from api.described import with_tables
from api.example import example_query
from api.execute import print_sdl
from api.running import Running
from api.seen.onlookers import Onlookers
from api.served import Served
from api.viewers.refused import Unauthenticated
from semantic.errors import HeadwaterError
from semantic.load import json_schema
from semantic.query.query import Viewer

PLAIN = "text/plain; charset=utf-8"


class SchemaFile(JSONResponse):
    """A JSON Schema, which is written already."""

    media_type = "application/schema+json"

    def render(self, content: bytes) -> bytes:
        """As it is."""
        return content


def doors(served: Served, running: Running, onlookers: Onlookers) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def home() -> Response:
        return RedirectResponse("graphql")

    @router.get("/graphql/example", summary="A query that this model answers")
    async def example(request: Request) -> Response:
        with served.lease() as snapshot:
            viewer = await who_may_look(served, request)
            found = await asyncio.to_thread(example_query, snapshot, viewer)
        return Response(orjson.dumps(found), media_type="application/json")

    @router.get("/schema.graphql", summary="The GraphQL schema", response_class=PlainTextResponse)
    async def schema(request: Request) -> Response:
        served.look_soon()
        with served.lease() as snapshot:
            viewer = await who_may_look(served, request)
            seen = await asyncio.to_thread(snapshot.seen_by, viewer)
            text = await asyncio.to_thread(print_sdl, seen, request.headers.get("accept-language"))
        return await _plain(text, request)

    @router.get("/model.schema.json", summary="The JSON Schema of model files", response_class=SchemaFile)
    async def model_schema() -> Response:
        text = orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2)
        return SchemaFile(text)

    @router.get("/healthz", summary="Whether the process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/metricsz", summary="Counts and durations, for Prometheus", response_class=PlainTextResponse)
    async def metricsz(request: Request) -> Response:
        await who_may_look(served, request)
        return Response(onlookers.text(), media_type=CONTENT_TYPE_LATEST, headers={"cache-control": "no-store"})

    @router.get("/readyz", summary="Whether questions can be answered")
    async def readyz() -> Response:
        status, body = await readiness(served, running)
        return Response(
            orjson.dumps(body), status, media_type="application/json", headers={"cache-control": "no-store"}
        )

    return router


def described(served: Served) -> list[BaseRoute]:
    """The route of `/openapi.json`, where that is shown at all."""

    async def openapi(request: Request) -> Response:
        with served.lease() as snapshot:
            viewer = await who_may_look(served, request)
            seen = await asyncio.to_thread(snapshot.seen_by, viewer)
            schema = await asyncio.to_thread(seen.schemas.localized, request.headers.get("accept-language"))
        found = with_tables(request.app.openapi(), schema.graphql)
        headers = {"vary": "accept-language, authorization, x-api-key", "cache-control": "no-cache"}
        return Response(orjson.dumps(found), media_type="application/json", headers=headers)

    return [] if served.settings.is_hardened else [Route("/openapi.json", openapi)]


async def _plain(text: str, request: Request) -> Response:
    """A text in the reader's language, compressed where they take that."""
    headers = {"vary": "accept-encoding, accept-language", "cache-control": "no-cache"}
    coding = coding_of(request.headers.get("accept-encoding"))
    if coding is None or len(text) < WORTH:
        return Response(text, media_type=PLAIN, headers=headers)
    packed = await asyncio.to_thread(compress, text.encode(), coding)
    return Response(packed, media_type=PLAIN, headers=headers | {"content-encoding": coding})


async def who_may_look(served: Served, request: Request) -> Viewer:
    """Who is shown what tells of the model. Unauthenticated when that is for those only who sign in."""
    if not await served.may_look(request):
        raise Unauthenticated("This is shown only to those who sign in.")
    return await served.viewers.of(request, served.snapshot.model)


async def readiness(served: Served, running: Running) -> tuple[int, dict[str, Any]]:
    """200 when a model is in service and its data can be reached, else 503, and what there is to say about it."""
    if running.is_stopping:
        return 503, {"status": "stopping"}
    detailed, hardened = served.settings.may_show_sql, served.settings.is_hardened
    with served.lease() as snapshot:
        body: dict[str, Any] = {"status": "ready", "model": snapshot.version, "warnings": []}
        if served.problem is not None:
            text = f": {served.problem}" if detailed else "; the server's log says why."
            body["warnings"].append(f"The changed model can't be used, the earlier one is in service{text}")
        try:
            facts = await snapshot.engine.facts(tuple(snapshot.model.stored))
        except HeadwaterError as error:
            return 503, {"status": "unready"} if hardened else body | {"status": "unready", "reason": str(error)}
        body["dataVersion"] = facts.version
    return 200, {"status": "ready"} if hardened else body
