"""What lowering needs of any bound question."""

from __future__ import annotations

from typing import Protocol
from zoneinfo import ZoneInfo

from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.time import Weekday


class View(Protocol):
    """What a bound question says of the world: any of them will do."""

    @property
    def model(self) -> Model:
        """The model."""
        ...

    @property
    def facts(self) -> Facts:
        """The facts of every dataset that is read."""
        ...

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its days."""
        ...

    @property
    def week_start(self) -> Weekday:
        """The first day of its weeks."""
        ...
