"""Leaves: the aggregates a query really computes. Every metric is arithmetic over them."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.model.metric import Simple
from semantic.query.bound import PLAIN, Frame
from semantic.query.query import Condition


@dataclass(frozen=True, slots=True)
class Leaf:
    """One simple metric, of the rows its frame and the field's own filter leave."""

    metric: Simple
    frame: Frame = PLAIN
    where: Condition | None = None


class Leaves:
    """The leaves of one query in order of first use, each with the name of its column.

    `gmv#0`, which no response key can be.
    """

    def __init__(self) -> None:
        self._names: dict[Leaf, str] = {}

    def name(self, leaf: Leaf) -> str:
        """The column of a leaf; equal leaves share one."""
        return self._names.setdefault(leaf, f"{leaf.metric.name}#{len(self._names)}")

    def items(self) -> tuple[tuple[Leaf, str], ...]:
        """All leaves with their columns."""
        return tuple(self._names.items())
