"""Whole answers kept as bytes: by what was asked, by whom, of which model and of which data."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from contextlib import suppress
from operator import attrgetter
from typing import NamedTuple

from cachetools import LRUCache
from starlette.types import Receive, Scope, Send

from api.compression import compress
from api.context import Response, Snapshot
from api.noted import Versions
from api.resolvers.weighed import Key
from semantic.errors import HeadwaterError
from semantic.model.facts import Facts

OVERHEAD = 1024
"""Bytes of an entry beside its body: the document it is for, its headers."""

RawHeaders = list[tuple[bytes, bytes]]


class Form(NamedTuple):
    """What a reply depends on beside its entry: the media type, the coding, whether it was asked for by POST, and
    whether its receiver has it already.
    """

    media: str
    coding: str | None
    posted: bool
    unchanged: bool = False


def lines_of(headers: RawHeaders) -> bytes:
    """Headers as they are sent."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


class Bytes:
    """A whole reply; lighter than Starlette's."""

    __slots__ = ("body", "headers", "lines", "status")

    def __init__(self, status: int, headers: RawHeaders, body: bytes) -> None:
        length = [] if status == 304 else [(b"content-length", b"%d" % len(body))]
        self.status = status
        self.headers = [*headers, *length]
        self.lines = lines_of(self.headers)
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers.copy()})
        await send({"type": "http.response.body", "body": self.body})


class Entry:
    """An answer, as bytes of each coding that somebody has asked for, and the model and the data it is of.

    `replies`: those that were sent, in each form.
    """

    __slots__ = (
        "__weakref__",
        "_bodies",
        "_datasets",
        "_facts",
        "_versions",
        "etag",
        "key",
        "replies",
        "response",
        "size",
        "snapshot",
    )

    def __init__(self, snapshot: Snapshot, key: Key, response: Response, versions: Versions) -> None:
        self.snapshot = snapshot
        self.key = key
        self.response = response
        self.size = key.size + 2 * len(response.body) + OVERHEAD
        self.etag = etag_of(response.body)
        self.replies: dict[Form, Bytes] = {}
        self._versions = dict(versions)
        self._datasets = tuple(self._versions)
        self._bodies: dict[str | None, bytes] = {None: response.body}
        self._facts: Facts | None = None

    def body(self, coding: str | None) -> bytes:
        """The body in a coding, compressed once."""
        known = self._bodies.get(coding)
        if known is None:
            assert coding is not None
            known = self._bodies[coding] = compress(self.response.body, coding)
        return known

    def holds(self, facts: Facts) -> bool:
        """Whether the data is still what the answer is of."""
        if facts is not self._facts:
            if any(facts.datasets[name].version != version for name, version in self._versions.items()):
                return False
            self._facts = facts  # the same object next time: the engine remembers it
        return True

    def is_current_now(self) -> bool:
        """Whether the data is what the answer is of, without waiting: False too when a look at the files is due."""
        facts = self.snapshot.engine.known(self._datasets)
        return facts is not None and self.holds(facts)

    async def is_current(self) -> bool:
        """Whether the data is what the answer is of; the files are looked at when that is due."""
        engine = self.snapshot.engine
        facts = engine.known(self._datasets)
        if facts is None:
            with suppress(HeadwaterError):  # whoever computes the answer anew is told
                facts = await engine.facts(self._datasets)
        return facts is not None and self.holds(facts)


class Kept:
    """The answers of one model version at a time, the least recently used ones dropped. Used by one event loop."""

    def __init__(self, most_bytes: int) -> None:
        self._entries: LRUCache[Hashable, Entry] = LRUCache(most_bytes, getsizeof=attrgetter("size"))
        self._snapshot: Snapshot | None = None

    def get(self, snapshot: Snapshot, key: Hashable) -> Entry | None:
        """The entry of a key, of this very snapshot."""
        return self._entries.get(key) if snapshot is self._snapshot else None

    def has(self, entry: Entry) -> bool:
        """Whether it is still kept."""
        if entry.snapshot is not self._snapshot:
            return False
        try:
            return self._entries[entry.key] is entry
        except KeyError:
            return False

    def put(self, entry: Entry) -> None:
        """Keep an entry; those of another snapshot are dropped."""
        if entry.snapshot is not self._snapshot:
            self._snapshot = entry.snapshot
            self._entries.clear()
        with suppress(ValueError):  # larger than all of the cache
            self._entries[entry.key] = entry


def etag_of(body: bytes) -> str:
    """A weak tag: the same in every coding."""
    return f'W/"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
