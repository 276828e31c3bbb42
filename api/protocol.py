"""uvicorn's HTTP protocol, except that what can be answered at once is answered before a task is made for it.

Making a task for a request, and telling it of its body, takes longer than finding a kept answer. So a request is held
until all of it has come; if it has not by the end of what was received, or needs more than a look at what is kept, it
goes the usual way. Everything about connections stays uvicorn's: its parser, its limits, its time-outs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.kept import Bytes, lines_of

LONGEST_HEAD = 64 * 1024
"""Bytes of a request line and its headers, or of what follows a body, that may come before they end; uvicorn itself
would wait for any number.
"""
AtOnce = Callable[[Any, bytes, Callable[[Bytes], None]], bool]
"""Whether a request, with its body, was answered at once: its reply was written, then."""


class Protocol(HttpToolsProtocol):
    """Of one connection. It relies on how uvicorn starts requests (`_start_asgi_task`) and notes that they ended.

    The application says whether it answers at once by its method `at_once`; one without it is called as ever.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._at_once: AtOnce | None = getattr(self.app, "at_once", None)
        self._receiving = False
        self._has_body = False
        self._held: RequestResponseCycle | None = None
        self._head = 0

    def data_received(self, data: bytes) -> None:
        """Parse what came, and answer or start what it asks."""
        self._receiving, self._has_body = True, False
        super().data_received(data)
        self._receiving = False
        self._start_held()
        if self._is_in_head() or (self._is_in_body() and not self._has_body):
            self._bound_head(len(data))
        else:
            self._head = 0

    def _is_in_head(self) -> bool:
        """Whether a head has begun, and not ended."""
        scope = cast("Mapping[str, Any] | None", self.scope)  # None until a first request begins
        return scope is not None and "method" not in scope

    def _is_in_body(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and cycle.more_body

    def _bound_head(self, size: int) -> None:
        self._head += size
        if self._head <= LONGEST_HEAD or self.transport.is_closing():
            return
        if self._is_in_head():
            self.send_400_response("The headers are too large.")
        else:
            self.transport.close()  # its application may have answered by now: nothing can be said

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has come. Fields after a body are dropped (RFC 9110 §6.5.1): as headers, they would say who asks
        although no proxy that checks and replaces headers has looked at them.
        """
        if self._is_in_head():
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """A part of a body has come."""
        self._has_body = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of a request has come."""
        super().on_message_complete()
        held = self._held
        if held is None or held.more_body or not self._is_answered(held):
            self._start_held()
            return
        self._held = None
        held.response_started = held.response_complete = True
        held.on_response()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._receiving and self._at_once is not None and app is self.app and _is_usual(cycle):
            self._held = cycle
        else:
            super()._start_asgi_task(cycle, app)

    def _start_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            super()._start_asgi_task(held, self.app)

    def _is_answered(self, cycle: RequestResponseCycle) -> bool:
        assert self._at_once is not None
        return not self.flow.write_paused and self._at_once(cycle.scope, bytes(cycle.body), self._write)

    def _write(self, reply: Bytes) -> None:
        own = lines_of(self.server_state.default_headers)
        self.transport.write(b"".join((STATUS_LINE[reply.status], own, reply.lines, b"\r\n", reply.body)))


def _is_usual(cycle: RequestResponseCycle) -> bool:
    """Whether its connection stays open, and nobody waits to be told to send the body."""
    return cycle.keep_alive and not cycle.waiting_for_100_continue
