"""The columnar executor against graphql-core's own, on generated documents over real data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from graphql.execution.middleware import MiddlewareManager
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.context import Outcome, Response
from api.execute import execute_now
from api.request import Asked
from api.resolvers.columnar import ColumnarExecutor
from api.resolvers.limits import Limits
from api.resolvers.weighed import Key
from tests.api.shop import Shop, open_shop, write_tables

KEYS = (
    "channel",
    "platform",
    "daySeen",
    "daySeen(grain: WEEK)",
    "seenAt",
    "seenAt(grain: HOUR)",
    "age",
    "score",
    "isNew",
    "time(grain: DAY)",
    "time(grain: MONTH)",
)
METRICS = (
    "uv",
    "pv",
    "avgScore",
    "uv7d",
    "gmv",
    "uvValue",
    "net",
    'uv(where: {platform: {eq: "ios"}})',
    "gmv(offset: {count: 1, unit: DAY}, as: CHANGE_RATIO)",
)
ARGUMENTS = (
    "limit: 20",
    "limit: 0",
    'where: {channel: {eq: "nothing"}}',
    'timezone: "America/New_York"',
    'where: {channel: {isNull: true}}, timeRange: {dates: {from: "2026-11-02", to: "2026-11-03"}}',
    'orderBy: [{by: "a0"}]',
    "limit: -1",
)
VARIABLES = {"yes": True, "no": False}
STEP = ("name", "label", "n: index", "count", "conversion", "stepConversion", "dropOff", "medianSeconds", "__typename")
CELL = ("period", "count", "rate", "mature", "eligible @skip(if: $yes)", "e: eligible", "__typename")
FUNNEL = (
    "steps { %s }",
    "groups { key { value d: dimension } steps { %s } __typename }",
    "periods { time mature steps { %s } }",
    "h: timeToConvert(buckets: 3) { fromSeconds toSeconds n: count }",
    "d: dropOffs(step: 1) { lastSeen entity }",
    "bad: timeToConvert(step: 9) { count }",
)
RETENTION = (
    "cohorts { time size cells { %s } }",
    "overall { %s }",
    "groups { key { value } size cells { %s } cohorts { time cells { rate } } }",
    "lifecycle { time active ... on LifecyclePeriod { new dormant } }",
)
RANGE = 'timeRange: {dates: {from: "2026-11-02", to: "2026-11-04"}}'


@dataclass
class Names:
    """Numbered aliases and fragments of one document."""

    fragments: list[str] = field(default_factory=list)
    aliases: int = 0

    def alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases - 1}"


@st.composite
def row_selections(draw: st.DrawFn, names: Names, depth: int = 0) -> str:
    """What may be written inside `rows { … }`: fields, aliases, directives, fragments of both sorts."""
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.integers(0, 9))
        directive = draw(st.sampled_from(["", "", "", "@include(if: $yes)", "@skip(if: $yes)", "@skip(if: $no)"]))
        if kind < 3:
            lines.append(f"{names.alias()}: {draw(st.sampled_from(KEYS))} {directive}")
        elif kind < 7 or depth > 2:
            lines.append(f"{names.alias()}: {draw(st.sampled_from(METRICS))} {directive}")
        elif kind == 7:
            lines.append(f"__typename {directive}")
        elif kind == 8:
            on = draw(st.sampled_from(["", "on Row"]))
            lines.append(f"... {on} {directive} {{ {draw(row_selections(names, depth + 1))} }}")
        else:
            inner = draw(row_selections(names, depth + 1))
            name = f"F{len(names.fragments)}"
            names.fragments.append(f"fragment {name} on Row {{ {inner} }}")
            lines.append(f"...{name} {directive}")
    return " ".join(lines)


@st.composite
def reports(draw: st.DrawFn) -> str:
    """A funnel or a retention, with some of its parts and some of their fields."""
    root, parts, leaves = draw(
        st.sampled_from(
            [
                ("funnel(name: CHECKOUT, breakdown: [CHANNEL, SEEN_AT], grain: HOUR, " + RANGE + ")", FUNNEL, STEP),
                ("funnel(name: CHECKOUT, breakdown: [AGE, IS_NEW], grain: DAY)", FUNNEL, STEP),
                ("retention(name: VISITORS, breakdown: [CHANNEL, DAY_SEEN], " + RANGE + ")", RETENTION, CELL),
            ]
        )
    )
    chosen = draw(st.lists(st.sampled_from(parts), min_size=1, max_size=3, unique=True))
    selected = [part.replace("%s", " ".join(draw(st.permutations(leaves))[:4])) for part in chosen]
    return f"{root} {{ {' '.join(selected)} }}"


@st.composite
def documents(draw: st.DrawFn) -> str:
    roots, names = [], Names()
    for index in range(draw(st.integers(1, 3))):
        given_arguments = draw(st.sampled_from(("", *ARGUMENTS)))
        arguments = f"({given_arguments})" if given_arguments else ""
        if draw(st.integers(0, 5)) == 0:
            roots.append(
                f"r{index}: table(metrics: [UV, AVG_SCORE, GMV], dimensions: [CHANNEL]) "
                "{ columns { key } rows totals __typename }"
            )
        elif draw(st.integers(0, 3)) == 0:
            roots.append(f"r{index}: {draw(reports())}")
        elif draw(st.integers(0, 5)) == 0:
            of = draw(st.sampled_from(["CHANNEL", "AGE", "DAY_SEEN", "SEEN_AT", "IS_NEW", "SCORE"]))
            roots.append(f"r{index}: dimensionValues(dimension: {of}, limit: 9) {{ v: value count __typename }}")
        elif draw(st.integers(0, 5)) == 0:
            fields = draw(st.permutations(["id", "odd", "label", "largestId", "oddSum", "n: idCount", "__typename"]))
            roots.append(f"r{index}: metrics {{ rows {{ {' '.join(fields)} }} totals {{ {' '.join(fields)} }} }}")
        else:
            rows = draw(row_selections(names))
            totals = draw(row_selections(names)) if draw(st.booleans()) else "uv"
            roots.append(f"r{index}: metrics{arguments} {{ __typename rows {{ uv {rows} }} totals {{ {totals} }} }}")
    body = (
        f"query Q($yes: Boolean!, $no: Boolean!) {{ __typename @include(if: $yes) @skip(if: $no) {' '.join(roots)} }}"
    )
    return "\n".join([body, *names.fragments])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("shop"))


def parsed(body: bytes) -> Any:
    """JSON with numbers as exact values; object keys in order, as pairs."""
    return json.loads(body, parse_float=Decimal, object_pairs_hook=lambda pairs: pairs)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(documents(), min_size=1, max_size=3))
def test_columnar_is_stock(files: Path, asked: list[str]) -> None:
    asyncio.run(_compare(files, asked))


async def _compare(files: Path, asked: list[str]) -> None:
    async with (
        open_shop(files, ColumnarExecutor) as columnar,
        open_shop(files, StrawberryGraphQLCoreExecutionContext) as stock,
    ):
        for document in asked:
            by_column = await columnar.ask(document, VARIABLES)
            by_cell = await stock.ask(document, VARIABLES)
            assert parsed(_without_errors(by_column.response.body)) == parsed(_without_errors(by_cell.response.body))
            assert sorted(by_column.codes) == sorted(by_cell.codes)
            assert by_column.response.outcome == by_cell.response.outcome
            planned = at_hand(columnar, document)
            if planned is not None:
                assert by_cell.response.outcome is planned.outcome is Outcome.OK
                assert parsed(planned.body) == parsed(by_cell.response.body)


def at_hand(shop: Shop, document: str, **context: Any) -> Response | None:
    """The answer of the operation's plan, which is made when it is asked for the second time."""
    asked = Asked(document, None, VARIABLES)
    found = None
    for _ in range(2):
        found = execute_now(shop.snapshot, asked, Key(asked.key), shop.snapshot.context(**context))
    return found


