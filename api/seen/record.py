"""A request that has ended, as those who look on are told of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from api.resolvers.ledger import NO_ACCOUNT, Account
from api.seen.notes import Notes

LONGEST_NAME = 100
"""Characters of an operation's name that are told."""


class Record(NamedTuple):
    """One request. `began`: nanoseconds since 1970. `size`: bytes of the body. `parent`: the header `traceparent`."""

    door: str
    method: str
    status: int
    began: int
    seconds: float
    size: int
    notes: Notes
    account: Account = NO_ACCOUNT
    parent: str | None = None

    @property
    def cached(self) -> bool:
        """Whether questions were asked and nothing had to be run for them."""
        return self.notes.kept or self.account.cached

    @property
    def name(self) -> str | None:
        """The operation's, not too long."""
        return None if self.notes.name is None else self.notes.name[:LONGEST_NAME]

    @property
    def ended(self) -> float:
        """Seconds since 1970."""
        return self.began / 1e9 + self.seconds


class Watcher(Protocol):
    """One who looks on. Called after the answer was sent, in the event loop: it must be quick."""

    def seen(self, record: Record) -> None:
        """A request has ended."""
        ...

    def flush(self) -> None:
        """Nothing more is told just now: what was held back is to be written."""
        ...
