"""What a client selected: aliases, fragments, variables, @skip and @include resolved by graphql-core's own rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_argument_values,
    get_named_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues

from api.resolvers.context import Context


class Info(strawberry.Info[Context, None]):
    """strawberry's info, with graphql-core's own beside it."""

    @property
    def core(self) -> GraphQLResolveInfo[Any]:
        """graphql-core's info."""
        return self._raw_info

    @property
    def key(self) -> str:
        """The response key of the field."""
        return str(self._raw_info.path.key)


@dataclass(frozen=True, slots=True)
class Selected:
    """A selected field: its response key, its name, its arguments as GraphQL values (enums as Python ones)."""

    key: str
    name: str
    arguments: Mapping[str, Any]
    children: Sequence[Selected]


def selected(info: GraphQLResolveInfo[Any]) -> Selected:
    """The field being resolved, with everything selected below it."""
    return _selected(info, info.parent_type, str(info.path.key), info.field_nodes)


def _selected(
    info: GraphQLResolveInfo[Any], parent: GraphQLObjectType, key: str, nodes: Sequence[FieldNode]
) -> Selected:
    name = nodes[0].name.value
    definition = info.schema.get_field(parent, name)
    if definition is None:
        return Selected(key, name, {}, ())
    arguments = get_argument_values(definition, nodes[0], _variables(info))
    return Selected(key, name, arguments, tuple(_children(info, get_named_type(definition.type), nodes)))


def _children(info: GraphQLResolveInfo[Any], of_type: object, nodes: Sequence[FieldNode]) -> Iterator[Selected]:
    if not isinstance(of_type, GraphQLObjectType):
        return
    collected = collect_subfields(
        info.schema,
        {name: FragmentDetails(fragment) for name, fragment in info.fragments.items()},
        _variables(info),
        info.operation,
        of_type,
        [FieldDetails(node, None) for node in nodes],
    )
    for key, details in collected.grouped_field_set.items():
        yield _selected(info, of_type, key, [detail.node for detail in details])


def _variables(info: GraphQLResolveInfo[Any]) -> VariableValues:
    """Strawberry hands resolvers the coerced values alone; their sources matter to variables inside scalars only."""
    values: Any = info.variable_values
    return values if isinstance(values, VariableValues) else VariableValues({}, values)
