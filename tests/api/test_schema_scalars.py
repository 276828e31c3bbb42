"""Scalars in and out, as literals and as variables."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, parse_const_value

from api.execute import encode_json
from api.schema.scalars import SCALARS, Day, Instant, Long, Number, Period, Plain

CHINA = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("scalar", "literal", "value"),
    [
        (Long, "9223372036854775807", 2**63 - 1),
        (Long, "-9223372036854775808", -(2**63)),
        (Number, "1", Decimal(1)),
        (Number, "12345678901234567890.123456789", Decimal("12345678901234567890.123456789")),
        (Number, '"0.1"', Decimal("0.1")),
        (Number, "1e3", Decimal(1000)),
        (Day, '"2026-02-28"', date(2026, 2, 28)),
        (Instant, '"2026-11-30T08:00:00+08:00"', datetime(2026, 11, 30, 8, tzinfo=CHINA)),
        (Instant, '"2026-11-30t08:00:00z"', datetime(2026, 11, 30, 8, tzinfo=UTC)),
        (Instant, '"2026-11-30T08:00:00.250Z"', datetime(2026, 11, 30, 8, 0, 0, 250_000, tzinfo=UTC)),
        (Instant, '"2026-11-30 08:00"', datetime(2026, 11, 30, 8)),
        (Period, '"2026-11-30"', date(2026, 11, 30)),
        (Period, '"2026-11-30T08:00:00Z"', datetime(2026, 11, 30, 8, tzinfo=UTC)),
        (Plain, '"text"', "text"),
        (Plain, "0.1", Decimal("0.1")),
        (Plain, "true", True),
    ],
)
def test_literals(scalar: Any, literal: str, value: object) -> None:
    definition = SCALARS[scalar]
    assert definition.parse_literal is not None
    found = definition.parse_literal(parse_const_value(literal), None)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("scalar", "given"),
    [
        (Long, 2**63),
        (Long, 1.0),
        (Long, "1"),
        (Long, True),
        (Number, "many"),
        (Number, "NaN"),
        (Number, math.inf),
        (Number, False),
        (Number, None),
        (Day, "2026-02-30"),
        (Day, "2026-2-3"),
        (Day, "20260203"),
        (Day, "2026-02-03T00:00:00"),
        (Day, 20260203),
        (Instant, "2026-11-30"),
        (Instant, "yesterday"),
        (Instant, "2026-11-30T25:00:00Z"),
        (Instant, "2026-11-30T08:00:00+8"),
        (Instant, 0),
        (Plain, math.nan),
        (Plain, []),
        (Plain, {}),
        (Plain, None),
    ],
)
def test_what_is_refused(scalar: Any, given: object) -> None:
    definition = SCALARS[scalar]
    assert definition.parse_value is not None
    with pytest.raises(GraphQLError):
        definition.parse_value(given)


@pytest.mark.parametrize("literal", ["[1]", "{a: 1}", "null", "ENUM"])
@pytest.mark.parametrize("scalar", list(SCALARS))
def test_literals_that_are_no_single_value(scalar: Any, literal: str) -> None:
    definition = SCALARS[scalar]
    assert definition.parse_literal is not None
    with pytest.raises(GraphQLError) as caught:
        definition.parse_literal(parse_const_value(literal), None)
    assert caught.value.nodes


@pytest.mark.parametrize(
    ("scalar", "value", "written"),
    [
        (Long, 2**63 - 1, b"9223372036854775807"),
        (Long, 0.25, b"0.25"),
        (Number, Decimal("12345678901234567890.10"), b"12345678901234567890.10"),
        (Number, Decimal("1E+3"), b"1000"),
        (Number, Decimal("1E-9"), b"0.000000001"),
        (Day, date(2026, 1, 2), b'"2026-01-02"'),
        (Instant, datetime(2026, 1, 2, 3, tzinfo=CHINA), b'"2026-01-02T03:00:00+08:00"'),
        (Period, date(2026, 1, 2), b'"2026-01-02"'),
        (Plain, date(2026, 1, 2), b'"2026-01-02"'),
        (Plain, Decimal("0.10"), b"0.10"),
        (Plain, "渠道", '"渠道"'.encode()),
        (Plain, True, b"true"),
    ],
)
def test_written(scalar: Any, value: object, written: bytes) -> None:
    definition = SCALARS[scalar]
    assert definition.serialize is not None
    assert encode_json(definition.serialize(value)) == written


@pytest.mark.parametrize(
    ("scalar", "value"),
    [(Long, "1"), (Long, True), (Long, math.nan), (Number, math.inf), (Day, 1), (Instant, 1.5), (Period, True)],
)
def test_what_is_not_written(scalar: Any, value: object) -> None:
    definition = SCALARS[scalar]
    assert definition.serialize is not None
    with pytest.raises(TypeError):
        definition.serialize(value)


def test_json_takes_nothing_it_does_not_know() -> None:
    with pytest.raises(TypeError):
        encode_json({"a": object()})
