"""The few doors into strawberry through which types are made at run time.

They close its silent traps: fields are keyed by numbered Python names and never by a resolver's `__name__`, so that a
dimension may be called `class`; arguments are values and no signature; two fields or members of one name raise.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

Resolver = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an enum: the value it stands for and what it means."""

    value: str
    description: str


def argument(name: str, type_: object, description: str, default: object = strawberry.UNSET) -> StrawberryArgument:
    """An argument. Left out by a client it is absent, unless it has a default."""
    return StrawberryArgument(
        python_name=name,
        graphql_name=name,
        type_annotation=StrawberryAnnotation(type_),
        description=description,
        default=default,
    )


def field(
    name: str, type_: object, description: str, resolver: Resolver, arguments: Iterable[StrawberryArgument] = ()
) -> StrawberryField:
    """An output field. Its resolver takes `root`, `info` and, whatever they are, the arguments."""
    made: StrawberryField = strawberry.field(_read(resolver), name=name, description=description, graphql_type=type_)
    made.arguments = list(arguments)
    return made


@lru_cache(maxsize=64)
def _read(resolver: Resolver) -> StrawberryResolver[Any]:
    """A resolver with its signature, read once for all the fields it answers."""
    return StrawberryResolver(resolver)


def input_field(name: str, type_: object, description: str, default: object = strawberry.UNSET) -> StrawberryField:
    """A field of an input."""
    made: StrawberryField = strawberry.field(name=name, description=description, graphql_type=type_, default=default)
    return made


def object_type(name: str, fields: Iterable[StrawberryField], description: str) -> Any:
    """An output type."""
    return strawberry.type(_class(name, fields), description=description)


def input_type(name: str, fields: Iterable[StrawberryField], description: str, one_of: bool = False) -> Any:
    """An input type; `one_of`: exactly one of its fields is to be given."""
    return strawberry.input(_class(name, fields), description=description, one_of=one_of)


def enum_type(name: str, members: Mapping[str, Member], description: str) -> Any:
    """An enum whose Python values are what its members stand for."""
    values = {
        key: strawberry.enum_value(member.value, description=member.description) for key, member in members.items()
    }
    made = enum.Enum(name, values)  # type: ignore[misc]
    if len(made) != len(members):
        raise ValueError(f"Two members of {name} stand for the same value")
    return strawberry.enum(made, name=name, description=description)


def _class(name: str, fields: Iterable[StrawberryField]) -> type:
    """A plain class that carries the fields; strawberry turns it into a type."""
    namespace: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    names: set[str | None] = set()
    for index, made in enumerate(fields):
        if made.graphql_name in names:
            raise ValueError(f"{name} has two fields named {made.graphql_name}")
        names.add(made.graphql_name)
        made.python_name = f"f{index}"
        namespace[made.python_name] = made
        annotations[made.python_name] = made.type_annotation.raw_annotation if made.type_annotation else None
    namespace["__annotations__"] = annotations
    return types.new_class(name, (), {}, lambda space: space.update(namespace))
