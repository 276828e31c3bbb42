"""Resolve: every scan answers what the model says its columns mean, so that nothing above hears of it.

A column that is made of others is computed; an id that stands for another is read as that one; an amount is converted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from semantic.lower.audits import DAY, UNRATED
from semantic.lower.scope import ARROW
from semantic.model.facts import Facts
from semantic.model.identity import Identity
from semantic.model.model import Model
from semantic.model.reach import identities_of, is_one_to_one
from semantic.plan.expr import All, Authored, Coalesce, Col, Expr, IsNotTrue, IsNull, Item, Row
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Project, Scan
from semantic.plan.walk import rewrite
from semantic.query.query import Viewer
from semantic.rewrite.money import Money
from semantic.rewrite.secure import secure

FIRST = "first#"


def resolve(plan: Plan, model: Model, facts: Facts, viewer: Viewer) -> Plan:
    """The plan over columns as the model means them. Runs after `secure`: a policy reads what everyone reads."""
    return _Resolver(model, facts, viewer).over(plan)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """`reads_ids`: ids are read as what they stand for. What the policies of a map of identities look at is not."""

    model: Model
    facts: Facts
    viewer: Viewer
    reads_ids: bool = True

    def over(self, plan: Plan) -> Plan:
        """A plan with every scan resolved."""
        return rewrite(plan, lambda node: self.scan(node) if isinstance(node, Scan) else node)

    def scan(self, scan: Scan) -> Plan:
        """A scan, or what answers its columns."""
        dataset = self.model.datasets[scan.dataset]
        wanted = set(scan.columns) - self._looked_up(scan)
        computed = [(name, expr) for name, expr in dataset.computed if name in scan.columns]
        ids = [(column, one) for column, one in identities_of(self.model, scan.dataset) if column in wanted]
        ids = ids if self.reads_ids else []
        money = Money.of(scan, self.model, self.facts)
        if not computed and not ids and money is None:
            return scan
        made = {name for name, _ in computed} | ({DAY, UNRATED} if money else set())
        stored = (set(scan.columns) - made) | {ref.name for _, expr in computed for ref in expr.refs}
        plan: Plan = Scan(scan.dataset, tuple(sorted(stored | (money.stored if money else set()))))
        own: list[tuple[str, Expr]] = [
            (name, Authored(expr, tuple((ref, Col(ref.name)) for ref in expr.refs))) for name, expr in computed
        ]
        own += [(DAY, money.day)] if money else []
        if own:
            plan = Project(plan, (*((name, Col(name)) for name in plan.output), *own))
        values: dict[str, Expr] = {}
        for column, identity in ids:
            known = self._known(identity)
            source, target = known.output
            plan = Join(plan, known, JoinKind.LEFT, ((column, source),))
            values[column] = Coalesce((Col(target), Col(column)))
        if money is not None:
            plan = Join(plan, self._guarded(money.rates), JoinKind.LEFT, money.on)
            values |= money.values
        return Project(plan, tuple((scan.prefix + name, values.get(name, Col(name))) for name in scan.columns))

    def _looked_up(self, scan: Scan) -> frozenset[str]:
        """The columns by which a relationship finds rows: the row of the person an id is read as has it as stored."""
        if not scan.prefix.endswith(ARROW):
            return frozenset()
        relationship = self.model.relationships[scan.prefix.split(ARROW)[-2]]
        return frozenset(column for _, column in relationship.columns)

    def _known(self, identity: Identity) -> Plan:
        """Ids with what they are read as, each once: `user#anonymous_id`, `user#user_id`."""
        prefix = f"{identity.entity}#"
        columns = (identity.source, identity.target)
        if is_one_to_one(self.model, identity, self.facts.datasets[identity.dataset].unique_keys):
            return self._guarded(Scan(identity.dataset, columns, prefix))
        time = self.model.datasets[identity.dataset].time_dimension
        every = tuple(dict.fromkeys((*columns, *([time] if time else []))))
        rows = self._guarded(Scan(identity.dataset, every))
        known = Filter(rows, All(tuple(IsNotTrue(IsNull(Col(name))) for name in columns)))
        key = ((prefix + identity.source, Col(identity.source)),)
        target = Col(identity.target)
        if time is None:
            return Aggregate(known, key, ((prefix + identity.target, Agg(Fold.MIN, target)),))
        first = Row((IsNull(Col(time)), Col(time), target))
        found = Aggregate(known, key, ((FIRST, Agg(Fold.MIN, first)),))
        return Project(found, ((key[0][0], Col(key[0][0])), (prefix + identity.target, Item(Col(FIRST), 2))))

    def _guarded(self, scan: Scan) -> Plan:
        """A scan of our own: the viewer sees no more of it than of any other."""
        return replace(self, reads_ids=False).over(secure(scan, self.model, self.facts, self.viewer))
