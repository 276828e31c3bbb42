"""The rule on names: every metric and every dimension is a field of one GraphQL type."""

from __future__ import annotations

from collections.abc import Iterator

from semantic.errors import Code, Position, Problem
from semantic.load.check_dimensions import reached
from semantic.model.model import Model
from semantic.model.names import camel_case


def check_row_fields(model: Model) -> Iterator[Problem]:
    """No two of them may have one field name."""
    first: dict[str, tuple[str, str, Position | None]] = {"time": ("the period", "time", None)}
    reported: set[tuple[str, str]] = set()
    for what, name, at in _row_fields(model):
        known_what, known, where = first.setdefault(camel_case(name), (what, name, at))
        if (known_what, known) == (what, name) or (what, name) in reported:
            continue
        reported.add((what, name))
        place = f" at {where}" if where else ""
        if known == name:
            message = f'The {what} "{name}" has the name of the {known_what}{place}.'
        else:
            message = (
                f'The {what} "{name}" and the {known_what} "{known}"{place} are both the field {camel_case(name)}.'
            )
        yield Problem(Code.NAME_COLLISION, message, at, "Give one of them another name.")


def _row_fields(model: Model) -> Iterator[tuple[str, str, Position | None]]:
    for dataset in model.datasets:
        for dimension in reached(model, dataset):
            yield "dimension", dimension.name, dimension.dimension.position
    for name in model.metrics:
        yield "metric", name, model.places.at("metrics", name)
