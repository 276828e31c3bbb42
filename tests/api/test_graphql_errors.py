"""Bad questions: each is refused with its code, a message to act on, and whose fault it is."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.context import Outcome
from engine.engine import Answer, Compile, Engine
from semantic.errors import Code, DataError, Overloaded, Timeout
from semantic.model.facts import Facts
from tests.api.shop import Shop, open_shop, write_tables

REFUSED = [
    # the document
    ("{ metrics { rows { uv }", "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>.", None),
    ("", "GRAPHQL_PARSE_FAILED", "Syntax Error: Unexpected <EOF>.", None),
    ("query { metrics }", "GRAPHQL_VALIDATION_FAILED", "Field 'metrics' of type 'Metrics' must have a selection", None),
    ("{ metric { rows { uv } } }", "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'metric'", "'metrics'"),
    ("{ metrics { rows { uvv } } }", "UNKNOWN_METRIC", "Cannot query field 'uvv' on type 'Row'.", "'uv'"),
    ("{ metrics { rows { chanel uv } } }", "UNKNOWN_METRIC", "Cannot query field 'chanel'", "'channel'"),
    ("{ metrics { rows { time uv } } }", "GRAPHQL_VALIDATION_FAILED", "Argument 'Row.time(grain:)'", None),
    ("{ metrics { rows { time(grain: DAYS) uv } } }", "GRAPHQL_VALIDATION_FAILED", "'Grain' enum", "'DAY'"),
    ("{ table(metrics: [UVV]) { rows } }", "UNKNOWN_METRIC", "Value 'UVV' does not exist in 'Metric' enum", "'UV'"),
    ("{ table(metrics: [UV], dimensions: [CHANEL]) { rows } }", "UNKNOWN_DIMENSION", "'CHANEL'", "'CHANNEL'"),
    ("{ dimensionValues(dimension: CHANEL) { value } }", "UNKNOWN_DIMENSION", "'CHANEL'", "'CHANNEL'"),
    ("{ metrics(where: {chanel: {}}) { totals { uv } } }", "UNKNOWN_DIMENSION", "'chanel'", "'channel'"),
    ("{ metrics(segments: [APP_ONL]) { totals { uv } } }", "UNKNOWN_NAME", "'APP_ONL'", "'APP_ONLY'"),
    ('{ metrics(where: {channel: "ads"}) { totals { uv } } }', "GRAPHQL_VALIDATION_FAILED", "StringFilter", None),
    ("{ metrics(where: {channel: {eq: 1}}) { totals { uv } } }", "GRAPHQL_VALIDATION_FAILED", "String", None),
    ('{ metrics(where: {age: {eq: "one"}}) { totals { uv } } }', "GRAPHQL_VALIDATION_FAILED", "Decimal", None),
    ("{ metrics(where: {channel: {in: [null]}}) { totals { uv } } }", "GRAPHQL_VALIDATION_FAILED", "null", None),
    ("{ metrics(timeRange: {}) { totals { uv } } }", "BAD_TIME_RANGE", "exactly one", None),
    (
        """{ metrics(timeRange: {last: {count: 1, unit: DAY}, dates: {from: "2026-11-01", to: "2026-11-02"}})
        { totals { uv } } }""",
        "BAD_TIME_RANGE",
        "exactly one",
        None,
    ),
    (
        '{ metrics(timeRange: {dates: {from: "2026-02-30", to: "2026-03-01"}}) { totals { uv } } }',
        "GRAPHQL_VALIDATION_FAILED",
        "there is no such day",
        None,
    ),
    ('{ metrics(timeRange: {dates: {from: "2026-11-01"}}) { totals { uv } } }', "BAD_TIME_RANGE", "'to'", None),
    ("{ metrics { rows { a: uv a: pv } } }", "GRAPHQL_VALIDATION_FAILED", "Fields 'a' conflict", None),
    ("mutation { metrics }", "GRAPHQL_VALIDATION_FAILED", "mutation", None),
    ("{ ...F }", "GRAPHQL_VALIDATION_FAILED", "Unknown fragment 'F'", None),
    ("query A { __typename } query B { __typename }", "BAD_USER_INPUT", "Must provide operation name", None),
]

FAILED = [
    # what GraphQL's types let through
    ("metrics { rows { channel } }", "NO_METRIC", "No metric is selected.", "Select at least one metric in `rows`."),
    ("metrics { rows { __typename } }", "NO_METRIC", "No metric is selected.", None),
    ("metrics(limit: -1) { rows { uv } }", "BAD_ARGUMENT", "`limit` can't be negative.", None),
    ("metrics(offset: -1) { rows { uv } }", "BAD_ARGUMENT", "`offset` can't be negative.", None),
    ("metrics(limit: 100001) { rows { uv } }", "LIMIT_EXCEEDED", "at most 100000 rows", "page by page"),
    ("metrics { pageInfo { limit } }", "BAD_ARGUMENT", "`pageInfo` is of one `rows`", "Select `rows` once"),
    ("metrics { a: rows { uv } b: rows { pv } pageInfo { limit } }", "BAD_ARGUMENT", "2 different ones", None),
    ('metrics(orderBy: [{by: "channle"}]) { rows { channel uv } }', "BAD_ARGUMENT", '"channle"', '"channel"'),
    ('metrics(orderBy: [{by: "gmv"}]) { rows { channel uv } }', "BAD_ARGUMENT", '"gmv"', "Selected are: channel, uv."),
    ('metrics(having: [{by: "pv", gt: 1}]) { rows { uv } }', "BAD_ARGUMENT", '"pv"', None),
    ('metrics(having: [{by: "uv", gt: "1"}]) { rows { uv } }', "BAD_ARGUMENT", "`having` compares `uv`", None),
    ('metrics(having: [{by: "uv", gt: true}]) { rows { uv } }', "BAD_ARGUMENT", "`having` compares `uv`", None),
    ('metrics(having: [{by: "uv", gt: null}]) { rows { uv } }', "BAD_ARGUMENT", "nothing", "Use `isNull: true`."),
    ('metrics(having: [{by: "channel", eq: 1}]) { rows { channel uv } }', "BAD_ARGUMENT", "`channel`", "quotes"),
    (
        'metrics(having: [{by: "time", eq: "soon"}]) { rows { time(grain: DAY) uv } }',
        "BAD_ARGUMENT",
        "`time`",
        'Write a day as "2026-11-30".',
    ),
    (
        'metrics(having: [{by: "time", eq: "soon"}]) { rows { time(grain: HOUR) uv } }',
        "BAD_ARGUMENT",
        "`time`",
        "Write an instant",
    ),
    ("metrics(where: {channel: {eq: null}}) { rows { uv } }", "BAD_ARGUMENT", "`channel: {eq: null}`", "isNull"),
    ("metrics(where: {age: {in: null}}) { rows { uv } }", "BAD_ARGUMENT", "`age: {in: null}`", "isNull"),
    ("metrics(where: {age: {isNull: null}}) { rows { uv } }", "BAD_ARGUMENT", "`age: {isNull: null}`", None),
    ('metrics(timezone: "Mars/Olympus") { rows { uv } }', "BAD_TIMEZONE", '"Mars/Olympus"', "Asia/Shanghai"),
    ('metrics(timezone: "") { rows { uv } }', "BAD_TIMEZONE", '""', None),
    (
        'metrics(timeRange: {dates: {from: "2026-11-02", to: "2026-11-01"}}) { rows { uv } }',
        "BAD_TIME_RANGE",
        "before it begins",
        "Swap",
    ),
    ("metrics(timeRange: {last: {count: 0, unit: DAY}}) { rows { uv } }", "BAD_TIME_RANGE", "", None),
    (
        """metrics(timeRange: {between: {start: "2026-11-01T08:00:00+08:00", end: "2026-11-01T00:00:00Z"}})
        { rows { uv } }""",
        "BAD_TIME_RANGE",
        "not after its start",
        None,
    ),
    ("metrics { rows { province uv } }", "DIMENSION_NOT_SHARED", '"uv" can\'t be split', None),
    ('metrics(where: {province: {eq: "x"}}) { rows { uv } }', "DIMENSION_NOT_SHARED", '"uv" can\'t be split', None),
    ('metrics { rows { uv(where: {province: {eq: "x"}}) } }', "DIMENSION_NOT_SHARED", '"uv" can\'t be split', None),
    ("metrics { rows { buyerMemberLevel uvValue } }", "DIMENSION_NOT_SHARED", '"uvValue" can\'t be', None),
    ("metrics { rows { province dayScore: avgScore } }", "DIMENSION_NOT_SHARED", "isNew", None),
    ("metrics(segments: [APP_ONLY]) { rows { gmv } }", "SEGMENT_NOT_SHARED", "app_only", None),
    ("metrics { rows { time(grain: DAY) idCount } }", "NO_TIME_DIMENSION", '"idCount" has no time', None),
    ("metrics { rows { uv(as: CHANGE) } }", "BAD_ARGUMENT", "compares with nothing", "`offset`"),
    ("metrics { rows { uv(rolling: {count: 0, unit: DAY}) } }", "BAD_ARGUMENT", "`rolling`", None),
    ("metrics { rows { uv(rolling: {count: 1, unit: DAY}, toDate: MONTH) } }", "BAD_ARGUMENT", "both", None),
    ("metrics(fill: true) { rows { uv } }", "BAD_ARGUMENT", "`fill` needs a time field", "time(grain"),
    ("metrics { rows { __row_count: uv } }", "BAD_ARGUMENT", "`__row_count` is taken", "another alias"),
    ("table(metrics: []) { rows }", "NO_METRIC", "No metric is selected.", None),
    ("table(metrics: [UV], limit: -5) { totals }", "BAD_ARGUMENT", "`limit` can't be negative.", None),
    ("dimensionValues(dimension: CHANNEL, limit: 0) { value }", "BAD_ARGUMENT", "`limit`", None),
    (
        'dimensionValues(dimension: PROVINCE, where: {platform: {eq: "ios"}}) { value }',
        "DIMENSION_NOT_SHARED",
        '"province"',
        None,
    ),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("shop"))


@pytest_asyncio.fixture
async def shop(files: Path) -> AsyncIterator[Shop]:
    async with open_shop(files) as opened:
        yield opened


def check(error: Any, code: str, message: str, suggestion: str | None) -> None:
    extensions = error["extensions"]
    assert (extensions["code"], extensions["fault"]) == (code, "user"), error
    assert message in error["message"]
    if suggestion is not None:
        assert suggestion in extensions["suggestion"]
    assert "Traceback" not in str(error)


@pytest.mark.parametrize(("document", "code", "message", "suggestion"), REFUSED, ids=lambda part: str(part)[:60])
async def test_refused(shop: Shop, document: str, code: str, message: str, suggestion: str | None) -> None:
    asked = await shop.ask(document)
    assert asked.response.outcome is Outcome.REFUSED
    assert "data" not in asked.body
    check(asked.errors[0], code, message, suggestion)
    if "operation name" not in message:
        assert asked.errors[0]["locations"]


@pytest.mark.parametrize(("field", "code", "message", "suggestion"), FAILED, ids=lambda part: str(part)[:60])
async def test_failed(shop: Shop, field: str, code: str, message: str, suggestion: str | None) -> None:
    asked = await shop.ask(f"{{ it: {field} neighbour: catalog {{ timezone }} }}")
    assert asked.response.outcome is Outcome.PARTIAL
    [error] = asked.errors
    check(error, code, message, suggestion)
    assert error["path"] == ["it"]
    assert error["locations"] == [{"line": 1, "column": 3}]
    assert asked.body["data"] == {"it": None, "neighbour": {"timezone": "Asia/Shanghai"}}


VARIABLES = [
    ("$limit: Int!", "metrics(limit: $limit) { totals { uv } }", {"limit": "many"}, "BAD_USER_INPUT", "Int cannot"),
    ("$limit: Int!", "metrics(limit: $limit) { totals { uv } }", {}, "BAD_USER_INPUT", "$limit"),
    ("$m: [Metric!]!", "table(metrics: $m) { rows }", {"m": ["UVV"]}, "UNKNOWN_METRIC", "'UVV'"),
    ("$d: Dimension!", "dimensionValues(dimension: $d) { value }", {"d": "X"}, "UNKNOWN_DIMENSION", "'X'"),
    ("$w: Where", "metrics(where: $w) { totals { uv } }", {"w": {"chanel": {}}}, "UNKNOWN_DIMENSION", "chanel"),
    ("$w: Where", "metrics(where: $w) { totals { uv } }", {"w": {"age": {"eq": True}}}, "BAD_USER_INPUT", "Decimal"),
    ("$t: TimeRange", "metrics(timeRange: $t) { totals { uv } }", {"t": {}}, "BAD_TIME_RANGE", "exactly one"),
    (
        "$t: TimeRange",
        "metrics(timeRange: $t) { totals { uv } }",
        {"t": {"dates": {"from": "30.11.2026", "to": "2026-12-01"}}},
        "BAD_USER_INPUT",
        "write a day as",
    ),
    (
        "$t: TimeRange",
        "metrics(timeRange: $t) { totals { uv } }",
        {"t": {"between": {"start": "yesterday", "end": "2026-12-01T00:00:00Z"}}},
        "BAD_USER_INPUT",
        "write an instant as",
    ),
]


@pytest.mark.parametrize(("declared", "field", "variables", "code", "message"), VARIABLES)
async def test_variables(
    shop: Shop, declared: str, field: str, variables: dict[str, Any], code: str, message: str
) -> None:
    asked = await shop.ask(f"query ({declared}) {{ {field} }}", variables)
    assert asked.response.outcome is Outcome.REFUSED
    check(asked.errors[0], code, message, None)


async def test_a_null_variable_for_a_list_is_left_out(shop: Shop) -> None:
    document = """query ($h: [Having!], $o: [OrderBy!], $s: [Segment!], $w: Where, $t: TimeRange, $d: [Dimension!]) {
        metrics(having: $h, orderBy: $o, segments: $s, where: $w, timeRange: $t, offset: null, fill: null)
        { rows { uv(as: null, offset: null) } }
        table(metrics: [UV], dimensions: $d) { rows } }"""
    data = (await shop.ask(document, dict.fromkeys("hoswtd"))).data
    assert data == {"metrics": {"rows": [{"uv": 7}]}, "table": {"rows": [[7]]}}


class Failing(Engine):
    """An engine whose every answer is an error: what the machine does on a bad day."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def facts(self, datasets: Sequence[str]) -> Facts:
        raise self.error

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        raise self.error

    async def close(self) -> None:
        return None


