"""Audits: further questions about the rows a plan reads, whose answers are warnings beside its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semantic.model.facts import Facts, Kind
from semantic.model.identity import Identity
from semantic.model.model import Model
from semantic.model.money import Currency
from semantic.model.reach import identities_of, is_one_to_one
from semantic.plan.build import conjunction
from semantic.plan.expr import TRUE, All, AnyOf, Binary, Col, Const, Expr
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Plan, Scan
from semantic.plan.operators import BinaryOp
from semantic.plan.walk import columns, nodes, rewrite
from semantic.query.warning import QueryWarning, WarningCode

DAY, UNRATED = "day#", "unrated#"
"""What a scan of amounts answers besides: the day whose rates hold, and whether an amount is without one."""

MOST_NAMED = 10
"""Currencies that a warning names."""


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


@dataclass(frozen=True, slots=True)
class MissingRates:
    """The rows whose amounts are left out for want of a rate. `rows`: those that a plan reads, with what says so of the
    dataset's, each under `prefix`.
    """

    model_currency: str
    dataset: str
    column: str
    prefix: str
    rows: Plan

    @property
    def columns(self) -> tuple[tuple[str, Kind], ...]:
        """One row a currency."""
        return (
            ("currency", Kind.STRING),
            ("rows", Kind.INTEGER),
            ("days", Kind.INTEGER),
            ("first", Kind.DATE),
            ("last", Kind.DATE),
        )

    @property
    def plan(self) -> Plan:
        """Not yet rewritten."""
        day = Col(self.prefix + DAY)
        folds = (
            ("rows", Agg(Fold.COUNT)),
            ("days", Agg(Fold.COUNT_DISTINCT, day)),
            ("first", Agg(Fold.MIN, day)),
            ("last", Agg(Fold.MAX, day)),
        )
        left_out = Filter(self.rows, Col(self.prefix + UNRATED))
        return Aggregate(left_out, (("currency", Col(self.prefix + self.column)),), folds)

    def warnings(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[QueryWarning]:
        """What the rows say: one warning for all currencies."""
        if not rows:
            return
        total = sum(row["rows"] for row in rows)
        ordered = sorted(rows, key=lambda row: (-row["rows"], row["currency"] or ""))
        named = [_of_currency(row) for row in ordered[:MOST_NAMED]]
        more = len(ordered) - len(named)
        amounts = "1 row" if total == 1 else f"{total} rows"
        message = (
            f'{amounts} of "{self.dataset}" {"has" if total == 1 else "have"} no rate to {self.model_currency}, and '
            f"{'its' if total == 1 else 'their'} amounts are left out: {'; '.join(named)}"
            f"{f'; and {more} more currencies' if more else ''}."
        )
        yield QueryWarning(WarningCode.MISSING_RATE, message)


def _of_currency(row: Mapping[str, Any]) -> str:
    name = row["currency"] or "no currency"
    count = f"{name} {row['rows']}"
    match row["days"]:
        case 0:
            return f"{count}, of no day"
        case 1:
            return f"{count} on {row['first']}"
        case _:
            return f"{count} on {row['days']} days from {row['first']} to {row['last']}"


Audit = Conflicts | MissingRates


def audits(plan: Plan, model: Model, facts: Facts) -> tuple[Audit, ...]:
    """The audits of a plan that is not yet rewritten, each once."""
    if not model.identities and all(dataset.currency is None for dataset in model.datasets.values()):
        return ()
    scans = [node for node in nodes(plan) if isinstance(node, Scan)]
    return tuple(dict.fromkeys((*_conflicts(scans, model, facts), *_missing_rates(plan, model))))


def _conflicts(scans: list[Scan], model: Model, facts: Facts) -> Iterator[Conflicts]:
    for scan in scans:
        for column, identity in identities_of(model, scan.dataset):
            known = facts.datasets[identity.dataset]
            if column in scan.columns and not is_one_to_one(model, identity, known.unique_keys):
                yield Conflicts(identity, model.datasets[identity.dataset].time_dimension)


def _missing_rates(plan: Plan, model: Model) -> Iterator[MissingRates]:
    """One for each set of rows that are read, and each dataset among them whose amounts are."""
    if not _is_of_rows(plan):
        for child in plan.inputs:
            yield from _missing_rates(child, model)
        return
    for scan in (node for node in nodes(plan) if isinstance(node, Scan)):
        currency = model.datasets[scan.dataset].currency
        if currency is not None and not set(currency.amounts).isdisjoint(scan.columns):
            rows = _with_what_is_missing(plan, scan, currency)
            yield MissingRates(model.currency or "", scan.dataset, currency.column, scan.prefix, rows)


def _is_of_rows(plan: Plan) -> bool:
    """Whether a plan's rows are those of one dataset, each once: a scan, filtered, with what relationships lead to."""
    match plan:
        case Scan():
            return True
        case Filter():
            return _is_of_rows(plan.input)
        case Join():
            return plan.kind is JoinKind.LEFT and isinstance(plan.right, Scan) and _is_of_rows(plan.left)
        case _:
            return False


def _with_what_is_missing(plan: Plan, scan: Scan, currency: Currency) -> Plan:
    """The same rows, with whether an amount is left out. Filters on amounts are not asked: they would say no."""
    hidden = frozenset(scan.prefix + name for name in currency.amounts)

    def change(node: Plan) -> Plan:
        if node == scan:
            extra = (currency.column, DAY, UNRATED)
            return replace(scan, columns=tuple(dict.fromkeys((*scan.columns, *extra))))
        if isinstance(node, Filter):
            where = without(node.where, hidden)
            return node.input if where == TRUE else replace(node, where=where)
        return node

    return rewrite(plan, change)


def without(where: Expr, names: frozenset[str]) -> Expr:
    """A condition that holds wherever another may hold, without reading these columns."""
    if names.isdisjoint(columns([where])):
        return where
    match where:
        case All():
            return conjunction([part for part in (without(one, names) for one in where.parts) if part != TRUE]) or TRUE
        case AnyOf():
            parts = tuple(without(part, names) for part in where.parts)
            return TRUE if TRUE in parts else AnyOf(parts)
        case _:
            return TRUE
