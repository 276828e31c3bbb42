"""`/openapi.json`: the doors beside GraphQL, with the arguments of `/v1/table` as the model has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from api.accept import JSON
from api.formats import FORMATS

Described = dict[str, Any]

_SCALARS: Mapping[str, Described] = {
    "Int": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "Long": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "Float": {"type": "number"},
    "Decimal": {"type": "number"},
    "String": {"type": "string"},
    "Boolean": {"type": "boolean"},
    "Date": {"type": "string", "format": "date"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Value": {"type": ["string", "number", "boolean"]},
}
_ENDINGS = tuple(dict.fromkeys(one.ending for one in FORMATS))
_SUMMARY = "Metrics by dimensions as a table"
_TOLD = {
    400: "The caller can mend it",
    401: "Nobody is signed in",
    403: "Not for this viewer",
    404: "There is no such format",
    406: "Nothing that is accepted can be had",
    413: "The body is too large",
    415: "The body is not JSON",
    429: "Too many questions",
    500: "A fault of ours",
    503: "Busy, stopping, or the data can't be read",
    504: "The deadline passed",
}
_ERRORS: Described = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["message", "extensions"],
                "properties": {
                    "message": {"type": "string"},
                    "extensions": {
                        "type": "object",
                        "required": ["code", "fault"],
                        "properties": {
                            "code": {"type": "string"},
                            "fault": {"enum": ["user", "ours"]},
                            "suggestion": {"type": "string"},
                        },
                    },
                },
            },
        }
    },
}


def with_tables(doors: Mapping[str, Any], schema: GraphQLSchema) -> Described:
    """The description of the other doors, and of `/v1/table` where there is something to tabulate."""
    table = schema.query_type.fields.get("table") if schema.query_type else None
    if table is None:
        return dict(doors)
    components = dict(doors.get("components", {}))
    schemas = {"TableErrors": _ERRORS, "TableArguments": _object(table.args)}
    components["schemas"] = {**components.get("schemas", {}), **schemas, **dict(_named(table))}
    ending = {"name": "ending", "in": "path", "required": True, "schema": {"enum": list(_ENDINGS)}}
    paths = {"/v1/table": _operations(table, []), "/v1/table.{ending}": _operations(table, [ending])}
    return {**doors, "paths": {**doors["paths"], **paths}, "components": components}


def _operations(table: GraphQLField, parameters: list[Described]) -> Described:
    responses = {"200": {"description": _SUMMARY, "content": {one.media: {} for one in FORMATS}}}
    errors = {JSON: {"schema": {"$ref": "#/components/schemas/TableErrors"}}}
    responses |= {str(status): {"description": text, "content": errors} for status, text in _TOLD.items()}
    body = {JSON: {"schema": {"$ref": "#/components/schemas/TableArguments"}}}
    shared = {"summary": _SUMMARY, "description": table.description or "", "responses": responses}
    return {
        "get": {**shared, "parameters": [*parameters, *_parameters(table)]},
        "post": {**shared, "parameters": parameters, "requestBody": {"required": True, "content": body}},
    }


def _parameters(table: GraphQLField) -> Iterator[Described]:
    """Texts and names as they are, several names with commas between, everything else as JSON."""
    for name, argument in table.args.items():
        told = {"name": name, "in": "query", "required": is_required_argument(argument)}
        of, named = get_nullable_type(argument.type), get_named_type(argument.type)
        if isinstance(named, GraphQLEnumType) or str(of) == "String":
            told |= {"schema": _type(of), "style": "form", "explode": False}
        else:
            told |= {"content": {JSON: {"schema": _nullable(argument.type)}}}
        yield told | {"description": argument.description or ""}


def _object(fields: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]) -> Described:
    properties = {name: _nullable(one.type) | _described(one.description) for name, one in fields.items()}
    needed = [
        name
        for name, one in fields.items()
        if (is_required_argument(one) if isinstance(one, GraphQLArgument) else is_required_input_field(one))
    ]
    told: Described = {"type": "object", "additionalProperties": False, "properties": properties}
    return told | {"required": needed} if needed else told


def _described(text: str | None) -> Described:
    return {"description": text} if text else {}


def _nullable(of: GraphQLInputType) -> Described:
    return _type(of.of_type) if isinstance(of, GraphQLNonNull) else {"anyOf": [_type(of), {"type": "null"}]}


def _type(of: Any) -> Described:
    if isinstance(of, GraphQLList):
        return {"type": "array", "items": _nullable(of.of_type)}
    if isinstance(of, GraphQLEnumType | GraphQLInputObjectType):
        return {"$ref": f"#/components/schemas/{of.name}"}
    return dict(_SCALARS[of.name])


def _named(table: GraphQLField) -> Iterator[tuple[str, Described]]:
    """The enums and objects that the arguments are made of, each once."""
    waiting = [get_named_type(argument.type) for argument in table.args.values()]
    met: set[str] = set()
    for of in waiting:  # it grows while it is read
        if of.name in met:
            continue
        met.add(of.name)
        if isinstance(of, GraphQLEnumType):
            yield of.name, {"type": "string", "enum": list(of.values)} | _described(of.description)
        elif isinstance(of, GraphQLInputObjectType):
            told = _object(of.fields)
            if of.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_one_of:
                exact = {name: _type(get_nullable_type(field.type)) for name, field in of.fields.items()}
                told |= {"properties": exact, "minProperties": 1, "maxProperties": 1}
            yield of.name, told | _described(of.description)
            waiting += [get_named_type(field.type) for field in of.fields.values()]
