"""What a funnel attempt is, as plain numbers: the part of a Match node that its kernel reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from semantic.model.sequence import FunnelOrder


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An event whose bit is set, strictly between two steps (from 0), ends the attempt or removes the entity."""

    bit: int
    from_step: int
    to_step: int
    removes: bool


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """What an attempt is. `window`: microseconds after the opening event, inclusive; None: without end. `first`: only
    the first opening instant counts. `periods`: one attempt for each period. `since`, `until`: no event is earlier
    or later (naive UTC). `longs`: who is a whole number of 64 bits, and the only key. `held`: events have numbers of
    held values. `events`: about how many there are at most. `largest`: the largest code, where it is known.
    """

    steps: int
    window: int | None
    order: FunnelOrder
    first: bool
    periods: bool
    codes: bool
    times: bool
    passive: int | None
    exclusions: tuple[Exclusion, ...]
    since: datetime | None
    until: datetime | None
    longs: bool = False
    held: bool = False
    events: int = 0
    largest: int | None = None

    @property
    def bits(self) -> int:
        """Bits of a mask: steps, `opens`, exclusions, `passive`."""
        return self.steps + 1 + len(self.exclusions) + (self.passive is not None)
