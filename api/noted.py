"""An engine that notes which version of every dataset a request has seen: what its answer may be kept for."""

from __future__ import annotations

from collections.abc import Sequence

from engine.engine import Answer, Compile, Engine
from semantic.model.facts import Facts

Versions = tuple[tuple[str, str], ...]
"""Datasets and the version of each, in the order of names."""


class Noted(Engine):
    """An engine around another one, for one request."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self._seen: dict[str, str] = {}
        self._mixed = False

    @property
    def versions(self) -> Versions | None:
        """Everything that was seen; None when some dataset changed meanwhile."""
        return None if self._mixed else tuple(sorted(self._seen.items()))

    def _note(self, facts: Facts) -> None:
        for name, dataset in facts.datasets.items():
            if self._seen.setdefault(name, dataset.version) != dataset.version:
                self._mixed = True

    async def facts(self, datasets: Sequence[str]) -> Facts:
        """The inner engine's."""
        facts = await self._inner.facts(datasets)
        self._note(facts)
        return facts

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        """The inner engine's."""
        answer = await self._inner.answer(datasets, compile_statement)
        self._note(answer.facts)
        return answer

    def known(self, datasets: Sequence[str]) -> Facts | None:
        """The inner engine's."""
        facts = self._inner.known(datasets)
        if facts is not None:
            self._note(facts)
        return facts

    def kept(self, datasets: Sequence[str], compile_statement: Compile) -> Answer | None:
        """The inner engine's."""
        answer = self._inner.kept(datasets, compile_statement)
        if answer is not None:
            self._note(answer.facts)
        return answer

    async def close(self) -> None:
        """The inner engine outlives the request."""
