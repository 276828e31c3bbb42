"""The arguments of `table`, from an address or a JSON object: read by the schema itself, so that both doors agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_argument_values,
    get_named_type,
    get_nullable_type,
    get_variable_values,
    parse,
)
from starlette.datastructures import QueryParams

from api.request import Malformed
from api.resolvers.selection import Selected
from semantic.errors import Code, UserError, did_you_mean

_TEXTS = ("String",)
"""Scalars that an address writes as they are; all others are JSON there."""
_OF_VARIABLE = "Variable '$"
_PARTS = (
    Selected("columns", "columns", {}, ()),
    Selected("rows", "rows", {}, ()),
    Selected("pageInfo", "pageInfo", {}, (Selected("hasNextPage", "hasNextPage", {}, ()),)),
    Selected("meta", "meta", {}, ()),
)


class Refused(Exception):
    """The arguments do not fit; `errors` says how, all at once."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(str(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class TableRequest:
    """What the schema says of `table`, and a document that calls it with a variable for each argument."""

    schema: GraphQLSchema
    field: GraphQLField
    operation: OperationDefinitionNode
    node: FieldNode

    @classmethod
    def of(cls, schema: GraphQLSchema) -> TableRequest:
        """For a schema. NO_METRIC when there is nothing to tabulate in it."""
        field = schema.query_type.fields.get("table") if schema.query_type else None
        if field is None:
            raise UserError(Code.NO_METRIC, "The model has no metric, so there are no tables.")
        declared = ", ".join(f"${name}: {argument.type}" for name, argument in field.args.items())
        passed = ", ".join(f"{name}: ${name}" for name in field.args)
        (operation,) = parse(f"query ({declared}) {{ table({passed}) {{ __typename }} }}").definitions
        assert isinstance(operation, OperationDefinitionNode)
        (node,) = operation.selection_set.selections
        assert isinstance(node, FieldNode)
        return cls(schema, field, operation, node)

    def selected(self, given: Mapping[str, Any]) -> Selected:
        """The request as if it were written in GraphQL. Names may be in lower case, as the model has them. Refused."""
        known = self.field.args
        for name in given:
            if name not in known:
                raise UserError(Code.BAD_ARGUMENT, f"There is no argument `{name}`.", did_you_mean(name, known))
        values = {name: _capitalised(value, known[name]) for name, value in given.items()}
        coerced = get_variable_values(self.schema, self.operation.variable_definitions or (), values)
        if isinstance(coerced, list):
            raise Refused([_plain(error) for error in coerced])
        return Selected("table", "table", get_argument_values(self.field, self.node, coerced), _PARTS)

    def from_address(self, params: QueryParams) -> dict[str, Any]:
        """The arguments of an address: texts and names as they are, lists of names with commas, all else as JSON."""
        return dict(self._parameters(params))

    def _parameters(self, params: QueryParams) -> Iterator[tuple[str, Any]]:
        for name in params:
            texts = params.getlist(name)
            argument = self.field.args.get(name)
            if argument is not None and isinstance(get_named_type(argument.type), GraphQLEnumType):
                yield name, _names(texts, isinstance(get_nullable_type(argument.type), GraphQLList))
            elif len(texts) > 1:
                raise Malformed(f"`{name}` is given {len(texts)} times.")
            elif argument is None or _is_text(argument):
                yield name, texts[0]
            else:
                yield name, _json(name, texts[0])


def _is_text(argument: GraphQLArgument) -> bool:
    of_type = get_nullable_type(argument.type)
    return isinstance(of_type, GraphQLScalarType) and of_type.name in _TEXTS


def _names(texts: list[str], several: bool) -> list[str] | str:
    if not several:
        return ",".join(texts)
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _json(name: str, text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        example = ', such as {"last": {"count": 7, "unit": "DAY"}}' if name == "timeRange" else ""
        raise Malformed(f"`{name}` is not JSON{example}: column {error.colno}: {error.msg}.") from None


def _capitalised(value: Any, argument: GraphQLArgument) -> Any:
    """Names of an enum in capitals, as GraphQL has them."""
    if not isinstance(get_named_type(argument.type), GraphQLEnumType):
        return value
    if isinstance(value, list):
        return [item.upper() if isinstance(item, str) else item for item in value]
    return value.upper() if isinstance(value, str) else value


def _plain(error: GraphQLError) -> GraphQLError:
    """An error about an argument, not about a variable of a document that nobody wrote."""
    if not error.message.startswith(_OF_VARIABLE):
        return GraphQLError(error.message)
    name, _, rest = error.message.removeprefix(_OF_VARIABLE).partition("'")
    return GraphQLError(f"`{name}`{rest}")
