"""Secure: every scan of a protected dataset lies under the filter of its policies, for every plan alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

from semantic.errors import Code, QueryError
from semantic.lower.scope import Scope
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.model.policy import DatasetPolicy
from semantic.plan.build import conjunction
from semantic.plan.expr import Authored, Col, Expr
from semantic.plan.node import Filter, Plan, Project, Scan
from semantic.plan.walk import columns, rewrite
from semantic.query.access import row_policies
from semantic.query.kind import column_kinds
from semantic.query.query import Viewer
from semantic.rewrite.claims import bound_claims
from semantic.time import zone


def secure(plan: Plan, model: Model, facts: Facts, viewer: Viewer) -> Plan:
    """The plan over only the rows that the viewer may see. FORBIDDEN when a claim that a policy needs is missing."""
    return _Guard(model, facts, viewer).over(plan)


@dataclass(frozen=True, slots=True)
class _Guard:
    """`within`: the datasets whose policies are being asked, outermost first."""

    model: Model
    facts: Facts
    viewer: Viewer
    within: tuple[str, ...] = ()

    def over(self, plan: Plan) -> Plan:
        """A plan with every scan guarded."""
        return rewrite(plan, lambda node: self._scan(node) if isinstance(node, Scan) else node)

    def _scan(self, scan: Scan) -> Plan:
        policies = row_policies(self.model, self.viewer, scan.dataset)
        if not policies:
            return scan
        scope = self._scope(scan.dataset)
        where = conjunction([self._condition(policy, scope) for policy in policies])
        assert where is not None, scan.dataset
        relation = scope.relation([*scan.columns, *columns([where])])
        if isinstance(relation, Scan):
            guarded: Plan = Filter(relation, where)
        else:
            guarded = Filter(self._related(relation, scan.dataset), where)
        if not scan.prefix and guarded.output == scan.columns:
            return guarded
        return Project(guarded, tuple((scan.prefix + name, Col(name)) for name in scan.columns))

    def _related(self, relation: Plan, dataset: str) -> Plan:
        """The datasets that a policy looks at are guarded too; only the one it is about is not, by itself."""
        if dataset in self.within:
            message = f'The policies of "{dataset}" need each other, so that nobody may see it.'
            raise QueryError(Code.FORBIDDEN, message, "Its model has to be mended.")
        inner = replace(self, within=(*self.within, dataset))
        return rewrite(relation, lambda node: inner._scan(node) if isinstance(node, Scan) and node.prefix else node)

    def _scope(self, dataset: str) -> Scope:
        model = self.model
        return Scope(model, self.facts, model.datasets[dataset], zone(model.timezone), model.week_start)

    def _condition(self, policy: DatasetPolicy, scope: Scope) -> Expr:
        claims = bound_claims(policy, column_kinds(self.model, self.facts, policy.dataset), self.viewer)
        assert policy.where is not None, policy.name
        names = scope.authored(policy.where)
        return replace(names, claims=claims) if isinstance(names, Authored) else names
