"""How busy an engine is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """Queries that run and that wait, and the bytes of answers kept."""

    running: int = 0
    waiting: int = 0
    kept_bytes: int = 0


class Busy:
    """An engine that can say how busy it is."""

    def load(self) -> Load:
        """Now."""
        return Load()


def load_of(engine: object) -> Load:
    """How busy an engine is; nothing of one that can't say."""
    return engine.load() if isinstance(engine, Busy) else Load()
