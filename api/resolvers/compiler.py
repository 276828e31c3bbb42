"""Compiles each question once per data version: a cached answer then costs a look-up, not a compilation."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from api.resolvers.limits import MIB
from api.resolvers.weighed import Weighed
from engine.admission import Admission
from engine.caller import CALLER
from semantic.compile import Compiled, compile_query
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.query.access import Scope, scope_of
from semantic.query.query import Viewer
from semantic.query.visible import Question

__all__ = ["Compiler", "Question"]

WAITING = 1000
"""Questions that may wait to be compiled; more are refused."""
OVERHEAD, PER_CHARACTER, PER_VALUE = 4096, 16, 128
"""Bytes that a compiled question takes: about so many, so many for each character of SQL, and for each parameter."""


@dataclass(frozen=True, slots=True, eq=False)
class Compiler:
    """`compile_query` of one model, remembering `most` bytes of results by question, scope, data version and what is
    known of it.
    """

    model: Model
    most: int = 64 * MIB
    _known: Weighed[tuple[Question, Scope, str, int], Compiled] = field(init=False)
    _lock: Lock = field(default_factory=Lock, init=False)
    _turns: Admission = field(default_factory=partial(Admission, 1, WAITING, 0), init=False)
    _thread: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "headwater-compile"), init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_known", Weighed(self.most))

    async def prepare(self, question: Question, facts: Facts, viewer: Viewer) -> None:
        """See to it that `compile` has nothing to do: that is done in a thread, one question at a time and callers in
        turn, while the event loop answers others. QueryError as there; Overloaded.
        """
        with self._lock:
            known = self._key(question, facts, viewer) in self._known
        if not known:
            async with self._turns.turn(CALLER.get()):
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
                self._known.put(key, known, _weight(known))
        return known

    def _key(self, question: Question, facts: Facts, viewer: Viewer) -> tuple[Question, Scope, str, int]:
        return question, scope_of(self.model, viewer), facts.version, facts.learned


def _weight(compiled: Compiled) -> int:
    """Bytes, about: the plan and the question take several times what the text does."""
    statement = compiled.statement
    return OVERHEAD + PER_CHARACTER * len(statement.sql) + PER_VALUE * statement.values
