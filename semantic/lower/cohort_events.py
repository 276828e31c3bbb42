"""The two kinds of events of a retention, as rows: those that make an entity a member, and those that bring it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from semantic.lower.filter import condition
from semantic.lower.scope import Scope, Time
from semantic.lower.view import View
from semantic.model.facts import Kind
from semantic.model.sequence import EventSet, RetentionDefinition
from semantic.plan.build import conjunction
from semantic.plan.expr import NULL, AnyOf, Case, Cast, Col, Expr, IsNotTrue, IsNull
from semantic.plan.node import Filter, Plan, Project, Union
from semantic.plan.walk import columns
from semantic.query.query import Condition

ENTITY = "entity#"

Named = tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Events:
    """The events of one dataset that a retention, an attribution or a question names."""

    view: View
    events: EventSet
    entity: str

    @property
    def scope(self) -> Scope:
        """The dataset as the question sees it."""
        view = self.view
        dataset = view.model.datasets[self.events.dataset]
        return Scope(view.model, view.facts, dataset, view.zone, view.week_start)

    @property
    def time(self) -> Time:
        """Its time column."""
        column = self.scope.dataset.time_dimension
        assert column is not None, "the load refuses definitions over datasets without time"
        return self.scope.time(column, None)

    @property
    def who(self) -> Col:
        """The column that says who."""
        column = self.scope.dataset.entity_column(self.entity)
        assert column is not None, "the load refuses definitions over datasets without the entity"
        return Col(column)

    def conditions(self, start: datetime | None = None, end: datetime | None = None) -> list[Expr]:
        """What makes a row an event, between two instants."""
        found: list[Expr] = []
        if self.events.where is not None:
            found.append(self.scope.authored(self.events.where))
        if start is not None:
            found.append(self.time.since(start))
        if end is not None:
            found.append(self.time.before(end))
        return found

    def known(self) -> list[Expr]:
        """What every event needs: somebody, and a time."""
        return [IsNotTrue(IsNull(self.who)), IsNotTrue(IsNull(Col(self.time.name)))]

    def rows(self, named: Named, found: list[Expr], as_text: bool, dated: bool = False) -> Plan:
        """Rows that meet the conditions, as an entity and named expressions. `dated`: none without a time does."""
        entity: Expr = Cast(self.who, Kind.STRING) if as_text else self.who
        known = self.known()[:1] if dated else self.known()
        where = conjunction([*known, *found])
        assert where is not None
        read = columns([self.who, where, *(expr for _, expr in named)])
        return Project(Filter(self.scope.relation(read), where), ((ENTITY, entity), *named))


@dataclass(frozen=True, slots=True)
class Side:
    """What one kind of event contributes: columns, and the conditions under which."""

    events: Events
    columns: Named
    conditions: list[Expr]


def mixed(view: View, definition: RetentionDefinition) -> bool:
    """Whether the two datasets disagree on the kind of the entity's column."""
    kinds = set()
    for dataset in (definition.cohort.dataset, definition.returns.dataset):
        column = view.model.datasets[dataset].entity_column(definition.entity) or ""
        kinds.add(view.facts.datasets[dataset].columns.get(column, Kind.OTHER))
    return len(kinds) > 1


def together(one: Side, other: Side, as_text: bool) -> Plan:
    """Both kinds of events as rows of one table.

    a column is null on the rows of the other kind. Reads a dataset once.
    """
    if one.events.events.dataset == other.events.events.dataset:
        named = (*_only(one), *_only(other))
        sides = [conjunction(side.conditions) for side in (one, other)]
        found: list[Expr] = [] if None in sides else [AnyOf(tuple(side for side in sides if side is not None))]
        return one.events.rows(named, found, as_text)
    members = tuple(
        side.events.rows((*first, *second), side.conditions, as_text)
        for side, first, second in (
            (one, one.columns, _nulls(other)),
            (other, _nulls(one), other.columns),
        )
    )
    return Union(members)


def _only(side: Side) -> Named:
    """The side's columns, null on rows that are not its events."""
    when = conjunction(side.conditions)
    if when is None:
        return side.columns
    return tuple((name, Case(((when, expr),), NULL)) for name, expr in side.columns)


def _nulls(side: Side) -> Named:
    return tuple((name, NULL) for name, _ in side.columns)


def filters(scope: Scope, where: tuple[Condition, ...], segments: tuple[str, ...]) -> Expr | None:
    """The question's filters of cohort events, as one condition."""
    found = [condition(scope, asked) for asked in where]
    found += [scope.authored(item.where) for item in scope.dataset.segments if item.name in segments]
    return conjunction(found)
