"""Credentials that were checked. When they come again, only what may have changed since is looked at."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from api.resolvers.limits import MIB
from api.resolvers.weighed import Weighed
from semantic.query.query import ANONYMOUS, Viewer

KNOWN = 16 * MIB
"""Bytes of credentials remembered."""
OVERHEAD, PER_CHARACTER = 512, 4
"""Bytes that a grant takes: about so many, and so many for each character of what was sent, which has all claims."""


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """Whom credentials stand for. Each is equal to itself only: credentials that were checked anew make another one.

    `source`: the keys they were checked with; `current` says which keys that would be now. `begins`, `ends`: seconds
    since 1970, the second one excluded.
    """

    viewer: Viewer
    source: object = None
    current: Callable[[], object] = lambda: None
    begins: float = -math.inf
    ends: float = math.inf

    def holds(self) -> bool:
        """Whether checking the credentials now would say the same."""
        return self.current() is self.source and self.begins <= time.time() < self.ends


NOBODY = Grant(ANONYMOUS)
"""Who sends no credentials."""


class Grants:
    """Grants by the header that brought the credentials, of which only a hash is kept."""

    def __init__(self) -> None:
        self._known: Weighed[bytes, Grant] = Weighed(KNOWN)

    def of(self, sent: bytes) -> Grant | None:
        """The grant of a header that holds; None: check it."""
        grant = self._known.get(_hash(sent))
        return grant if grant is not None and grant.holds() else None

    def keep(self, sent: bytes, grant: Grant) -> Grant:
        """The same grant, remembered."""
        self._known.put(_hash(sent), grant, OVERHEAD + PER_CHARACTER * len(sent))
        return grant


def _hash(sent: bytes) -> bytes:
    return hashlib.sha256(sent).digest()
