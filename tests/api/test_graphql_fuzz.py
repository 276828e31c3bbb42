"""Documents made at random from the schema, most of them nonsense: answered, or refused with a reason; never a bug."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import queries

from api.context import Outcome
from api.execute import RESOLVERS
from api.resolvers.columnar import ColumnarExecutor
from api.resolvers.limits import Limits
from api.resolvers.selection import Info
from api.schema.build import build_schema
from api.schema.names import vocabulary
from tests.api.judged import REASONS
from tests.api.shop import Shop, open_shop, shop_facts, shop_model, write_tables
from tests.strategies.scalars import SCALARS

LIMITS = Limits(rows=1000, scan=10_000)

SCHEMA = build_schema(vocabulary(shop_model(), shop_facts()), RESOLVERS, None, Info, ColumnarExecutor).as_str()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(loop: asyncio.AbstractEventLoop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root: Path = write_tables(tmp_path_factory.mktemp("fuzz"))
    stack = AsyncExitStack()
    yield loop.run_until_complete(stack.enter_async_context(open_shop(root)))
    loop.run_until_complete(stack.aclose())


@pytest.mark.parametrize("field", ["metrics", "table", "funnel", "retention", "dimensionValues", "catalog"])
@given(data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_document_is_answered_or_refused_with_a_reason(
    field: str, shop: Shop, loop: asyncio.AbstractEventLoop, data: st.DataObject
) -> None:
    document = data.draw(queries(SCHEMA, fields=[field], custom_scalars=SCALARS))
    assert isinstance(document, str)
    asked = loop.run_until_complete(shop.ask(document, limits=LIMITS))
    assert set(asked.codes) <= REASONS, (document, asked.body)
    assert asked.response.outcome is not Outcome.OK or "errors" not in asked.body
    for error in asked.body.get("errors", ()):
        assert error["message"]
        assert error["extensions"]["fault"] == "user" or error["extensions"]["code"] in ("TIMEOUT", "OVERLOADED")
