"""Passes: plan → plan. None changes what comes out; each is asserted to keep the output columns."""

from __future__ import annotations

from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.plan.node import Plan
from semantic.query.query import Viewer
from semantic.rewrite.dedupe import dedupe
from semantic.rewrite.resolve import resolve
from semantic.rewrite.secure import secure

PASSES = (secure, resolve, dedupe)
"""Secure first: what its policies look at is resolved and de-duplicated like everything else."""


def rewrite_plan(plan: Plan, model: Model, facts: Facts, viewer: Viewer) -> Plan:
    """Every pass in order. QueryError FORBIDDEN from secure."""
    for apply in PASSES:
        changed = apply(plan, model, facts, viewer)
        assert changed.output == plan.output, f"{apply.__name__} changed the output columns"
        plan = changed
    return plan
