"""The engine protocol: one method to learn what is true of the data, one to answer. Engines wrap engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from semantic.model.facts import Facts
from semantic.sql.statement import Statement

Compile = Callable[[Facts], Statement]
"""Facts in, statement out: called again when the data changed while the statement ran."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows as an Arrow table whose columns are the statement's, the facts they were computed from, and how they came.

    `seconds`: spent running (for a cached answer: when it was computed). `size`: bytes of the table. Every row comes
    from one data version.
    """

    table: pa.Table
    statement: Statement
    facts: Facts
    cached: bool
    seconds: float
    size: int


class Engine(Protocol):
    """Runs statements. Coroutines never block the event loop; cancelling one stops the running query."""

    async def facts(self, datasets: Sequence[str]) -> Facts:
        """Facts of these datasets, checked against the files at most once per `freshness_check` seconds. DataError."""
        ...

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        """Compile against current facts and run; again when files changed meanwhile. DataError, Timeout, Overloaded."""
        ...

    def known(self, datasets: Sequence[str]) -> Facts | None:
        """Facts of these datasets that need no look at the files now; None when one is due. Never waits."""
        return None

    def kept(self, datasets: Sequence[str], compile_statement: Compile) -> Answer | None:
        """An answer that is at hand, from current facts; None when it has to be asked for. Never waits."""
        return None

    async def close(self) -> None:
        """Stop what runs and let go of everything."""
        ...