async def asked_of(shop: Shop, error: Exception, document: str) -> Any:
    from dataclasses import replace

    return await Shop(replace(shop.snapshot, engine=Failing(error))).ask(document)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("The files of events can't be read.", "Look at the server's log.", "/srv/data: gone"), "DATA_ERROR"),
        (Timeout("It took longer than 30 s."), "TIMEOUT"),
        (Overloaded("200 queries wait already."), "OVERLOADED"),
    ],
)
async def test_our_fault(shop: Shop, error: DataError, code: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "headwater.graphql"):
        asked = await asked_of(shop, error, "{ metrics { totals { uv } } }")
    [told] = asked.errors
    assert told["extensions"]["code"] == code
    assert told["extensions"]["fault"] == "ours"
    assert told["message"] == error.message
    assert "/srv" not in json.dumps(asked.body)
    assert code in caplog.text
    assert error.detail in caplog.text


async def test_what_nobody_expected_stays_on_the_server(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "headwater.graphql"):
        asked = await asked_of(shop, RuntimeError("secret /srv/path"), "{ metrics { totals { uv } } }")
    [told] = asked.errors
    assert told["extensions"]["code"] == Code.INTERNAL
    assert told["extensions"]["fault"] == "ours"
    assert "secret" not in json.dumps(asked.body)
    assert told["extensions"]["errorId"] in told["message"]
    assert told["extensions"]["errorId"] in caplog.text
    assert "secret /srv/path" in caplog.text


async def test_a_dataset_that_cannot_be_read_leaves_the_catalog_standing(shop: Shop) -> None:
    asked = await asked_of(
        shop, DataError("No files."), "{ catalog { datasets { name freshness { dataVersion } } metrics { name } } }"
    )
    assert asked.response.outcome is Outcome.PARTIAL
    assert {entry["freshness"] for entry in asked.body["data"]["catalog"]["datasets"]} == {None}
    assert asked.body["data"]["catalog"]["metrics"]
    assert asked.errors[0]["path"] == ["catalog", "datasets", 0, "freshness"]


async def test_a_document_nested_beyond_reason(shop: Shop) -> None:
    depth = 3000
    asked = await shop.ask("{ metrics(where: " + "{not: " * depth + "{}" + "}" * depth + ") { totals { uv } } }")
    assert asked.response.outcome is Outcome.REFUSED
