"""What tests of several rooms share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.live import LiveServer


@pytest.fixture(scope="session")
def live() -> Iterator[LiveServer]:
    """A real server, one a test process."""
    from tests.live import LiveServer

    server = LiveServer()
    server.start()
    yield server
    server.stop()
