"""Exceptions → GraphQL errors: whose fault, a stable code, a suggestion; nothing of ours leaks.

extensions: {code, fault: "user" | "ours", suggestion?, errorId?}
"""

from __future__ import annotations

import logging
import re
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from semantic.errors import Code, HeadwaterError, OurError

log = logging.getLogger("headwater.graphql")


class RequestCode(StrEnum):
    """Codes of errors in the document itself, as GraphQL servers name them; the rest are `semantic.errors.Code`."""

    PARSE = "GRAPHQL_PARSE_FAILED"
    VALIDATION = "GRAPHQL_VALIDATION_FAILED"
    INPUT = "BAD_USER_INPUT"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A message of graphql-core that is about a name of the model, and the code of that."""

    pattern: re.Pattern[str]
    code: Code


_NAMED = (
    _Rule(re.compile(r"Cannot query field '\w+' on type 'Row'"), Code.UNKNOWN_METRIC),
    _Rule(re.compile(r"Value '\w+' does not exist in 'Metric' enum"), Code.UNKNOWN_METRIC),
    _Rule(re.compile(r"Value '\w+' does not exist in 'Dimension' enum"), Code.UNKNOWN_DIMENSION),
    _Rule(re.compile(r"type 'Where' not to include unknown field"), Code.UNKNOWN_DIMENSION),
    _Rule(re.compile(r"does not exist in '(Segment|FunnelName|RetentionName|Dataset|Entity)' enum"), Code.UNKNOWN_NAME),
    _Rule(re.compile(r"'(TimeRange|DateRange|InstantRange|LastPeriods)'"), Code.BAD_TIME_RANGE),
)
_HINT = re.compile(r"Did you mean .+?\?")


def format_error(
    error: GraphQLError, otherwise: RequestCode = RequestCode.INPUT, discreet: bool = False
) -> dict[str, Any]:
    """An error as the response has it. `otherwise`: the code of a request error about no name of the model.

    `discreet`: without the names that were probably meant.
    """
    message, extensions = _told(error, otherwise)
    if discreet:
        message = _HINT.sub("", message).strip()
        if _HINT.search(extensions.get("suggestion", "")):
            del extensions["suggestion"]
    found: dict[str, Any] = {"message": message}
    if error.locations:
        found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        found["path"] = error.path
    found["extensions"] = extensions
    return found


def _told(error: GraphQLError, otherwise: RequestCode) -> tuple[str, dict[str, Any]]:
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    match original:
        case OurError():
            log.warning("%s at %s: %s %s", original.code, error.path, original.message, original.detail)
            return original.message, _extensions(original.code, "ours", original.suggestion)
        case HeadwaterError():
            return original.message, _extensions(original.code, "user", original.suggestion)
        case None | GraphQLError():
            return error.message, _of_request(error, otherwise)
        case _:
            return _internal(error, original)


def _of_request(error: GraphQLError, otherwise: RequestCode) -> dict[str, Any]:
    if isinstance(error, GraphQLSyntaxError):
        return _extensions(RequestCode.PARSE, "user", None)
    named = next((rule.code for rule in _NAMED if rule.pattern.search(error.message)), None)
    hint = _HINT.search(error.message)
    return _extensions(named or otherwise, "user", hint[0] if hint else None)


def _internal(error: GraphQLError, original: Exception) -> tuple[str, dict[str, Any]]:
    """What we did not expect: the server's log knows it by an id, the client learns only that."""
    error_id = uuid.uuid4().hex[:12]
    log.error("%s at %s", error_id, error.path, exc_info=original)
    extensions = _extensions(Code.INTERNAL, "ours", None)
    return f"Something went wrong on our side. The server's log knows it as {error_id}.", {
        **extensions,
        "errorId": error_id,
    }


def _extensions(code: StrEnum, fault: str, suggestion: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"code": code.value, "fault": fault}
    if suggestion is not None:
        found["suggestion"] = suggestion
    return found
