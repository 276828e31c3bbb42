"""Leaves: the aggregates a query really computes. Every metric is arithmetic over them."""

from __future__ import annotations

from dataclasses import dataclass

from semantic.model.expression import Expression
from semantic.model.metric import Simple
from semantic.model.sequence import AttributionDefinition, AttributionModel, CreditTime, Funnel, RetentionDefinition
from semantic.query.bound import PLAIN, Frame
from semantic.query.query import Condition


@dataclass(frozen=True, slots=True)
class MetricLeaf:
    """One simple metric, of the rows its frame and the field's own filter leave."""

    metric: Simple
    frame: Frame = PLAIN
    where: Condition | None = None

    @property
    def label(self) -> str:
        """What its column is called after."""
        return self.metric.name


@dataclass(frozen=True, slots=True)
class StepLeaf:
    """The entities that reach a step (from 1) of a funnel, of the attempts its frame and the field's filter leave."""

    funnel: Funnel
    step: int
    frame: Frame = PLAIN
    where: Condition | None = None

    @property
    def label(self) -> str:
        """What its column is called after."""
        return f"{self.funnel.name}_{self.step}"


@dataclass(frozen=True, slots=True)
class CohortLeaf:
    """The entities of a retention's cohorts that are mature at `mature`, or (`returned`) those that came back in a
    period.
    """

    retention: RetentionDefinition
    period: int
    mature: int
    returned: bool
    frame: Frame = PLAIN
    where: Condition | None = None

    @property
    def label(self) -> str:
        """What its column is called after."""
        return f"{self.retention.name}_{self.period}{'_returned' if self.returned else ''}"


@dataclass(frozen=True, slots=True)
class ValueLeaf:
    """The value of the returns, in the periods 0 to `period`, of a retention's cohorts that are mature at `mature`."""

    retention: RetentionDefinition
    period: int
    mature: int
    value: Expression
    frame: Frame = PLAIN
    where: Condition | None = None

    @property
    def label(self) -> str:
        """What its column is called after."""
        return f"{self.retention.name}_{self.period}_value"


@dataclass(frozen=True, slots=True)
class CreditLeaf:
    """The credit of an attribution by a model: of a value of the conversions, or (None) of their number."""

    definition: AttributionDefinition
    model: AttributionModel
    time: CreditTime
    value: Expression | None
    frame: Frame = PLAIN
    where: Condition | None = None

    @property
    def label(self) -> str:
        """What its column is called after."""
        return f"{self.definition.name}_{self.model}"


Leaf = MetricLeaf | StepLeaf | CohortLeaf | ValueLeaf | CreditLeaf


class Leaves:
    """The leaves of one query in order of first use.

    Each with the name of its column: `gmv#0`, which no response key can be.
    """

    def __init__(self) -> None:
        self._names: dict[Leaf, str] = {}

    def name(self, leaf: Leaf) -> str:
        """The column of a leaf; equal leaves share one."""
        return self._names.setdefault(leaf, f"{leaf.label}#{len(self._names)}")

    def items(self) -> tuple[tuple[Leaf, str], ...]:
        """All leaves with their columns."""
        return tuple(self._names.items())
