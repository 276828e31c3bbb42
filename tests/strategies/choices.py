"""Choosing by hand: plain code over one kind of draw, which is many times faster than strategies built on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


@cache
def _below(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


class Choices:
    """Choices of one example. The simplest are the first element, False, few: where hypothesis draws, it shrinks to
    them.
    """

    def __init__(self, below: Callable[[int], int]) -> None:
        self._below = below

    @classmethod
    def of(cls, draw: st.DrawFn) -> Choices:
        """Choices that hypothesis makes."""
        return cls(lambda count: draw(_below(count)))

    def below(self, count: int) -> int:
        """A number from 0 to count - 1."""
        return 0 if count == 1 else self._below(count)

    def pick(self, pool: Sequence[T]) -> T:
        """One of a pool."""
        return pool[self.below(len(pool))]

    def chance(self, of: int) -> bool:
        """True once in that many times."""
        return self.below(of) == of - 1

    def some(self, pool: Sequence[T], least: int = 0, most: int | None = None) -> list[T]:
        """Different elements of a pool, in any order."""
        rest = list(pool)
        most = len(rest) if most is None else min(most, len(rest))
        count = min(least, len(rest))
        count += self.below(most - count + 1)
        return [rest.pop(self.below(len(rest))) for _ in range(count)]
