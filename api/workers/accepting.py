"""How workers share the connections that come to their socket: whoever has more than another lets that one go first.

All of them are woken by each connection. Without a rule it is mostly the same one that comes first, and the connections
of a pool that was opened little by little are all its own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from fastapi import FastAPI

from api.server import Server
from api.serving import Started
from api.settings import Settings
from api.workers.counts import AWAY, Counts
from api.workers.crew import Crew

LET_GO = 0.002
"""Seconds that one who has more waits for another to accept; then it does."""
PAUSE = 0.5
"""Seconds after which it is tried again, when no connection could be accepted: too many files are open, say."""
BACKLOG = 2048
"""Connections that wait to be accepted."""


class WorkerServer(Server):
    """Serves one app at a socket that others serve at, too."""

    def __init__(
        self,
        app: FastAPI,
        settings: Settings,
        crew: Crew,
        listening: socket.socket,
        started: Callable[[Started], None],
    ) -> None:
        super().__init__(app, settings, self._answers)
        self._tell = started
        self._place = crew.place
        self._counts = Counts(crew.connections, settings.workers)
        self._listening = listening
        self._accepting: set[asyncio.Task[object]] = set()

    def _answers(self, said: Started) -> None:
        self._listening.setblocking(False)
        self._listening.listen(BACKLOG)
        self._listen()
        self._tell(said)

    def _listen(self) -> None:
        self._note()
        asyncio.get_running_loop().add_reader(self._listening.fileno(), self._comes)

    def stop_listening(self) -> None:
        """Leave what comes to the others."""
        super().stop_listening()
        asyncio.get_running_loop().remove_reader(self._listening.fileno())
        self._counts.note(self._place, AWAY)

    def _note(self) -> None:
        self._counts.note(self._place, len(self.server_state.connections) + len(self._accepting))

    def _comes(self) -> None:
        self._note()
        if self._counts.is_ahead(self._place):
            self._listen_later(LET_GO)
        else:
            self._accept()

    def _listen_later(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listening.fileno())
        loop.call_later(seconds, self._listen_again)

    def _listen_again(self) -> None:
        if self.is_listening:
            self._listen()
            self._accept()

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another one was first, or the caller has gone
            return
        except OSError:
            self._listen_later(PAUSE)
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        task: asyncio.Task[object] = loop.create_task(loop.connect_accepted_socket(self._protocol, connection))
        self._accepting.add(task)
        task.add_done_callback(self._accepted)

    def _accepted(self, task: asyncio.Task[object]) -> None:
        self._accepting.discard(task)
        if not task.cancelled():
            task.exception()  # the caller has gone in the meantime
        self._note()

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes it for those it accepts itself."""
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made
