"""A GraphQL request as it came over HTTP: read and checked for form, not for meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request

from api.accept import JSON


@dataclass(frozen=True, slots=True)
class Asked:
    """A well-formed request: the document, the operation of it to run, and the variables.

    `key`: the same for equal requests, whatever the order of their variables.
    """

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    key: tuple[str, str | None, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        variables = orjson.dumps(self.variables, option=orjson.OPT_SORT_KEYS) if self.variables else b""
        object.__setattr__(self, "key", (self.query, self.operation_name, variables))

    @property
    def size(self) -> int:
        """Characters of what was asked."""
        return len(self.query) + len(self.key[2])


class Malformed(Exception):
    """Not a well-formed request. `status` is the HTTP status to refuse it with."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


async def read_object(request: Request, most: int, example: str) -> dict[str, Any]:
    """The JSON object that a POST of up to `most` bytes carries. Malformed otherwise."""
    check_content_type(request.headers.get("content-type"))
    return _object(await read_body(request, most), example)


def check_content_type(header: str | None) -> None:
    """Malformed unless a body of this Content-Type is JSON."""
    name, *parameters = (header or "").lower().split(";")
    if name.strip() != JSON:
        sent = f'not "{name.strip()}"' if name.strip() else "and there was none"
        raise Malformed(f"The content type of a POST must be {JSON}, {sent}.", 415)
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8"):
            raise Malformed(f"The body must be encoded in UTF-8, not in {value.strip()}.", 415)


async def read_body(request: Request, most: int) -> bytes:
    """The body of up to `most` bytes. Malformed when there are more."""
    declared = request.headers.get("content-length", "")
    chunks, size = [], int(declared) if declared.isdecimal() else 0
    if size <= most:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                break
            chunks.append(chunk)
    if size > most:
        raise Malformed(f"The body has more than {most:,} bytes.", 413)
    return b"".join(chunks)


def _object(body: bytes, example: str) -> dict[str, Any]:
    if not body.strip():
        raise Malformed(f"The body is empty. Send JSON such as {example}.")
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from None
    if isinstance(given, list):
        raise Malformed("Send one query a request: a list of them is not supported.")
    if not isinstance(given, dict):
        raise Malformed(f"The body must be a JSON object, not {_name(given)}.")
    return given


def from_body(body: bytes) -> Asked:
    """What the body of a POST asks. Malformed when it is not well-formed."""
    return _checked(_object(body, '{"query": "{ __typename }"}'))


def from_address(params: QueryParams) -> Asked:
    """What the address of a GET asks. Malformed when it is not well-formed."""
    given: dict[str, Any] = {name: params[name] for name in ("query", "operationName") if name in params}
    for name in ("variables", "extensions"):
        if params.get(name):
            given[name] = _json_parameter(name, params[name])
    return _checked(given)


def _json_parameter(name: str, text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed(f'"{name}" is not JSON: column {error.colno}: {error.msg}.') from None


def _checked(given: Mapping[str, Any]) -> Asked:
    query, operation = given.get("query"), given.get("operationName")
    if query is None:
        raise Malformed('There is no "query".')
    if not isinstance(query, str):
        raise Malformed(f'"query" must be a string, not {_name(query)}.')
    if operation is not None and not isinstance(operation, str):
        raise Malformed(f'"operationName" must be a string, not {_name(operation)}.')
    for name in ("variables", "extensions"):
        value = given.get(name)
        if value is not None and not isinstance(value, dict):
            raise Malformed(f'"{name}" must be an object, not {_name(value)}.')
    return Asked(query, operation or None, given.get("variables"))


def _name(value: object) -> str:
    """What JSON calls a value, with its article."""
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
