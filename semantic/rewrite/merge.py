"""Merge: two plans that read the same rows → one that has the columns of both."""

from __future__ import annotations

from dataclasses import replace

from semantic.plan.expr import Expr
from semantic.plan.node import Filter, Join, Plan, Project, Scan


def merged(one: Plan, other: Plan) -> Plan | None:
    """The rows that both plans read, with every column that either has; None where they may read different rows.

    Columns of one name are the same in both.
    """
    match one, other:
        case Scan(), Scan():
            same = replace(one, columns=other.columns) == other
            return replace(one, columns=tuple(sorted({*one.columns, *other.columns}))) if same else None
        case Filter(), Filter():
            inner = merged(one.input, other.input) if one.where == other.where else None
            return inner and replace(one, input=inner)
        case Project(), Project():
            columns, inner = _together(one.columns, other.columns), merged(one.input, other.input)
            return Project(inner, columns) if inner and columns else None
        case Join(), Join():
            same = (one.kind, one.on, one.null_safe) == (other.kind, other.on, other.null_safe)
            left, right = (merged(one.left, other.left), merged(one.right, other.right)) if same else (None, None)
            return replace(one, left=left, right=right) if left and right else None
        case _:
            return one if one == other else None


def _together(one: tuple[tuple[str, Expr], ...], other: tuple[tuple[str, Expr], ...]) -> tuple[tuple[str, Expr], ...]:
    """Columns of both; empty where a name means two things."""
    known = dict(one)
    if any(known.setdefault(name, expr) != expr for name, expr in other):
        return ()
    return tuple(known.items())
