"""Batches: frozen sets of equally long numpy columns, the currency the generator's steps trade in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A column: one number a row. Codes below zero and NEVER stand for null."""

NEVER = np.iinfo(np.int64).max
"""The instant of what has not happened."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Columns of one length; subclasses name them."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def take(self, index: Array | slice) -> Self:
        """The rows at `index` (positions, a mask or a slice)."""
        return type(self)(*(getattr(self, field.name)[index] for field in fields(self)))

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """The rows of all `parts`, in order; at least one part is needed."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def draw(rng: np.random.Generator, weights: Array, count: int) -> Array:
    """`count` positions in `weights`, each as likely as its weight."""
    cumulative = np.cumsum(weights, dtype=np.float64)
    return np.searchsorted(cumulative / cumulative[-1], rng.random(count), side="right").clip(max=len(weights) - 1)


def chance(rng: np.random.Generator, probability: Array | float, count: int) -> Array:
    """`count` coin tosses; `probability` is one for all or one for each."""
    return rng.random(count, dtype=np.float32) < probability
