"""Small expressions that many places need."""

from __future__ import annotations

from semantic.model.facts import Kind
from semantic.plan.expr import All, Binary, Cast, Expr
from semantic.plan.operators import BinaryOp


def conjunction(parts: list[Expr]) -> Expr | None:
    """All of the parts; None when there is none."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def divide(left: Expr, right: Expr) -> Expr:
    """Left / right as a float; null when right is 0."""
    return Binary(BinaryOp.DIVIDE, Cast(left, Kind.FLOAT), Cast(right, Kind.FLOAT))
