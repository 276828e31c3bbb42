"""The application put together: GraphQL, its page, tables as files, the schema as files, and the probes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from api.answering import Answering
from api.asking import refuse
from api.csrf import PREFLIGHTED
from api.documents import Documents, read_trusted
from api.doors import described, doors
from api.front import Front
from api.graphiql import MOUNTED_AT, PageFiles
from api.headers import Headers
from api.kept import Bytes
from api.place import find_model
from api.rates import SharedRates
from api.reload import watch
from api.running import Running
from api.seen.onlookers import Onlookers
from api.seen.record import Watcher
from api.seen.seeing import Now, Seeing
from api.served import Served
from api.settings import Settings, from_environment
from api.socket import SocketDoor
from api.subscriptions import Subscriptions
from api.table_door import TableDoor
from api.viewers.refused import Unauthenticated, Unverifiable
from api.workers.crew import Crew

CORS: dict[str, Any] = {
    "allow_methods": ("GET", "POST"),
    "allow_headers": ("accept", "authorization", "content-type", "if-none-match", "x-api-key", *PREFLIGHTED),
    "expose_headers": ("etag", "retry-after", "headwater-data-version", "headwater-has-next-page"),
    "max_age": 86_400,
}
"""What pages of other sites may do, where they may ask at all. Cookies are nothing here."""


class App(FastAPI):
    """The application. Those who look on stand before it, and what can be answered at once never enters it."""

    def __init__(self, watcher: Watcher, now: Now | None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._seeing = Seeing(super().__call__, watcher, now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live for as long as the server does."""
        await self._seeing(scope, receive, send)

    def at_once(self, scope: Scope, body: bytes, write: Callable[[Bytes], None]) -> bool:
        """Whether a request, of which all has come, was answered just now. If not, call the application for it."""
        return self._seeing.at_once(scope, body, write)


def create_app(settings: Settings, crew: Crew | None = None) -> FastAPI:
    """The ASGI application. The model is loaded when it starts (its lifespan): ModelError, DataError, NO_MODEL.

    `crew`: the workers of the same server, of which this is one.

    `app.state.served` holds the snapshot, `app.state.running` the requests in flight, `app.state.onlookers` whoever is
    told of them. UserError when the settings contradict each other.
    """
    served = Served(settings, rates=None if crew is None else SharedRates(crew.rates))
    running = Running()
    onlookers = Onlookers(served, running, crew)

    answering = Answering(served, running)
    subscriptions = Subscriptions(served, answering, [onlookers], settings.each(settings.subscribers))
    documents = Documents(read_trusted(settings.trusted_documents), settings.trusted_only)
    front = Front(served, answering, subscriptions, documents)
    app = App(
        onlookers,
        None
        if settings.cors_origins
        else front.at_once.now,  # other sites' pages need headers that depend on who they are
        title="Headwater",
        version=version("headwater"),
        docs_url=None,  # FastAPI's pages load their scripts from another host
        redoc_url=None,
        openapi_url=None,  # what it says depends on who asks: it is a door of ours
        lifespan=partial(_lifespan, served, running, subscriptions, onlookers),
    )
    app.add_middleware(Headers)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.cors_origins, **CORS)
    app.state.served, app.state.running, app.state.onlookers = served, running, onlookers
    app.state.subscriptions = subscriptions
    app.add_exception_handler(Unauthenticated, refuse)
    app.add_exception_handler(Unverifiable, refuse)
    app.router.routes.append(Route("/graphql", front, name="graphql", include_in_schema=False))
    app.state.sockets = SocketDoor(served, subscriptions, documents)
    app.router.routes.append(WebSocketRoute("/graphql", app.state.sockets))
    for path in ("/v1/table", "/v1/table.{ending}"):
        app.router.routes.append(Route(path, TableDoor(served, running), include_in_schema=False))
    app.router.routes.append(Mount(MOUNTED_AT, PageFiles(), name="graphiql"))
    app.include_router(doors(served, running, onlookers))
    app.router.routes += described(served)
    return app


@asynccontextmanager
async def _lifespan(
    served: Served, running: Running, subscriptions: Subscriptions, onlookers: Onlookers, _: FastAPI
) -> AsyncIterator[None]:
    """From the first model's loading to the last query's end."""
    await served.open()
    tasks = [asyncio.create_task(onlookers.note())] if served.settings.workers > 1 else []
    if served.settings.reload:
        tasks.append(asyncio.create_task(_watch(served)))
    try:
        yield
    finally:
        await subscriptions.close()
        await running.drain(served.settings.drain)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await served.close()
        onlookers.close()


async def _watch(served: Served) -> None:
    folder = find_model(served.settings.model, Path.cwd())
    await watch(folder, lambda: served.snapshot.model.digest, served.reload)


def from_environ() -> FastAPI:
    """The application by `HEADWATER_*` variables alone: `uvicorn --factory api.app:from_environ`."""
    return create_app(from_environment(os.environ))
