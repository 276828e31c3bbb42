"""Rules on firsts."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.errors import Code, Problem
from semantic.load.check_sequences import check_entity
from semantic.model.model import Model


def check_firsts(model: Model) -> Iterator[Problem]:
    """A first has a name of its own, an entity and a time."""
    for first in model.firsts.values():
        at = ("firsts", first.name)
        for section in ("datasets", "scores"):
            if (section, first.name) in model.places:
                message = f'"{first.name}" is a {section[:-1]} already: a first is a dataset too, of its entities.'
                yield Problem(Code.DUPLICATE_NAME, message, model.places.at(*at, "name"), "Give it another name.")
        yield from check_entity(model, (*at, "entity"), first.entity, [first.dataset])
        if model.datasets[first.dataset].time_dimension is None:
            message = f'What is first is told by time, and the dataset "{first.dataset}" has no time_dimension.'
            yield Problem(Code.MISSING_KEY, message, model.places.at(*at, "dataset"))
