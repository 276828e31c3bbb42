"""Compressed answers: which coding a caller takes, and the bytes in it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from api.accept import choose_type
from api.resolvers.weighed import remembered

WORTH = 1024
"""Smaller bodies are sent as they are."""
_CODINGS = ("zstd", "gzip", "identity")
_GZIP_LEVEL = 5
_GZIP_FRAME = 16 + zlib.MAX_WBITS
_ZSTD = pa.Codec("zstd", compression_level=3)


@remembered(256)
def coding_of(accepted: str | None) -> str | None:
    """`zstd` or `gzip` by an Accept-Encoding header, or None: neither is taken, or nothing is said."""
    if not accepted:
        return None
    chosen = choose_type(accepted, _CODINGS)
    return None if chosen == "identity" else chosen


def compress(body: bytes, coding: str) -> bytes:
    """The body in a coding."""
    if coding == "zstd":
        return bytes(_ZSTD.compress(body, asbytes=True))
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


def compressed(pieces: Iterator[bytes], coding: str) -> Iterator[bytes]:
    """The pieces in a coding, while they come."""
    packed = _zstd(pieces) if coding == "zstd" else _gzip(pieces)
    return filter(None, packed)


def _gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_FRAME)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def _zstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    sink = Sink()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as packer:
        for piece in pieces:
            packer.write(piece)
            yield sink.take()
    yield sink.take()


class Sink:
    """A file that is taken away piece by piece while it is written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> int:
        """Keep a copy until it is taken."""
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing comes any more."""
        self.closed = True

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken
