"""What is remembered of what strangers ask: so many bytes of it, however large each of them is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from functools import lru_cache
from operator import itemgetter
from typing import Generic, TypeVar, TypeVarTuple

from cachetools import LRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Ts = TypeVarTuple("Ts")

SHORT = 512
"""Characters of a text that is remembered with what was made of it."""


class Key:
    """What an answer depends on beside the data. It is hashed once: it is looked up several times.

    `size`: its bytes, about.
    """

    __slots__ = ("_hash", "parts", "size")

    def __init__(self, *parts: Hashable, size: int = 0) -> None:
        self.parts = parts
        self.size = size
        self._hash = hash(parts)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Key) and self.parts == other.parts)


class Weighed(Generic[K, V]):
    """Values by key, at most `most` bytes of them; those used least go first. Used by one thread at a time."""

    def __init__(self, most: int) -> None:
        self._held: LRUCache[K, tuple[V, int]] = LRUCache(most, getsizeof=itemgetter(1))

    def get(self, key: K) -> V | None:
        """The value of a key."""
        found = self._held.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep a value, unless it weighs more than all may. `weight`: bytes, about, of the key too."""
        with suppress(ValueError):
            self._held[key] = value, weight

    @property
    def weight(self) -> int:
        """Bytes, about, of all that is kept."""
        return int(self._held.currsize)

    def __contains__(self, key: K) -> bool:
        return key in self._held

    def __iter__(self) -> Iterator[K]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def remembered(
    count: int, longest: int = SHORT
) -> Callable[[Callable[[str | None, *Ts], V]], Callable[[str | None, *Ts], V]]:
    """The last `count` results of a function of a text, where that is no longer than `longest`: a header is as long as
    whoever sends it pleases.
    """

    def around(function: Callable[[str | None, *Ts], V]) -> Callable[[str | None, *Ts], V]:
        known = lru_cache(count)(function)

        def found(text: str | None, *arguments: *Ts) -> V:
            if text is not None and len(text) > longest:
                return function(text, *arguments)
            return known(text, *arguments)

        return found

    return around
