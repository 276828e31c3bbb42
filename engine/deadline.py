"""Work that must end in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from semantic.errors import Timeout

LESS = "Ask for a shorter time range, fewer dimensions or a coarser grain."


@asynccontextmanager
async def in_time(seconds: float, what: str, advice: str = LESS) -> AsyncIterator[None]:
    """Cancels the block after so many seconds (0: never), and raises Timeout then: `what` after so long."""
    if not seconds:
        yield
        return
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            yield
    except TimeoutError:
        if not scope.expired():
            raise
        raise Timeout(f"{what} after {seconds:g} s, the limit.", advice) from None
