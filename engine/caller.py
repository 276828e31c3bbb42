"""For whom an engine works: what makes a queue fair. Set by whoever asks, seen by every engine below."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Caller:
    """One who asks. `concurrent`: how many of their queries may run at the same time; 0 is any number."""

    name: str = ""
    concurrent: int = 0

    def within(self, processes: int) -> Caller:
        """The caller as one of so many processes sees them: with a part of what is theirs, and at least one query."""
        return replace(self, concurrent=max(1, self.concurrent // processes)) if self.concurrent else self


CALLER: ContextVar[Caller] = ContextVar("caller", default=Caller())  # noqa: B039 - it is frozen
"""Of the current task, and of the tasks it starts."""
