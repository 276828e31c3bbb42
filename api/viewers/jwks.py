"""The public keys of whoever signs tokens, from a file or an address, fetched again as they are rotated."""

from __future__ import annotations

import asyncio
import logging
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey, import_key

from api.viewers.refused import Unverifiable
from semantic.errors import Code, UserError

LOG = logging.getLogger("headwater")

FRESH = 600.0
"""Seconds after which keys are fetched again before they are used: a withdrawn key is refused from then on."""
COOLDOWN = 10.0
"""Seconds between two fetches for keys that are not known: made-up key ids must not become requests to the issuer."""
PATIENCE = 5.0
"""Seconds a fetch may take."""
LARGEST = 256 * 1024
"""Bytes of a key set."""


class KeySource:
    """The keys of one place. Used by one event loop."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._keys: KeySet | None = None
        self._fetched = self._tried = float("-inf")
        self._fetching = asyncio.Lock()

    async def keys(self, wanted: str | None) -> KeySet:
        """All keys; fetched first where they are old, or where none has the id `wanted`. Unverifiable without any."""
        if self._is_due(wanted):
            async with self._fetching:
                if self._is_due(wanted):  # another request may just have fetched them
                    await self._fetch()
        if self._keys is None or self._age() > FRESH * 2:
            raise Unverifiable(f"There are no keys from {self.place}.")
        return self._keys

    def at_hand(self) -> KeySet | None:
        """All keys, where they need not be fetched first; another object whenever they were."""
        return self._keys if self._age() <= FRESH else None

    def _is_due(self, wanted: str | None) -> bool:
        if _now() - self._tried < COOLDOWN:
            return False
        known = self._keys is not None and (wanted is None or any(key.kid == wanted for key in self._keys))
        return not known or self._age() > FRESH

    def _age(self) -> float:
        return _now() - self._fetched

    async def _fetch(self) -> None:
        self._tried = _now()
        try:
            self._keys = key_set(await asyncio.to_thread(read, self.place))
            self._fetched = _now()
        except (OSError, ValueError) as error:
            LOG.error("The keys that tokens are signed with can't be read from %s: %s", self.place, error)


def _now() -> float:
    return asyncio.get_running_loop().time()


def is_address(place: str) -> bool:
    """Whether a place is an address and no file."""
    return "://" in place


def check_place(place: str) -> None:
    """UserError unless keys can be had from there safely: a file, https, or plain http on this machine."""
    if not is_address(place):
        return
    parts = urlsplit(place)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")):
        raise UserError(Code.BAD_VALUE, f"Keys for tokens are fetched over https, not from {place}.")


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: keys come from the address that was configured, or not at all."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


def read(place: str) -> bytes:
    """The text at a place. OSError when it can't be had, ValueError when it is too large."""
    if is_address(place):
        request = urllib.request.Request(place, headers={"accept": "application/json"})
        with _OPENER.open(request, timeout=PATIENCE) as answer:
            body: bytes = answer.read(LARGEST + 1)
    else:
        with Path(place).open("rb") as file:
            body = file.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes")
    return body


def key_set(body: bytes) -> KeySet:
    """The public keys for signatures among those of a text. ValueError when it holds none."""
    given = orjson.loads(body)
    items = given.get("keys") if isinstance(given, dict) else None
    found = list(_public(items)) if isinstance(items, list) else []
    if not found:
        raise ValueError("it holds no public key for signatures")
    return KeySet(found)


def _public(items: list[Any]) -> Iterator[Key]:
    """Keys of kinds we don't know, and those for encryption, are passed over; secret ones are never taken."""
    for item in items:
        if not isinstance(item, dict) or item.get("use", "sig") != "sig":
            continue
        try:
            key = import_key(item)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            yield key
