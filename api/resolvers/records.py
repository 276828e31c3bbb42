"""Records: tuples of objects with plain attributes, as reports have them, written without completing each leaf."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any

from graphql import GraphQLObjectType, GraphQLScalarType, get_named_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from api.resolvers.rows import Part

Getters = Sequence[tuple[str, Callable[[Any], Any]]]


def are_flat(of_type: GraphQLObjectType, parts: Sequence[Part]) -> bool:
    """Whether the fields are of scalars alone."""
    names = [part.column for part in parts if part.column is not None]
    return all(isinstance(get_named_type(of_type.fields[name].type), GraphQLScalarType) for name in names)


def write_records(records: Sequence[Any], of_type: GraphQLObjectType, parts: Sequence[Part]) -> list[dict[str, Any]]:
    """A JSON object for each record; a part's column is a field of the type."""
    getters = getters_of(of_type, parts)
    return [write_record(record, getters) for record in records]


def getters_of(of_type: GraphQLObjectType, parts: Sequence[Part]) -> Getters:
    """How each part is read from a record: its response name, and a function of the record."""
    return [
        (part.name, (lambda _: of_type.name) if part.column is None else attrgetter(_attribute(of_type, part.column)))
        for part in parts
    ]


def write_record(record: object, getters: Getters) -> dict[str, Any]:
    """One record as a JSON object."""
    return {name: _plain(get(record)) for name, get in getters}


def _attribute(of_type: GraphQLObjectType, name: str) -> str:
    """The attribute behind a field: strawberry knows it by its Python name."""
    definition: StrawberryField = of_type.fields[name].extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    return definition.python_name


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
