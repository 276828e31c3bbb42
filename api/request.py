"""A GraphQL request as it came over HTTP: read and checked for form, not for meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request

from api.accept import JSON

BAD_REQUEST = "BAD_REQUEST"
"""`extensions.code` of a request that is not well-formed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A well-formed request: the document, the operation of it to run, and the variables.

    `persisted`: the hash of the document, which may then be left out (empty). `key`: the same for equal requests,
    whatever the order of their variables.
    """

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    persisted: str | None = None
    key: tuple[str, str | None, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        variables = orjson.dumps(self.variables, option=orjson.OPT_SORT_KEYS) if self.variables else b""
        object.__setattr__(self, "key", (self.query, self.operation_name, variables))

    @property
    def size(self) -> int:
        """Characters of what was asked."""
        return len(self.query) + len(self.key[2])


class Malformed(Exception):
    """Not a well-formed request. `status` is the HTTP status to refuse it with, `code` the code of its error."""

    def __init__(self, message: str, status: int = 400, code: str = BAD_REQUEST) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code


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
    given = _loaded(body, example)
    if isinstance(given, list):
        raise Malformed("Send one query a request: a list of them is not supported.")
    return _as_object(given)


def _loaded(body: bytes, example: str) -> Any:
    if not body.strip():
        raise Malformed(f"The body is empty. Send JSON such as {example}.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from None


def _as_object(given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Malformed(f"The body must be a JSON object, not {_name(given)}.")
    return given


def from_body(body: bytes, most: int = 0) -> Asked | list[Asked]:
    """What the body of a POST asks; a list, of `most` at most where that is not 0. Malformed when not well-formed."""
    given = _loaded(body, '{"query": "{ __typename }"}')
    if isinstance(given, list) and most:
        if not 0 < len(given) <= most:
            raise Malformed(f"A list of {len(given)} queries: it must have 1 to {most}.")
        return [from_object(_as_object(one)) for one in given]
    if isinstance(given, list):
        raise Malformed("Send one query a request: a list of them is not supported.")
    return from_object(_as_object(given))


def from_address(params: QueryParams) -> Asked:
    """What the address of a GET asks. Malformed when it is not well-formed."""
    given: dict[str, Any] = {name: params[name] for name in ("query", "operationName", "documentId") if name in params}
    for name in ("variables", "extensions"):
        if params.get(name):
            given[name] = _json_parameter(name, params[name])
    return from_object(given)


def _json_parameter(name: str, text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed(f'"{name}" is not JSON: column {error.colno}: {error.msg}.') from None


def from_object(given: Mapping[str, Any]) -> Asked:
    """What a JSON object asks. Malformed when it is not well-formed."""
    query, operation = given.get("query"), given.get("operationName")
    for name in ("variables", "extensions"):
        value = given.get(name)
        if value is not None and not isinstance(value, dict):
            raise Malformed(f'"{name}" must be an object, not {_name(value)}.')
    persisted = _persisted(given)
    if query is None and persisted is None:
        raise Malformed('There is no "query".')
    if query is not None and not isinstance(query, str):
        raise Malformed(f'"query" must be a string, not {_name(query)}.')
    if operation is not None and not isinstance(operation, str):
        raise Malformed(f'"operationName" must be a string, not {_name(operation)}.')
    return Asked(query or "", operation or None, given.get("variables"), persisted)


def _persisted(given: Mapping[str, Any]) -> str | None:
    """The hash of a document that is known by it, as Apollo's clients send it, or as `documentId`."""
    sent = (given.get("extensions") or {}).get("persistedQuery")
    found = sent.get("sha256Hash") if isinstance(sent, dict) else given.get("documentId")
    if found is not None and not isinstance(found, str):
        raise Malformed(f"The hash of a document must be a string, not {_name(found)}.")
    return found


def _name(value: object) -> str:
    """What JSON calls a value, with its article."""
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
