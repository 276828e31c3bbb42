"""Headwater on uvicorn: a socket of our own, errors of the start as ours, and a stop that does not wait for long."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Callable
from contextlib import closing

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.connections import raise_file_limit
from api.example import example_query
from api.protocol import Protocol
from api.serving import STOP_SECONDS, Started, listen
from api.settings import Settings
from semantic.errors import HeadwaterError

LOCK_SECONDS = 0.001
"""For so long a thread that compiles or writes keeps Python's lock while the event loop waits for it."""
COLLECTED_AFTER = 2000, 10, 50
"""Objects made, and collections of the younger ones, after which garbage is looked for. Looking through all that lives
takes tenths of a second, in which nobody is answered, and finds little: it is done once in a million objects.
"""


class Server(uvicorn.Server):
    """Serves one app."""

    def __init__(self, app: FastAPI, settings: Settings, started: Callable[[Started], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
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
        self._failure: HeadwaterError | None = None
        self.is_listening = True

    def serve_at(self, *listening: socket.socket) -> None:
        """Serve until a signal. HeadwaterError when it can't start."""
        raise_file_limit()
        sys.setswitchinterval(LOCK_SECONDS)
        gc.set_threshold(*COLLECTED_AFTER)
        self.run(list(listening))
        if self._failure is not None:
            raise self._failure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the model first: what is wrong with it is told as such and not as a failure of the server."""
        try:
            await self._app.state.served.open()
        except HeadwaterError as error:
            self._failure = error
            self.should_exit = True
            return
        await super().startup(sockets)
        if self.started:
            self._started(started_of(self._app))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give running queries a while to end, stop the others, then wait for their callers to be told."""
        await self._app.state.subscriptions.close()
        await self._app.state.running.drain(self._drain, lambda: self.force_exit)
        self.stop_listening()
        await super().shutdown(sockets)
        self._app.state.onlookers.flush()  # the application's end is not waited for when it is forced

    def stop_listening(self) -> None:
        """Take nobody's connection any more; uvicorn closes what it listens at itself."""
        self.is_listening = False


def serve(settings: Settings, started: Callable[[Started, int], None]) -> None:
    """Serve until a signal. `started` is called with the port when questions are answered.

    ModelError, DataError, UserError.
    """
    with closing(listen(settings.host, settings.port)) as listening:
        port = listening.getsockname()[1]
        Server(create_app(settings), settings, lambda said: started(said, port)).serve_at(listening)


def started_of(app: FastAPI) -> Started:
    """What there is to say of an app whose model is loaded."""
    served = app.state.served
    model = served.snapshot.model
    return Started(
        version=app.version,
        datasets=len(model.stored),
        metrics=len(model.metrics),
        query=" ".join(example_query(served.snapshot)["query"].split()),
        signs_in=not served.viewers.may_be_anonymous(model),
    )
