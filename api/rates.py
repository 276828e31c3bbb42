"""How often a viewer may ask: a bucket of requests that fills by itself and is emptied by asking."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from api.resolvers.limits import Limits
from semantic.errors import RateLimited
from semantic.query.query import Viewer

KNOWN_VIEWERS = 100_000
"""Viewers remembered; one who asked longest ago is forgotten, and starts with a full bucket."""
WITHIN = 2.0
"""Seconds whose requests may come at once, where nothing is set."""


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Rates:
    """The buckets of all viewers. Used by one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: LRUCache[str, _Bucket] = LRUCache(KNOWN_VIEWERS)

    def take(self, viewer: Viewer, limits: Limits) -> None:
        """Note one request. RateLimited when it comes too soon."""
        if not limits.rate:
            return
        size = float(limits.burst or max(1.0, limits.rate * WITHIN))
        now = self._clock()
        bucket = self._buckets.get(viewer.id)
        if bucket is None:
            bucket = self._buckets[viewer.id] = _Bucket(size, now)
        level = min(size, bucket.level + (now - bucket.at) * limits.rate)
        bucket.level, bucket.at = level, now
        if level < 1:
            wait = (1 - level) / limits.rate
            raise RateLimited(
                f"You have asked too often: {limits.rate:g} requests a second are answered, {size:g} at once.",
                f"Ask again in {wait:.1f} s.",
                wait,
            )
        bucket.level = level - 1
