"""Records: tuples of objects with plain attributes, as reports have them, written without completing each leaf."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import attrgetter
from typing import Any

from graphql import GraphQLObjectType, GraphQLScalarType, get_named_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from api.resolvers.rows import Part


def are_flat(of_type: GraphQLObjectType, parts: Sequence[Part]) -> bool:
    """Whether the fields are of scalars alone."""
    names = [part.column for part in parts if part.column is not None]
    return all(isinstance(get_named_type(of_type.fields[name].type), GraphQLScalarType) for name in names)


def write_records(records: Sequence[Any], of_type: GraphQLObjectType, parts: Sequence[Part]) -> list[dict[str, Any]]:
    """A JSON object for each record; a part's column is a field of the type."""
    fixed = {part.name: of_type.name for part in parts}
    named = [(part.name, attrgetter(_attribute(of_type, part.column))) for part in parts if part.column is not None]
    return [fixed | {name: _plain(get(record)) for name, get in named} for record in records]


def _attribute(of_type: GraphQLObjectType, name: str) -> str:
    """The attribute behind a field: strawberry knows it by its Python name."""
    definition: StrawberryField = of_type.fields[name].extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    return definition.python_name


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
