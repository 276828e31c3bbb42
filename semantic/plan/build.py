"""Small expressions that many places need."""

from __future__ import annotations

from collections.abc import Sequence

from semantic.model.facts import Kind
from semantic.plan.expr import All, AnyOf, Binary, BitOf, Case, Cast, Coalesce, Const, Expr, Param
from semantic.plan.operators import BinaryOp


def conjunction(parts: list[Expr]) -> Expr | None:
    """All of the parts; None when there is none."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def disjunction(parts: Sequence[Expr]) -> Expr:
    """Any of the parts; one that only holds where another does adds nothing, and is left out."""
    kept = [part for part in parts if not any(_conjuncts(other) < _conjuncts(part) for other in parts)]
    return kept[0] if len(kept) == 1 else AnyOf(tuple(kept))


def _conjuncts(expr: Expr) -> frozenset[Expr]:
    return frozenset(expr.parts) if isinstance(expr, All) else frozenset([expr])


def divide(left: Expr, right: Expr) -> Expr:
    """Left / right as a float; null when right is 0."""
    return Binary(BinaryOp.DIVIDE, Cast(left, Kind.FLOAT), Cast(right, Kind.FLOAT))


def is_set(expr: Expr) -> bool:
    """Whether an expression is surely never null."""
    match expr:
        case Const(value) | Param(value):
            return value is not None
        case Coalesce(parts):
            return any(is_set(part) for part in parts)
        case Case(whens, default):
            return all(is_set(value) for _, value in whens) and is_set(default)
        case BitOf(part):
            return is_set(part)
        case _:
            return False
