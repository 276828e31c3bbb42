"""Secure: every scan of a protected dataset lies under the filter of its policies, for every plan alike."""

from __future__ import annotations

from dataclasses import replace

from semantic.errors import Code, QueryError
from semantic.model.dataset import Dataset
from semantic.model.facts import Facts, Kind
from semantic.model.model import Model
from semantic.model.policy import RowPolicy
from semantic.plan.build import conjunction
from semantic.plan.expr import Authored, Col, Expr, Param
from semantic.plan.node import Filter, Plan, Project, Scan
from semantic.plan.walk import rewrite
from semantic.query.query import Scalar, Viewer

_KINDS: dict[type, Kind] = {bool: Kind.BOOLEAN, int: Kind.INTEGER, float: Kind.FLOAT, str: Kind.STRING}


def secure(plan: Plan, model: Model, facts: Facts, viewer: Viewer) -> Plan:
    """The plan over only the rows that the viewer may see. FORBIDDEN when a claim that a policy needs is missing."""

    def change(node: Plan) -> Plan:
        if not isinstance(node, Scan):
            return node
        policies = model.row_policies(node.dataset)
        return _guarded(node, model.datasets[node.dataset], policies, viewer) if policies else node

    return rewrite(plan, change)


def _guarded(scan: Scan, dataset: Dataset, policies: tuple[RowPolicy, ...], viewer: Viewer) -> Plan:
    needed = {ref.name for policy in policies for ref in policy.where.refs}
    wide = replace(scan, columns=tuple(sorted({*scan.columns, *needed})))
    where = conjunction([_condition(policy, scan.prefix, viewer) for policy in policies])
    assert where is not None, dataset.name
    filtered = Filter(wide, where)
    if wide.columns == scan.columns:
        return filtered
    return Project(filtered, tuple((name, Col(name)) for name in scan.output))


def _condition(policy: RowPolicy, prefix: str, viewer: Viewer) -> Expr:
    names = tuple((ref, Col(prefix + ref.name)) for ref in policy.where.refs)
    claims = dict(viewer.claims)
    bound = []
    for name in policy.where.claims:
        if name not in claims:
            raise QueryError(Code.FORBIDDEN, f'This needs the claim "{name}", which you don\'t have.')
        value = claims[name]
        bound.append((name, Param(value, _kind(value))))
    return Authored(policy.where, names, tuple(bound))


def _kind(value: Scalar | tuple[Scalar, ...]) -> Kind:
    sample = next(iter(value), "") if isinstance(value, tuple) else value
    return _KINDS.get(type(sample), Kind.STRING)
