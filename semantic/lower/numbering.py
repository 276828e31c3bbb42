"""Numbers for combinations of values: what the kernel reads and compares instead of the values themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from semantic.model.facts import Kind
from semantic.plan.expr import ZERO, Coalesce, Col, Expr, RowNumber
from semantic.plan.node import Aggregate, Join, JoinKind, Plan, Project, Spine, Union
from semantic.plan.operators import Order


@dataclass(frozen=True, slots=True)
class Numbering:
    """The combinations of values that some rows have, and a number from 1 for each, in the order of the values. `name`
    tells one numbering from another. `largest`: the last number, where it is known.
    """

    name: str
    plan: Plan
    largest: int | None = None

    @property
    def number(self) -> str:
        """The plan's column of numbers."""
        return self.column("")

    def column(self, value: str) -> str:
        """The plan's column of a value."""
        return f"{value}#{self.name}"

    def own(self, value: str) -> str:
        """A column for the value of an event that is to be given its number."""
        return f"{value}#event#{self.name}"

    def of(self, plan: Plan, values: Sequence[str]) -> Plan:
        """A plan with its rows' numbers; their values are in columns that `own` names."""
        pairs = tuple((self.own(value), self.column(value)) for value in values)
        return Join(plan, self.plan, JoinKind.LEFT, pairs, null_safe=True)

    def found(self) -> Expr:
        """The number, after `of`; 0 for a combination that none of the numbered rows has."""
        return Coalesce((Col(self.number), ZERO))


def known_values(name: str, value: str, kind: Kind, values: Sequence[str | int | bool]) -> Numbering:
    """A number for each of the values that a column is known to have, and the last for null: no row need be read."""
    rows = tuple((one, place) for place, one in enumerate((*sorted(values), None), 1))
    return Numbering(name, Spine(((f"{value}#{name}", kind), (f"#{name}", Kind.INTEGER)), rows), len(rows))


def numbering(name: str, members: Sequence[tuple[Plan, Mapping[str, Expr]]]) -> Numbering:
    """A number for each combination of values that rows of any member have."""
    parts = [
        Aggregate(rows, tuple((f"{value}#{name}", expr) for value, expr in values.items()), ())
        for rows, values in members
    ]
    found: Plan = parts[0]
    if len(parts) > 1:
        found = Aggregate(Union(tuple(parts)), tuple((column, Col(column)) for column in found.output), ())
    named: list[tuple[str, Expr]] = [(column, Col(column)) for column in found.output]
    return Numbering(name, Project(found, (*named, (f"#{name}", RowNumber(Order(tuple(found.output)))))))
