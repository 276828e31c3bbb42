"""Touches: the events that may get credit, and which of several at one instant comes first (semantics.md §3).

The order of touches is by instant, then by the primary key of their dataset; where it has none, by the values of what
credit can be split by. So it doesn't depend on the order of rows, nor on what a question asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from semantic.lower.cohort_events import Events, Named
from semantic.lower.filter import condition
from semantic.lower.scope import Scope
from semantic.lower.view import View
from semantic.model.facts import Kind
from semantic.model.reach import reachable
from semantic.model.sequence import AttributionDefinition
from semantic.plan.build import conjunction
from semantic.plan.expr import Cast, Col, Expr, IsNotTrue, IsNull, Micros
from semantic.plan.node import Plan, Project
from semantic.query.bound import DimensionKey
from semantic.query.kind import dimension_kind
from semantic.query.query import Condition

TOUCHER, TOUCH_AT, TOUCH_DIRECT, KEPT = "toucher#", "touch_at#", "touch_direct#", "kept#"
"""Who, when (microseconds since 1970), whether it is direct, whether it passes the question's filters."""


@dataclass(frozen=True, slots=True)
class Touches:
    """Touches between two instants (naive UTC; None: unbounded). Those that get credit are split by `dimensions` and
    have to pass `where` and the segments.
    """

    view: View
    definition: AttributionDefinition
    dimensions: tuple[DimensionKey, ...]
    where: tuple[Condition, ...]
    segments: tuple[str, ...]
    start: datetime | None
    end: datetime | None

    @property
    def events(self) -> Events:
        """The rows that are touches."""
        return Events(self.view, self.definition.touch, self.definition.entity)

    @property
    def mixed(self) -> bool:
        """Whether touches and conversions disagree on the kind of the entity's column."""
        kinds = set()
        for events in (self.definition.touch, self.definition.conversion):
            column = self.view.model.datasets[events.dataset].entity_column(self.definition.entity) or ""
            kinds.add(self.view.facts.datasets[events.dataset].columns.get(column, Kind.OTHER))
        return len(kinds) > 1

    @property
    def is_filtered(self) -> bool:
        """Whether the question wants the credit of some touches only."""
        return bool(self.where or self.segments)

    @property
    def is_direct(self) -> Expr | None:
        """Whether a touch is direct; None when the attribution doesn't say."""
        direct = self.definition.direct
        return None if direct is None else _surely(self._scope.authored(direct))

    @property
    def _scope(self) -> Scope:
        return self.events.scope

    def plan(self, named: Named = ()) -> Plan:
        """Columns: `toucher#`, `touch_at#`, and those named."""
        events = self.events
        found = events.conditions(self.start, self.end)
        rows = events.rows(((TOUCH_AT, Micros(events.time.instant)), *named), found, self.mixed)
        who, *others = rows.output
        return Project(rows, ((TOUCHER, Col(who)), *((name, Col(name)) for name in others)))

    def asked(self) -> Named:
        """What the question wants of a touch: its dimensions and whether it passes the filters."""
        keys = tuple((key.name, self._scope.key(key)) for key in self.dimensions)
        return (*keys, (KEPT, self._kept())) if self.is_filtered else keys

    def _kept(self) -> Expr:
        found = [condition(self._scope, where) for where in self.where]
        segments = self._scope.dataset.segments
        found += [self._scope.authored(item.where) for item in segments if item.name in self.segments]
        where = conjunction(found)
        assert where is not None
        return _surely(where)

    def order(self) -> Named:
        """What touches of one instant are ordered by, first what counts most."""
        found = []
        for place, value in enumerate(self._ordering()):
            found += [(f"is_null{place}#", IsNull(value)), (f"order{place}#", value)]
        return tuple(found)

    def _ordering(self) -> Iterator[Expr]:
        dataset = self._scope.dataset
        if dataset.primary_key:
            yield from map(Col, dataset.primary_key)
            return
        found = reachable(self.view.model, dataset.name)
        own = [name for name, reached in found.items() if not reached.path]
        for name in self.definition.touch_dimensions or own:
            kind = dimension_kind(self.view.model, self.view.facts, found[name], dataset.name)
            yield self._scope.dimension(name, kind)


def _surely(where: Expr) -> Expr:
    """A condition that is false instead of null."""
    return IsNotTrue(IsNotTrue(where))


def moved(instant: datetime | None, by: timedelta) -> datetime | None:
    """A bound moved; None: unbounded, also where the calendar ends."""
    try:
        return None if instant is None else instant + by
    except OverflowError:
        return None


def text_or_own(who: Expr, mixed: bool) -> Expr:
    """An entity, as text where datasets disagree on its kind."""
    return Cast(who, Kind.STRING) if mixed else who
