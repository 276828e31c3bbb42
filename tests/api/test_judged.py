"""The judge of responses finds what is wrong with them."""

from __future__ import annotations

import json

import pytest
from graphql import build_schema

from tests.api.judged import misfits

SCHEMA = build_schema("""
    scalar Date scalar Time scalar Long scalar Decimal scalar Value
    enum Grain { DAY }
    type Row { day: Date, time: Time, count: Long!, gmv: Decimal, grain: Grain, cells: [[Value]!]! }
    type Query { rows: [Row!], row: Row }
""")
ROW = {
    "day": "2026-11-01",
    "time": "2026-11-01T00:00:00+08:00",
    "count": 1,
    "gmv": 0.5,
    "grain": "DAY",
    "cells": [["a", 1]],
}
DOCUMENT = "{ row { day time count gmv grain cells } }"
REFUSED = {"message": "No.", "path": ["row"], "extensions": {"code": "BAD_ARGUMENT", "fault": "user"}}


def found(body: bytes | object, status: int = 200, content_type: str = "application/json; charset=utf-8") -> list[str]:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(misfits(SCHEMA, DOCUMENT, status, content_type, written))


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"row": ROW}},
        {"data": {"row": ROW | {"gmv": None, "time": "2026-11-01", "cells": []}}},
        {"errors": [REFUSED], "data": {"row": None}},
        {"errors": [REFUSED]},
    ],
)
def test_what_is_right(body: object) -> None:
    assert found(body) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"count": None}, "data.row.count is null"),
        ({"count": 2**63}, "which is no Long"),
        ({"count": True}, "which is no Long"),
        ({"count": "1"}, "which is no Long"),
        ({"gmv": "0.5"}, "which is no Decimal"),
        ({"day": "2026-11-01T00:00:00Z"}, "which is no Date"),
        ({"time": "2026-11-01T00:00:00"}, "which is no Time"),
        ({"day": 7}, "which is no Date"),
        ({"grain": "day"}, "which is no Grain"),
        ({"cells": [None]}, "data.row.cells[0] is null"),
        ({"cells": {}}, "data.row.cells is no list"),
        ({"more": 1}, "data.row does not have just what was selected"),
    ],
)
def test_data_that_the_schema_does_not_say(changed: dict[str, object], told: str) -> None:
    assert any(told in text for text in found({"data": {"row": ROW | changed}}))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not JSON"),
        (b'{"data": {"row": NaN}}', "NaN is no number of JSON"),
        ([], "no response"),
        ({"data": {"row": ROW}, "more": 1}, "no response"),
        ({"errors": []}, "`errors` is empty"),
        ({"errors": [REFUSED], "data": {"row": ROW}}, "the errors are of ['row']"),
        ({"data": {"row": None}}, "['row'] are null"),
        ({"errors": [REFUSED | {"message": ""}]}, "says nothing"),
        ({"errors": [{"message": "No."}]}, "None, a fault of None"),
        ({"errors": [REFUSED | {"extensions": {"code": "INTERNAL", "fault": "ours"}}]}, "INTERNAL, a fault of ours"),
        ({"errors": [REFUSED | {"extensions": {"code": "TIMEOUT", "fault": "user"}}]}, "TIMEOUT"),
        ({"errors": [REFUSED | {"extensions": {"code": "NEW", "fault": "user"}}]}, "NEW"),
    ],
)
def test_responses_that_are_none(body: bytes | object, told: str) -> None:
    assert any(told in text for text in found(body))


def test_the_frame_of_a_response() -> None:
    right = {"data": {"row": ROW}}
    assert found(right, status=500) == ["the status is 500"]
    assert found(right, content_type="text/html") == ["the content type is text/html"]
