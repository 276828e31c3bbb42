"""What any response to a GraphQL document must be: data of the types that the schema says, or a reasoned refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    is_object_type,
    parse,
)

from api.errors import RequestCode
from semantic.errors import Code

REASONS = {code.value for code in (*Code, *RequestCode)} - {Code.INTERNAL, Code.DATA_ERROR}
"""Codes that may come of a question; the others would be our fault."""
LATE = {Code.TIMEOUT, Code.OVERLOADED, Code.CANCELLED}
"""Those of a busy server."""


def misfits(schema: GraphQLSchema, document: str, status: int, content_type: str, body: bytes) -> Iterator[str]:
    """What is wrong with a response; nothing when it is as it must be."""
    if status != 200:
        yield f"the status is {status}"
    if content_type != "application/json; charset=utf-8":
        yield f"the content type is {content_type}"
    try:
        answer = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except ValueError as error:
        yield f"the body is not JSON: {error}"
        return
    if not isinstance(answer, dict) or not answer or not answer.keys() <= {"data", "errors"}:
        yield "the body is no response"
        return
    errors = answer.get("errors", [])
    yield from _errors(errors, "errors" in answer)
    if "data" in answer:
        (operation,) = parse(document).definitions
        assert isinstance(operation, OperationDefinitionNode)
        assert schema.query_type is not None
        yield from _object(schema.query_type, _fields([operation]), answer["data"], "data")
        failed = {error["path"][0] for error in errors if error.get("path")}
        empty = {key for key, value in answer["data"].items() if value is None}
        if failed != empty:
            yield f"{sorted(empty)} are null, but the errors are of {sorted(failed)}"
    elif not errors:
        yield "there is neither data nor an error"


def _errors(errors: Any, told: bool) -> Iterator[str]:
    if told and not (isinstance(errors, list) and errors):
        yield "`errors` is empty"
    for error in errors:
        extensions = error.get("extensions", {})
        code, fault = extensions.get("code"), extensions.get("fault")
        if not error.get("message"):
            yield "an error says nothing"
        if code not in REASONS - LATE or fault != "user":
            yield f"{code}, a fault of {fault}: {error.get('message')}"


def _fields(parents: Sequence[Any]) -> dict[str, list[FieldNode]]:
    """The fields selected, by their response key."""
    found: dict[str, list[FieldNode]] = {}
    for parent in parents:
        for node in parent.selection_set.selections:
            assert isinstance(node, FieldNode), "documents made at random have no fragments here"
            found.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
    return found


def _object(of: GraphQLObjectType, selected: dict[str, list[FieldNode]], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict) or list(value) != list(selected):
        yield f"{path} does not have just what was selected"
        return
    for key, nodes in selected.items():
        name = nodes[0].name.value
        field: GraphQLOutputType = GraphQLString if name == "__typename" else of.fields[name].type
        yield from _value(field, nodes, value[key], f"{path}.{key}")


def _value(of: GraphQLOutputType, nodes: list[FieldNode], value: Any, path: str) -> Iterator[str]:
    if isinstance(of, GraphQLNonNull):
        if value is None:
            yield f"{path} is null"
            return
        of = of.of_type
    if value is None:
        return
    if isinstance(of, GraphQLList):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for index, item in enumerate(value):
            yield from _value(of.of_type, nodes, item, f"{path}[{index}]")
    elif is_object_type(of):
        yield from _object(of, _fields(nodes), value, path)
    elif isinstance(of, GraphQLEnumType):
        if value not in of.values:
            yield f"{path} is {value!r}, which is no {of.name}"
    elif not _SCALARS[str(of)](value):
        yield f"{path} is {value!r}, which is no {of}"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_whole(bits: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


def _is_day(value: Any) -> bool:
    return _reads(date.fromisoformat, value) and len(value) == 10


def _is_instant(value: Any) -> bool:
    return _reads(datetime.fromisoformat, value) and datetime.fromisoformat(value).tzinfo is not None


def _reads(read: Callable[[str], object], value: Any) -> bool:
    try:
        read(value)
    except (TypeError, ValueError):
        return False
    return True


_SCALARS: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "Int": _is_whole(32),
    "Long": _is_whole(64),
    "Float": _is_number,
    "Decimal": _is_number,
    "Date": _is_day,
    "DateTime": _is_instant,
    "Time": lambda value: _is_day(value) or _is_instant(value),
    "Value": lambda value: isinstance(value, str | bool) or _is_number(value),
    "Claims": lambda value: isinstance(value, dict),
}
