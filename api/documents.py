"""Documents that are known by their hash: those a client has sent before, and those that are trusted."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import orjson

from api.request import Asked, Malformed
from api.resolvers.weighed import Weighed
from semantic.errors import Code, UserError

KNOWN = 16 * 1024 * 1024
"""Bytes of clients' documents that are remembered."""
LARGEST = 64 * 1024
"""Characters of a document that is remembered."""
OVERHEAD = 512
"""Bytes of one beside its text."""
NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"

_HASH = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class Documents:
    """`trusted`: documents by hash, from a manifest. `only`: nothing else runs."""

    def __init__(self, trusted: Mapping[str, str], only: bool) -> None:
        self._trusted = trusted
        self._texts = frozenset(trusted.values())
        self._only = only
        self._sent: Weighed[str, str] = Weighed(KNOWN)

    def asked(self, asked: Asked) -> Asked:
        """The same with its document. Malformed: unknown (the client sends it then), not its hash, or not trusted."""
        digest = None if asked.persisted is None else _digest(asked.persisted)
        if digest is None:
            if self._only and asked.query not in self._texts:
                raise _untrusted()
            return asked
        known = self._trusted.get(digest) or self._sent.get(digest)
        if known is not None and asked.query in ("", known):
            return replace(asked, query=known, persisted=None)
        if self._only:
            raise _untrusted()
        if not asked.query:
            raise Malformed("PersistedQueryNotFound", 200, NOT_FOUND)
        if hashlib.sha256(asked.query.encode()).hexdigest() != digest:
            raise Malformed("The document is not the one of its hash (SHA-256).")
        if len(asked.query) <= LARGEST:
            self._sent.put(digest, asked.query, sys.getsizeof(asked.query) + OVERHEAD)
        return replace(asked, persisted=None)


def _untrusted() -> Malformed:
    return Malformed("Only trusted documents are answered here, and this is none of them.", 400, NOT_TRUSTED)


def _digest(text: str) -> str:
    match = _HASH.fullmatch(text.lower())
    if match is None:
        raise Malformed(f'"{text[:80]}" is not a SHA-256 in hexadecimal digits.')
    return match[1]


def read_trusted(path: Path | None) -> Mapping[str, str]:
    """The documents of a manifest: of Relay and GraphQL Code Generator (`{hash: document}`), or of Apollo
    (`{"operations": [{"id", "body"}]}`). UserError BAD_VALUE when the file is neither.
    """
    if path is None:
        return MappingProxyType({})
    try:
        given = orjson.loads(path.read_bytes())
        if isinstance(given, dict) and isinstance(given.get("operations"), list):
            given = {one["id"]: one["body"] for one in given["operations"]}
        return MappingProxyType({_trusted_digest(key, text): text for key, text in given.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"The manifest of trusted documents ({path.name}) can't be used: {error}."
        raise UserError(Code.BAD_VALUE, message, "It is JSON: a hash (SHA-256) and the document for each.") from None


def _trusted_digest(key: str, text: str) -> str:
    match = _HASH.fullmatch(key.lower())
    if match is None or not isinstance(text, str):
        raise ValueError(f'"{key}" is not a SHA-256')
    return match[1]
