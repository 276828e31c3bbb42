"""Audits: further questions about the rows a plan reads, whose answers are warnings beside its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semantic.model.facts import Facts, Kind
from semantic.model.identity import Identity
from semantic.model.model import Model
from semantic.model.reach import identities_of, is_one_to_one
from semantic.plan.expr import Binary, Col, Const
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Plan, Scan
from semantic.plan.operators import BinaryOp
from semantic.plan.walk import nodes
from semantic.query.warning import QueryWarning, WarningCode


@dataclass(frozen=True, slots=True)
class Conflicts:
    """How many ids of a map of identities lead to several others. `time`: what decides between these."""

    identity: Identity
    time: str | None

    @property
    def columns(self) -> tuple[tuple[str, Kind], ...]:
        """One row: the number."""
        return (("ids", Kind.INTEGER),)

    @property
    def plan(self) -> Plan:
        """Not yet rewritten."""
        rows = Scan(self.identity.dataset, tuple(sorted((self.identity.source, self.identity.target))))
        counted = Agg(Fold.COUNT_DISTINCT, Col(self.identity.target))
        targets = Aggregate(rows, (("id", Col(self.identity.source)),), (("targets", counted),))
        several = Filter(targets, Binary(BinaryOp.GT, Col("targets"), Const(1)))
        return Aggregate(several, (), (("ids", Agg(Fold.COUNT, Col("id"))),))

    def warnings(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[QueryWarning]:
        """What the rows say."""
        for row in rows:
            count = row["ids"] or 0
            if count:
                which = f"the first by {self.time}" if self.time else "the smallest"
                leads = "1 id" if count == 1 else f"{count} ids"
                message = (
                    f'{leads} of "{self.identity.dataset}" lead{"s" if count == 1 else ""} to several of '
                    f'"{self.identity.target}": each is read as {which}.'
                )
                yield QueryWarning(WarningCode.IDENTITY_CONFLICT, message)


Audit = Conflicts


def audits(plan: Plan, model: Model, facts: Facts) -> tuple[Audit, ...]:
    """The audits of a plan that is not yet rewritten, each once."""
    scans = [node for node in nodes(plan) if isinstance(node, Scan)]
    return tuple(dict.fromkeys(_conflicts(scans, model, facts)))


def _conflicts(scans: list[Scan], model: Model, facts: Facts) -> Iterator[Conflicts]:
    for scan in scans:
        for column, identity in identities_of(model, scan.dataset):
            known = facts.datasets[identity.dataset]
            if column in scan.columns and not is_one_to_one(model, identity, known.unique_keys):
                yield Conflicts(identity, model.datasets[identity.dataset].time_dimension)
