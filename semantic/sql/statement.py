"""A statement: all an engine needs to run a query, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from semantic.model.facts import Kind
from semantic.plan.node import Plan
from semantic.query.query import Scalar

Parameter = Scalar | tuple[Scalar, ...]
"""A tuple is a list parameter."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer: the response key it is for, and its kind."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL text with `?` parameters in text order. Datasets appear in it as tables of their own names.

    `datasets`: every dataset it reads, sorted. `digest`: equal for equal text, parameters (with their types) and
    columns; the cache's key, next to the data version. `plan`: what it says, for whoever asks several at once.
    """

    sql: str
    params: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    datasets: tuple[str, ...]
    plan: Plan | None = field(default=None, repr=False, compare=False)
    digest: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = [self.sql, *(f"{type(value).__name__}:{value!r}" for value in self.params), repr(self.columns)]
        object.__setattr__(self, "digest", hashlib.sha256("\x00".join(parts).encode()).hexdigest())

    @property
    def values(self) -> int:
        """How many values its parameters have: a list may have thousands."""
        return sum(len(value) if isinstance(value, tuple) else 1 for value in self.params)
