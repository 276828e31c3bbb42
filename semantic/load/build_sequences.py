"""Read fields → funnels, retentions and attributions."""

from __future__ import annotations

from semantic.load.read_shape import Fields
from semantic.model.sequence import (
    AttributionDefinition,
    AttributionModel,
    Clock,
    CohortType,
    CreditTime,
    EventSet,
    Exclude,
    ExcludeEffect,
    Funnel,
    FunnelEntry,
    FunnelOrder,
    RetentionDefinition,
    RetentionMode,
    Step,
)
from semantic.model.text import NO_TEXT
from semantic.time import Grain


def build_funnel(fields: Fields) -> Funnel:
    """A funnel; a step without a dataset happens in the funnel's."""
    dataset = fields["dataset"]
    return Funnel(
        name=fields["name"],
        entity=fields["entity"],
        dataset=dataset,
        steps=tuple(_step(step, dataset) for step in fields["steps"] if step.usable),
        window=fields["window"],
        order=fields.get("order", FunnelOrder.ORDERED),
        entry=fields.get("entry", FunnelEntry.ANY),
        hold=fields.get("hold", ()),
        exclude=tuple(_exclude(entry) for entry in fields.get("exclude", ()) if entry.usable),
        label=fields.get("label", NO_TEXT),
        description=fields.get("description", NO_TEXT),
        position=fields.at,
    )


def _step(fields: Fields, dataset: str) -> Step:
    return Step(
        name=fields["name"],
        dataset=fields.get("dataset", dataset),
        where=fields.get("where"),
        label=fields.get("label", NO_TEXT),
        position=fields.at,
    )


def _exclude(fields: Fields) -> Exclude:
    return Exclude(fields["where"], fields["from"], fields["to"], fields.get("effect", ExcludeEffect.DROP_OFF))


def _events(fields: Fields) -> EventSet:
    return EventSet(fields["dataset"], fields.get("where"))


def build_retention(fields: Fields) -> RetentionDefinition:
    """A retention."""
    return RetentionDefinition(
        name=fields["name"],
        entity=fields["entity"],
        cohort=_events(fields["cohort"]),
        returns=_events(fields["return"]),
        cohort_type=fields["cohort"].get("type", CohortType.FIRST_TIME),
        grain=fields.get("grain", Grain.DAY),
        mode=fields.get("mode", RetentionMode.EXACT),
        clock=fields.get("clock", Clock.CALENDAR),
        periods=fields.get("periods", 30),
        brackets=fields.get("brackets", ()),
        label=fields.get("label", NO_TEXT),
        description=fields.get("description", NO_TEXT),
        position=fields.at,
    )


def build_attribution(fields: Fields) -> AttributionDefinition:
    """An attribution."""
    return AttributionDefinition(
        name=fields["name"],
        entity=fields["entity"],
        conversion=_events(fields["conversion"]),
        touch=_events(fields["touch"]),
        touch_dimensions=fields["touch"].get("dimensions", ()),
        lookback=fields["lookback"],
        model=fields.get("model", AttributionModel.LAST_NON_DIRECT),
        time=fields.get("time", CreditTime.CONVERSION),
        direct=fields.get("direct"),
        label=fields.get("label", NO_TEXT),
        description=fields.get("description", NO_TEXT),
        position=fields.at,
    )
