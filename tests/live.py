"""A real server on a real socket, in a thread: apps are put behind it one after the other."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from api.app import App, create_app
from api.kept import Bytes
from api.protocol import Protocol
from api.settings import Settings

T = TypeVar("T")

STARTED_WITHIN = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class LiveServer:
    """One uvicorn for many apps: `serving` puts one behind it, with its lifespan run as uvicorn would run it."""

    def __init__(self) -> None:
        self._app: FastAPI | None = None
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        config = uvicorn.Config(
            self,
            http=Protocol,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            loop="none",
            timeout_keep_alive=60,
            proxy_headers=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None
        await self._app(scope, receive, send)

    def at_once(self, scope: Scope, body: bytes, write: Callable[[Bytes], None]) -> bool:
        return isinstance(self._app, App) and self._app.at_once(scope, body, write)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve([self._socket]))

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            self._thread.join(0.005)
            assert self._thread.is_alive()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(STARTED_WITHIN)
        self._loop.close()

    def await_(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STARTED_WITHIN)

    @contextmanager
    def serving(self, settings: Settings) -> Iterator[FastAPI]:
        """The app of these settings, started, behind the server."""
        app = create_app(settings)
        lifespan = app.router.lifespan_context(app)
        self.await_(lifespan.__aenter__())
        before, self._app = self._app, app
        try:
            yield app
        finally:
            self._app = before
            self.await_(lifespan.__aexit__(None, None, None))

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request over a connection of its own; only these headers (and the necessary ones) are sent."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def ask(self, query: str, variables: object = None, **headers: str) -> Reply:
        """POST a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", "/graphql", body, {"content-type": "application/json", **named})

    def request_chunked(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """POST a body of undeclared length."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            parts = (body[at : at + 1000] for at in range(0, len(body), 1000))
            connection.request("POST", path, parts, dict(headers), encode_chunked=True)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, found, response.read())
        finally:
            connection.close()
