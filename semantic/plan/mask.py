"""A plan without the values in it: for logs, where nobody's filter belongs."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

from semantic.plan.expr import Col, Param
from semantic.plan.node import Plan

HIDDEN = Col("?")
"""What stands where a value was."""


def without_values(plan: Plan) -> Plan:
    """The plan with a question mark for every parameter. It can be shown, but not run. A node used twice stays one."""
    done: dict[int, object] = {}

    def visit(part: object) -> object:
        if isinstance(part, Param):
            return HIDDEN
        if isinstance(part, tuple):
            return tuple(visit(item) for item in part)
        if not is_dataclass(part) or isinstance(part, type):
            return part
        if id(part) not in done:
            changes = {one.name: visit(getattr(part, one.name)) for one in fields(part) if one.init}
            done[id(part)] = replace(part, **changes)
        return done[id(part)]

    found = visit(plan)
    assert isinstance(found, type(plan))
    return found
