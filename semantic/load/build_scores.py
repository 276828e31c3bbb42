"""Read fields → scores and firsts, and the datasets that these are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from semantic.load.read_shape import Fields
from semantic.model.dataset import Dataset, Relationship
from semantic.model.first import FirstDefinition
from semantic.model.score import Alive, RiskRule, ScoreDefinition, SegmentRule
from semantic.model.text import NO_TEXT
from semantic.time import Unit

Made = ScoreDefinition | FirstDefinition
"""What is a dataset of entities, made of another's rows."""

_DAYS = {Unit.DAY: 1, Unit.WEEK: 7}


def build_first(fields: Fields) -> FirstDefinition:
    """A first."""
    return FirstDefinition(
        name=fields["name"],
        entity=fields["entity"],
        dataset=fields["dataset"],
        where=fields.get("where"),
        label=fields.get("label", NO_TEXT),
        description=fields.get("description", NO_TEXT),
        position=fields.at,
    )


def made_datasets(made: Iterable[Made], datasets: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """The datasets of entities; whose name another dataset has is left out, and reported."""
    return {one.name: one.as_dataset() for one in made if one.name not in datasets}


def implied(made: Iterable[Made], datasets: Mapping[str, Dataset]) -> dict[str, Relationship]:
    """From every dataset with files that has their entity."""
    found = (
        one.relationship(name, column)
        for one in made
        if one.name not in datasets
        for name, dataset in datasets.items()
        if (column := dataset.entity_column(one.entity)) is not None
    )
    return {relationship.name: relationship for relationship in found}


def build_score(fields: Fields) -> ScoreDefinition:
    """A score."""
    alive = fields.get("alive")
    return ScoreDefinition(
        name=fields["name"],
        version=fields["version"],
        entity=fields["entity"],
        dataset=fields["dataset"],
        amount=fields["amount"],
        recency=fields["recency"],
        frequency=fields["frequency"],
        monetary=fields["monetary"],
        where=fields.get("where"),
        time_dimension=fields.get("time_dimension"),
        purchase=fields.get("purchase"),
        segments=tuple(_segment(entry) for entry in fields.get("segments", ()) if entry.usable),
        risks=tuple(_risk(entry) for entry in fields.get("risks", ()) if entry.usable),
        alive=_alive(alive) if alive is not None and alive.usable else None,
        label=fields.get("label", NO_TEXT),
        description=fields.get("description", NO_TEXT),
        position=fields.at,
    )


def _segment(fields: Fields) -> SegmentRule:
    return SegmentRule(fields["name"], fields.get("where"), fields.get("label", NO_TEXT), fields.at)


def _risk(fields: Fields) -> RiskRule:
    return RiskRule(fields["name"], fields["where"], fields["risk"], fields.get("label", NO_TEXT), fields.at)


def _alive(fields: Fields) -> Alive:
    unit = fields.get("unit", Unit.DAY)
    return Alive(fields["r"], fields["alpha"], fields["a"], fields["b"], _DAYS[unit])
