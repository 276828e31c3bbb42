"""Whether every scan of a protected dataset lies directly under the filter of its policies."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.model.expression import Expression
from semantic.model.model import Model
from semantic.model.policy import DatasetPolicy
from semantic.plan.expr import All, Authored, Expr
from semantic.plan.node import Filter, Join, Plan, Project, Scan


def unguarded(plan: Plan, model: Model, held: frozenset[Expression] = frozenset()) -> Iterator[str]:
    """The protected datasets that a plan scans without a policy. `held`: the conditions right above it.

    Between a filter and the scan, joins may stand of which the scan is the left side: a policy may look at a related
    dataset, and what a join adds on the right is not what the filter is about. So may projections: what a column means
    is computed of each row.
    """
    match plan:
        case Scan():
            if not held.issuperset(_filters(model, plan.dataset)):
                yield plan.dataset
        case Filter():
            yield from unguarded(plan.input, model, frozenset(_conditions(plan.where)))
        case Join():
            yield from unguarded(plan.left, model, held)
            yield from unguarded(plan.right, model)
        case Project():
            yield from unguarded(plan.input, model, held)
        case _:
            for child in plan.inputs:
                yield from unguarded(child, model)


def _filters(model: Model, dataset: str) -> Iterator[Expression]:
    for policy in model.policies.values():
        if isinstance(policy, DatasetPolicy) and policy.dataset == dataset and policy.where is not None:
            yield policy.where


def _conditions(where: Expr) -> Iterator[Expression]:
    for part in where.parts if isinstance(where, All) else (where,):
        if isinstance(part, Authored):
            yield part.expression