def _without_errors(body: bytes) -> bytes:
    """The data alone: errors come in the order in which fields happened to fail."""
    text = json.loads(body, parse_float=Decimal)
    assert "INTERNAL" not in str(text.get("errors"))
    start = body.find(b'"data":')
    return b"{" + body[start:] if start >= 0 else b"null"


@pytest_asyncio.fixture
async def shop(files: Path) -> AsyncIterator[Shop]:
    async with open_shop(files) as opened:
        yield opened


async def test_rows_are_not_completed_cell_by_cell(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise AssertionError("a cell was completed")

    monkeypatch.setattr(ColumnarExecutor, "complete_iterable_value", refuse)
    document = """{ metrics { rows { channel uv __typename } totals { uv } }
        funnel(name: CHECKOUT) { steps { name count __typename } } retention(name: VISITORS) { overall { rate } }
        table(metrics: [UV]) { rows } dimensionValues(dimension: CHANNEL) { value } }"""
    assert len((await shop.ask(document)).data["metrics"]["rows"]) == 4


async def test_a_middleware_sees_every_field(shop: Shop) -> None:
    """Whatever wants to see fields resolved (tracing, say) gets the stock path, and the same answer."""
    seen: list[str] = []

    def watch(resolve: Any, root: Any, info: Any, **arguments: Any) -> Any:
        seen.append(info.field_name)
        return resolve(root, info, **arguments)

    document = "{ metrics { rows { channel uv } } }"
    schema = shop.snapshot.schemas.default
    parsed_document = schema.check(document).document
    assert parsed_document is not None
    executor = ColumnarExecutor.build(
        schema.graphql,
        parsed_document,
        context_value=shop.snapshot.context(),
        middleware=MiddlewareManager(watch),
    )
    assert isinstance(executor, ColumnarExecutor)
    result: Any = executor.execute_operation()
    answered = await result
    assert answered.errors is None
    assert seen.count("uv") == len(answered.data["metrics"]["rows"]) == 4


PLANNED = (
    "{ metrics { rows { channel uv } } }",
    "{ __typename metrics(limit: 2) { __typename totals { __typename u: uv gmv } rows { a: channel __typename uv } } }",
    "query ($yes: Boolean!) { a: metrics { rows { uv channel @skip(if: $yes) } } b: metrics { totals { uv } } }",
    "{ metrics(limit: 2) { rows { channel uv } pageInfo { hasNextPage totalCount limit __typename } } }",
    "{ metrics { rows { time(grain: HOUR) uv } meta { dataVersion dataThrough rollup sql } } }",
    "{ metrics { totals { __typename channel } } }",
    "{ metrics { ...M } } fragment M on Metrics { rows { ...R } totals { ...R } } fragment R on Row { uv avgScore }",
)


@pytest.mark.parametrize("document", PLANNED)
async def test_plain_operations_have_plans(shop: Shop, document: str) -> None:
    stock = await shop.ask(document, VARIABLES)
    planned = at_hand(shop, document)
    assert planned is not None
    assert parsed(planned.body) == parsed(stock.response.body)
    assert planned.account == stock.response.account or not stock.response.account.cached


@pytest.mark.parametrize(
    "document",
    [
        "{ metrics { rows { nothing } } }",
        "{ metrics(limit: -1) { rows { uv } } }",
        "{ metrics { rows { uv } } catalog { version } }",
        "{ metrics { meta { warnings { code } } } }",
        "{ __schema { queryType { name } } }",
        "query A { __typename } query B { __typename }",
        "{",
    ],
)
async def test_other_operations_have_none(shop: Shop, document: str) -> None:
    await shop.ask(document, VARIABLES)
    assert at_hand(shop, document) is None


async def test_what_is_not_at_hand_is_left_to_the_executor(shop: Shop) -> None:
    document = "{ metrics(where: {age: {eq: 3}}) { rows { channel uv } meta { cached } } }"
    assert at_hand(shop, document) is None
    assert (await shop.ask(document, VARIABLES)).data["metrics"]["meta"] == {"cached": False}
    planned = at_hand(shop, document)
    assert planned is not None
    assert json.loads(planned.body)["data"]["metrics"]["meta"] == {"cached": True}
    assert planned.account.cached


async def test_a_plan_keeps_limits(shop: Shop) -> None:
    document = "{ metrics { rows { channel platform uv } } }"
    await shop.ask(document, VARIABLES)
    assert at_hand(shop, document) is not None
    limits = Limits(answer=100)
    asked = Asked(document, None, VARIABLES)
    for _ in range(3):
        context = shop.snapshot.context(limits=limits)
        assert execute_now(shop.snapshot, asked, Key(asked.key, limits), context) is None
    assert (await shop.ask(document, VARIABLES, limits=limits)).codes == ("LIMIT_EXCEEDED",)
