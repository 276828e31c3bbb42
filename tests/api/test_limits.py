"""What is too much is refused before it costs anything, with its code, the limit and the demand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from graphql import parse

from api.resolvers.limits import Limits
from api.settings import Settings
from api.shape import measure
from api.viewers.keys import FILE_NAME, new_key, write_keys
from semantic.errors import QueryError
from semantic.query.query import Viewer
from tests.api.around import around
from tests.api.shop import Shop, open_shop, write_tables
from tests.live import LiveServer
from tests.shop import make_project

WEEK = 'timeRange: {dates: {from: "2026-11-02", to: "2026-11-03"}}'


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("limits"))


@pytest.fixture
async def shop(tables: Path) -> AsyncIterator[Shop]:
    async with open_shop(tables) as opened:
        yield opened


def of(text: str) -> tuple[int, int, int, int]:
    size = measure(text, parse(text)).size
    return size.depth, size.fields, size.aliases, size.directives


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ a }", (1, 1, 0, 0)),
        ("{ a { b { c } d } e: f }", (3, 5, 1, 0)),
        ("query Q($x: Int @x) @y { a @skip(if: true) }", (1, 1, 0, 2)),
        ("{ a { ... { b: c } ... on T @include(if: true) { d } } }", (2, 3, 1, 1)),
        ("{ a { ...F ...F } } fragment F on T { b: c { d } }", (3, 5, 2, 0)),
        ("{ a } fragment F on T { b }", (1, 2, 0, 0)),
        ("{ ...F } fragment F on T { a { ...F } }", (1, 1, 0, 0)),
        ("{ ...F } fragment F on T { ...G a } fragment G on T { ...F b }", (1, 2, 0, 0)),
        ("{ ...Missing }", (0, 0, 0, 0)),
        ("type T { a: Int }", (0, 0, 0, 0)),
    ],
)
def test_a_document_is_measured_with_its_fragments(text: str, expected: tuple[int, ...]) -> None:
    assert of(text) == expected


def test_fragments_that_multiply_are_counted_and_not_walked() -> None:
    chain = "".join(f"fragment F{n} on T {{ a {{ ...F{n + 1} }} b {{ ...F{n + 1} }} }} " for n in range(60))
    depth, fields, _, _ = of(f"{{ ...F0 }} {chain} fragment F60 on T {{ c }}")
    assert (depth, fields) == (61, 2**61 - 2 + 2**60)


def nested(levels: int) -> str:
    return "{ __schema { types { " + "ofType { " * levels + "name " + "} " * levels + "} } }"


TOO_LARGE = [
    (Limits(document=30), "{ metrics { totals { gmv pv uv } } }", "it has 36 characters, but at most 30"),
    (Limits(tokens=8), "{ metrics { totals { gmv } } }", "more than 8 tokens, but at most 8"),
    (Limits(depth=5), nested(4), "it has 7 levels of fields, but at most 5"),
    (Limits(fields=3), "{ metrics { totals { gmv pv } } }", "it has 4 fields, but at most 3"),
    (Limits(aliases=1), "{ a: __typename b: __typename }", "it has 2 aliases, but at most 1"),
    (Limits(directives=1), "{ a: __typename @skip(if: true) b: __typename @no }", "it has 2 directives, but at most 1"),
    (Limits(), "{ __typename @a @a @a @a @a }", "There are 5 directives at one place"),
]


@pytest.mark.parametrize(("limits", "document", "said"), TOO_LARGE, ids=lambda value: str(value)[:40])
async def test_a_document_that_is_too_large(shop: Shop, limits: Limits, document: str, said: str) -> None:
    for _ in range(2):
        asked = await shop.ask(document, limits=limits)
        assert asked.codes == ("LIMIT_EXCEEDED",)
        assert said in asked.errors[0]["message"]
        assert "data" not in asked.body
    without = Limits(document=0, tokens=0, depth=0, fields=0, aliases=0, directives=0)
    if "@a" not in document:
        assert "LIMIT_EXCEEDED" not in (await shop.ask(document, limits=without)).codes
        assert (await shop.ask(document, limits=limits)).codes == ("LIMIT_EXCEEDED",)  # also now that it is known


async def test_what_was_refused_is_not_remembered(shop: Shop) -> None:
    remembered = shop.snapshot.schemas.default._documents
    await shop.ask("{ a: __typename }", limits=Limits(aliases=1))
    before = list(remembered)
    await shop.ask("{ a: __typename b: __typename }", limits=Limits(aliases=1))
    await shop.ask("{ a: __typename b: __typename }", limits=Limits(tokens=2))
    await shop.ask("{ a: __typename b: __typename }", limits=Limits(document=2))
    assert list(remembered) == before != []


async def test_a_document_as_deep_as_one_likes(shop: Shop) -> None:
    asked = await shop.ask("{ a " * 5000 + "} " * 5000, limits=Limits(document=0, tokens=0, depth=0, fields=0))
    assert "nested too deeply" in asked.errors[0]["message"]


# --- what a question costs ------------------------------------------------------------------------------------------


async def test_what_would_read_too_much_is_not_run(shop: Shop) -> None:
    noting, engine = around(shop)
    everything = "{ metrics { totals { uv } } }"
    refused = await noting.ask(everything, limits=Limits(scan=299))
    assert refused.codes == ("LIMIT_EXCEEDED",)
    assert "About 300 rows would have to be read for this request, but at most 299" in refused.errors[0]["message"]
    assert engine.asked == []
    assert (await noting.ask(everything, limits=Limits(scan=300))).data


async def test_a_time_range_makes_a_question_cheaper(shop: Shop) -> None:
    part = f"{{ metrics({WEEK}) {{ totals {{ uv }} }} }}"
    refused = await shop.ask(part, limits=Limits(scan=10))
    (found,) = re.findall(r"About (\d+) rows", refused.errors[0]["message"])
    assert 50 < int(found) < 110  # a page view every 37 minutes: 78 in two days
    assert (await shop.ask(part, limits=Limits(scan=int(found)))).data


async def test_all_of_a_request_counts_together(shop: Shop) -> None:
    two = '{ a: metrics { totals { uv } } b: metrics(where: {channel: {eq: "ads"}}) { totals { pv } } }'
    assert (await shop.ask(two, limits=Limits(scan=600))).data
    asked = await shop.ask(two, limits=Limits(scan=599))
    assert asked.codes == ("LIMIT_EXCEEDED",)
    assert asked.body["data"]["a"] == {"totals": {"uv": 7}}
    assert asked.body["data"]["b"] is None


async def test_an_answer_that_is_too_large(shop: Shop) -> None:
    document = "{ metrics { rows { channel platform class age pv } } }"
    asked = await shop.ask(document, limits=Limits(answer=500))
    assert asked.codes == ("LIMIT_EXCEEDED",)
    assert re.search(r"too large: [\d,]+ bytes so far, but at most 500 are served", asked.errors[0]["message"])
    assert (await shop.ask(document, limits=Limits(answer=0))).data


async def test_a_deadline_of_one_viewer(shop: Shop) -> None:
    slow, engine = around(shop, before=5.0)
    asked = await slow.ask("{ metrics { totals { gmv } } }", limits=Limits(deadline=0.05))
    assert asked.codes == ("TIMEOUT",)
    assert "after 0.05 s, the limit" in asked.errors[0]["message"]
    assert (engine.stopped, engine.running) == (1, 0)


async def test_claims_take_the_place_of_limits(shop: Shop) -> None:
    viewer = Viewer("trial", (("limit_rows", "2"), ("limit_scan", 299), ("limit_unheard_of", "x"), ("region", "x")))
    assert Limits().of(viewer) == Limits(rows=2, scan=299)
    asked = await shop.ask("{ metrics { totals { uv } } }", viewer=viewer)
    assert asked.codes == ("LIMIT_EXCEEDED",)
    asked = await shop.ask("{ metrics(limit: 3) { rows { channel gmv } } }", viewer=viewer)
    assert "`limit` is 3, but at most 2 rows" in asked.errors[0]["message"]
    generous = Viewer("us", (("limit_rows", 0), ("limit_deadline", "2.5")))
    assert Limits().of(generous) == Limits(rows=0, deadline=2.5)
    assert (await shop.ask("{ metrics(limit: 200000) { rows { channel gmv } } }", viewer=generous)).data


@pytest.mark.parametrize("value", ["many", "-1", "1.5", "inf", (1, 2), None, True])
def test_a_claim_that_is_no_limit(value: object) -> None:
    viewer = Viewer("x", (("limit_rows", value),))  # type: ignore[arg-type]
    with pytest.raises(QueryError, match='Your claim "limit_rows" is not a limit'):
        Limits().of(viewer)


async def test_a_row_of_too_many_fields(shop: Shop) -> None:
    fields = " ".join(f"m{number}: pv(where: {{age: {{eq: {number}}}}})" for number in range(301))
    asked = await shop.ask(f"{{ metrics {{ totals {{ {fields} }} }} }}")
    assert asked.codes == ("LIMIT_EXCEEDED",)
    assert "A row has 301 fields here, but at most 300" in asked.errors[0]["message"]


async def test_a_statement_that_is_too_long(shop: Shop) -> None:
    window = "rolling: {count: %d, unit: DAY}"
    fields = " ".join(f"m{number}: uv({window % (number + 1)})" for number in range(200))
    asked = await shop.ask(f"{{ metrics {{ rows {{ time(grain: DAY) {fields} }} }} }}")
    assert asked.codes == ("LIMIT_EXCEEDED",)
    assert re.search(r"its statement has [\d,]{7} characters, but the limit is 500,000", asked.errors[0]["message"])


async def test_others_are_answered_while_a_large_question_is_compiled(shop: Shop) -> None:
    fields = " ".join(f"m{number}: uv(rolling: {{count: {number + 1}, unit: DAY}})" for number in range(120))
    large = asyncio.ensure_future(shop.ask(f"{{ metrics {{ rows {{ time(grain: DAY) {fields} }} }} }}"))
    turns = 0
    while not shop.snapshot.compiler._known and not large.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
    assert (await large).data


def test_a_key_s_claims_are_its_limits(live: LiveServer, tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    trial_claims = {"limit_rows": 1, "limit_rate": 0.01, "limit_burst": 2}
    keys = [new_key("trial", trial_claims), new_key("odd", {"limit_rows": "x"})]
    write_keys(folder / FILE_NAME, tuple(record for _, record in keys))
    trial, odd = (f"Bearer {text}" for text, _ in keys)
    with live.serving(Settings(model=folder, reload=False)):
        (error,) = live.ask("{ metrics(limit: 2) { rows { channel gmv } } }", authorization=trial).json["errors"]
        assert error["message"] == "`limit` is 2, but at most 1 rows are served at once."
        assert live.ask("{ metrics(limit: 1) { rows { channel gmv } } }", authorization=trial).status == 200
        assert live.ask("{ metrics(limit: 1) { rows { channel gmv } } }", authorization=trial).status == 429
        reply = live.ask("{ __typename }", authorization=odd)
        assert (reply.status, reply.json["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
        assert 'Your claim "limit_rows" is not a limit' in reply.json["errors"][0]["message"]
