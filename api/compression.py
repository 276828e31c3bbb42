"""Compressed answers: which coding a caller takes, and the bytes in it."""

from __future__ import annotations

import gzip

import pyarrow as pa

from api.accept import choose_type
from api.resolvers.weighed import remembered

WORTH = 1024
"""Smaller bodies are sent as they are."""
_CODINGS = ("zstd", "gzip", "identity")
_GZIP_LEVEL = 5
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
