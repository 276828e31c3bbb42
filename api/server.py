"""Headwater on uvicorn: a socket of our own, errors of the start as ours, and a stop that does not wait for long."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.connections import end_when_stalled, raise_file_limit
from api.settings import Settings
from semantic.errors import Code, HeadwaterError, UserError

STOP_SECONDS = 5
"""Connections that are still open this long after a stop was asked for are cut."""


class Server(uvicorn.Server):
    """Serves one app. `failure` is why it could not start."""

    def __init__(self, app: FastAPI, settings: Settings, started: Callable[[FastAPI], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,  # it shows addresses, which may hold queries; the request log is ours
                lifespan="on",
                timeout_graceful_shutdown=STOP_SECONDS,
                server_header=False,
                ws_max_size=settings.max_request,
                proxy_headers=False,  # whom to trust is decided by who is at the other end of the connection itself
            )
        )
        self._app = app
        self._started = started
        self._drain = settings.drain
        self.failure: HeadwaterError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the model first: what is wrong with it is told as such and not as a failure of the server."""
        try:
            await self._app.state.served.open()
        except HeadwaterError as error:
            self.failure = error
            self.should_exit = True
            return
        await super().startup(sockets)
        if self.started:
            self._started(self._app)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give running queries a while to end, stop the others, then wait for their callers to be told."""
        await self._app.state.subscriptions.close()
        await self._app.state.running.drain(self._drain, lambda: self.force_exit)
        await super().shutdown(sockets)


def serve(settings: Settings, started: Callable[[FastAPI, int], None]) -> None:
    """Serve until a signal. `started` is called with the app and the port. ModelError, DataError, UserError."""
    raise_file_limit()
    listening = listen(settings.host, settings.port)
    port = listening.getsockname()[1]
    server = Server(create_app(settings), settings, lambda app: started(app, port))
    try:
        server.run([listening])
    finally:
        listening.close()
    if server.failure is not None:
        raise server.failure


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address. UserError when that can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    end_when_stalled(listening)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        raise UserError(
            Code.BAD_VALUE,
            f"Port {port} of {host} can't be listened at: {reason}.",
            "Choose another with --port, or 0 for a free one.",
        ) from None
    return listening
