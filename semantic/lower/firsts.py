"""Firsts: the rows of a first's dataset, made of all events of each entity whatever the time range."""

from __future__ import annotations

from semantic.lower.cohort_events import ENTITY, Events
from semantic.lower.view import View
from semantic.model.first import FIRST_DAY, FirstDefinition
from semantic.model.score import WHO
from semantic.model.sequence import EventSet
from semantic.plan.expr import Col
from semantic.plan.fold import Agg, Fold
from semantic.plan.node import Aggregate, Plan

DAY = "day#"


def first_rows(view: View, first: FirstDefinition) -> Plan:
    """A row for each entity with an event: who, and the local day of the first."""
    events = Events(view, EventSet(first.dataset, first.where), first.entity)
    rows = events.rows(((DAY, events.time.day),), events.conditions(), as_text=False)
    return Aggregate(rows, ((WHO, Col(ENTITY)),), ((FIRST_DAY, Agg(Fold.MIN, Col(DAY))),))
