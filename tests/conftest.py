"""What tests of several rooms share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.live import LiveServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` writes the golden files anew, to be reviewed as a diff."""
    parser.addoption("--update", action="store_true", help="write golden files instead of comparing with them")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def live() -> Iterator[LiveServer]:
    """A real server, one a test process."""
    from tests.live import LiveServer

    server = LiveServer()
    server.start()
    yield server
    server.stop()
