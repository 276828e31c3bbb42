"""Compiles each question once per data version: a cached answer then costs a look-up, not a compilation."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from cachetools import LRUCache

from semantic.compile import Compiled, compile_query
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.query.access import Scope, scope_of
from semantic.query.query import Viewer
from semantic.query.visible import Question

__all__ = ["Compiler", "Question"]


@dataclass(frozen=True, slots=True, eq=False)
class Compiler:
    """`compile_query` of one model, remembering the last `size` results by question, scope, data version and what
    is known of it.
    """

    model: Model
    size: int = 512
    _known: LRUCache[tuple[Question, Scope, str, int], Compiled] = field(init=False)
    _lock: Lock = field(default_factory=Lock, init=False)
    _thread: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "headwater-compile"), init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", LRUCache(self.size))

    async def prepare(self, question: Question, facts: Facts, viewer: Viewer) -> None:
        """See to it that `compile` has nothing to do: that is done in a thread, one question at a time, while the event
        loop answers others. QueryError as there.
        """
        with self._lock:
            known = self._key(question, facts, viewer) in self._known
        if not known:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self.compile, question, facts, viewer)

    def compile(self, question: Question, facts: Facts, viewer: Viewer) -> Compiled:
        """The statement for a question, with its warnings. QueryError when it can't be answered."""
        key = self._key(question, facts, viewer)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = compile_query(self.model, question, facts, viewer)
            with self._lock:
                self._known[key] = known
        return known

    def _key(self, question: Question, facts: Facts, viewer: Viewer) -> tuple[Question, Scope, str, int]:
        return question, scope_of(self.model, viewer), facts.version, facts.learned
