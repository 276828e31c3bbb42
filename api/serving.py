"""What a server and whoever starts it have in common; loads nothing else of either."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from api.connections import end_when_stalled
from semantic.errors import Code, UserError

STOP_SECONDS = 5
"""Connections that are still open this long after a stop was asked for, and after the drain, are cut."""


@dataclass(frozen=True, slots=True)
class Started:
    """A server that answers: of which version, with how many datasets and metrics, a query that it answers, and whether
    callers have to sign in.
    """

    version: str
    datasets: int
    metrics: int
    query: str
    signs_in: bool


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
