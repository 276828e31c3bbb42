"""What the operating system is told of connections: how many may be open, and when one that takes nothing ends."""

from __future__ import annotations

import logging
import resource
import socket
from contextlib import suppress

LOG = logging.getLogger("headwater")

STALLED = 60.0
"""Seconds after which a connection ends whose other end takes nothing of what is sent, or is no longer there."""


def raise_file_limit() -> None:
    """Let this process open as many files as it may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems name a hard limit that they don't grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    LOG.debug("Up to %s files may be open.", soft)


def end_when_stalled(listening: socket.socket, seconds: float = STALLED) -> None:
    """For all connections that come to a socket. What waits to be sent to somebody who never reads would else be kept
    for as long as they please: closing waits for it too. Where the system can't, that stays so.
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
