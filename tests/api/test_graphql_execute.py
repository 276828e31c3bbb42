"""Around the answer: what is remembered, what runs side by side, and that one answer is of one version of the data."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from api.context import Outcome
from api.execute import execute
from api.operations import KNOWN_DOCUMENTS
from api.resolvers.answers import data_version, together
from semantic.compile import datasets_needed
from semantic.model.facts import DatasetFacts, Facts
from semantic.query.query import ANONYMOUS, MetricField, MetricQuery
from tests.api.around import around
from tests.api.shop import Shop, open_shop, write_tables


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return write_tables(tmp_path)


@pytest_asyncio.fixture
async def shop(files: Path) -> AsyncIterator[Shop]:
    async with open_shop(files) as opened:
        yield opened


async def test_a_document_is_parsed_and_validated_once(shop: Shop) -> None:
    schema = shop.snapshot.schemas.default
    document = "{ metrics { totals { uv } } }"
    first = schema.check(document)
    await shop.ask(document)
    assert schema.check(document) is first
    wrong = schema.check("{ nothing }")
    assert schema.check("{ nothing }") is wrong
    for index in range(40):
        schema.check(f"{{ a{index}: __typename }} # {'x' * 20_000}")
    assert KNOWN_DOCUMENTS * 0.9 < schema._documents.weight <= KNOWN_DOCUMENTS
    assert schema.check(document) is not first


async def test_a_question_is_compiled_once_for_each_version_of_the_data(shop: Shop, files: Path) -> None:
    compiler = shop.snapshot.compiler
    document = "{ metrics { totals { uv } } }"
    await shop.ask(document)
    [(question, scope, version)] = {key[:3] for key in compiler._known}
    facts = await shop.snapshot.engine.facts(datasets_needed(shop.snapshot.model, question))
    assert scope == ()
    assert version == facts.version
    known = compiler.compile(question, facts, ANONYMOUS)
    await shop.ask(document)
    assert compiler.compile(question, facts, ANONYMOUS) is known
    assert compiler.compile(question, replace(facts, version="other"), ANONYMOUS) is not known
    assert compiler.compile(question, replace(facts, learned=facts.learned + 1), ANONYMOUS) is not known


async def test_rows_totals_and_root_fields_run_side_by_side(shop: Shop) -> None:
    slow, engine = around(shop, before=0.05)
    started = time.perf_counter()
    await slow.ask("{ a: metrics { rows { channel uv } totals { uv } } b: metrics { totals { pv } } }")
    assert engine.most == 3
    assert time.perf_counter() - started < 3 * 0.05 + 1


async def test_the_same_question_is_asked_once_in_a_field(shop: Shop) -> None:
    watched, engine = around(shop)
    await watched.ask("{ metrics { a: rows { channel uv } b: rows { channel uv } x: totals { uv } y: totals { uv } } }")
    assert len(engine.asked) == 2


async def test_cancelling_stops_what_runs(shop: Shop) -> None:
    slow, engine = around(shop, before=30)
    document = "{ metrics { rows { channel uv } totals { uv } } }"
    task = asyncio.create_task(execute(slow.snapshot, document, None, None, slow.snapshot.context()))
    await asyncio.sleep(0.1)
    assert engine.running == 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (engine.running, engine.stopped) == (0, 2)


async def test_a_failure_stops_its_siblings_in_the_field(shop: Shop) -> None:
    slow, engine = around(shop, before=30)

    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("first")

    async def wait() -> None:
        await slow.ask("{ metrics { totals { uv } } }")

    with pytest.raises(ValueError, match="first"):
        await together([wait(), fail()])
    assert engine.stopped == 1


async def test_an_answer_is_of_one_version_of_the_data(shop: Shop, files: Path) -> None:
    """The file is swapped between the statement for rows and the one for totals: both are asked anew."""
    swapping, engine = around(shop, swaps=[files / "data" / "events.parquet"], gate=asyncio.Semaphore(1))
    asked = await swapping.ask("{ metrics { rows { channel uv } totals { uv } meta { dataVersion } } }")
    needed = datasets_needed(shop.snapshot.model, MetricQuery((MetricField("uv", "uv"),)))
    facts = await shop.snapshot.engine.facts(needed)
    assert asked.data["metrics"]["meta"]["dataVersion"] == facts.version
    assert len(engine.asked) == 4


async def test_data_that_never_stands_still_is_an_error(shop: Shop, files: Path) -> None:
    path = files / "data" / "events.parquet"
    swapping, _ = around(shop, swaps=[path] * 10, gate=asyncio.Semaphore(1))
    asked = await swapping.ask("{ metrics { rows { channel uv } totals { uv } } }")
    assert asked.response.outcome is Outcome.PARTIAL
    assert asked.codes == ("DATA_ERROR",)


def test_the_version_of_several_datasets() -> None:
    first = Facts("a", {"x": DatasetFacts("1", {})})
    both = Facts("ab", {"x": DatasetFacts("1", {}), "y": DatasetFacts("2", {})})
    other = Facts("b", {"y": DatasetFacts("3", {})})
    assert data_version([first, first]) == "a"
    assert data_version([first, both]) == data_version([both, first])
    assert data_version([first, both]) != data_version([first, other])


async def test_responses_say_what_became_of_them(shop: Shop) -> None:
    ok = await shop.ask("query { __typename }")
    assert (ok.response.outcome, ok.response.operation, ok.response.codes) == (Outcome.OK, "query", ())
    refused = await shop.ask("{ nothing }")
    assert (refused.response.outcome, refused.response.operation) == (Outcome.REFUSED, None)
    partial = await shop.ask("{ metrics(limit: -1) { totals { uv } } }")
    assert (partial.response.outcome, partial.response.codes) == (Outcome.PARTIAL, ("BAD_ARGUMENT",))
    subscription = await shop.ask("subscription { metrics { totals { uv } } }")
    assert subscription.response.outcome is Outcome.REFUSED


async def test_a_replaced_model_is_forgotten(files: Path) -> None:
    async with open_shop(files) as opened:
        for document in (
            "{ metrics { rows { channel uv } } catalog { metrics { name } } }",
            "{ __schema { types { name } } }",
        ):
            assert (await opened.ask(document, locale="zh")).data
        schemas = weakref.ref(opened.snapshot.schemas)
        graphql = weakref.ref(opened.snapshot.schemas.default.graphql)
        del opened
    gc.collect()
    assert (schemas(), graphql()) == (None, None)
