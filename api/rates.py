"""How often a viewer may ask: a bucket of requests that fills by itself and is emptied by asking."""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from cachetools import LRUCache

from api.locking import locked
from api.resolvers.limits import Limits
from semantic.errors import RateLimited
from semantic.query.query import Viewer

KNOWN_VIEWERS = 100_000
"""Viewers remembered; one who asked longest ago is forgotten, and starts with a full bucket."""
WITHIN = 2.0
"""Seconds whose requests may come at once, where nothing is set."""

Bucket = tuple[float, float]
"""How many requests it held, and when that was."""


class Rates:
    """The buckets of all viewers. Used by one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: LRUCache[str, Bucket] = LRUCache(KNOWN_VIEWERS)

    def take(self, viewer: Viewer, limits: Limits) -> None:
        """Note one request. RateLimited when it comes too soon."""
        if not limits.rate:
            return
        size = float(limits.burst or max(1.0, limits.rate * WITHIN))
        level = self._take(viewer.id, limits.rate, size)
        if level < 1:
            wait = (1 - level) / limits.rate
            raise RateLimited(
                f"You have asked too often: {limits.rate:g} requests a second are answered, {size:g} at once.",
                f"Ask again in {wait:.1f} s.",
                wait,
            )

    def _take(self, name: str, rate: float, size: float) -> float:
        """Take a request out of a bucket, if there is one: how many it held."""
        now = self._clock()
        level = filled(self._buckets.get(name), rate, size, now)
        self._buckets[name] = emptied(level), now
        return level


def filled(bucket: Bucket | None, rate: float, size: float, now: float) -> float:
    """How many requests a bucket holds by now."""
    return size if bucket is None else min(size, bucket[0] + (now - bucket[1]) * rate)


def emptied(level: float) -> float:
    """How many are left when one was taken, if there was one."""
    return level - 1 if level >= 1 else level


class SharedRates(Rates):
    """The same for all processes that name the same file, so that a viewer has one bucket whoever answers them.

    A table in memory that all see: sets of a few places, and a name may stand in any place of its set. Who asked
    longest ago is forgotten first. The clock is one for all processes of a machine.
    """

    _PLACE = struct.Struct("16sdd")  # of a name, only a hash; its bucket
    _SETS, _PLACES = 1 << 14, 8

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        length = self._SETS * self._PLACES * self._PLACE.size
        os.ftruncate(self._file, length)
        self._table = mmap.mmap(self._file, length)

    def _take(self, name: str, rate: float, size: float) -> float:
        digest = hashlib.blake2b(name.encode(), digest_size=16).digest()
        first = int.from_bytes(digest[:4], "big") % self._SETS * self._PLACES
        with locked(self._file):
            now = self._clock()
            places = {place: self._read(place) for place in range(first, first + self._PLACES)}
            for place, (known, level, at) in places.items():
                if known == digest:
                    return self._write(place, digest, filled((level, at), rate, size, now), now)
            oldest = min(places, key=lambda place: places[place][2])
            return self._write(oldest, digest, size, now)

    def _read(self, place: int) -> tuple[bytes, float, float]:
        found: tuple[bytes, float, float] = self._PLACE.unpack_from(self._table, place * self._PLACE.size)
        return found

    def _write(self, place: int, digest: bytes, level: float, now: float) -> float:
        self._PLACE.pack_into(self._table, place * self._PLACE.size, digest, emptied(level), now)
        return level
