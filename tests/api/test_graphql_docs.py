"""The examples of docs/graphql.md run, and its tables are whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLScalarType, specified_scalar_types

from api.errors import RequestCode
from tests.api.shop import open_shop, write_tables

TEXT = (Path(__file__).parents[2] / "docs" / "graphql.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```graphql\n(.*?)```(?:\n+```json\n(.*?)```)?", TEXT, re.DOTALL)


@pytest.mark.parametrize(("document", "variables"), EXAMPLES)
async def test_examples_run(document: str, variables: str, tmp_path: Path) -> None:
    async with open_shop(write_tables(tmp_path)) as shop:
        data = (await shop.ask(document, json.loads(variables or "{}"))).data
    assert all(data.values())


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == TEXT.count("```graphql") >= 6


async def test_tables_are_whole(tmp_path: Path) -> None:
    async with open_shop(write_tables(tmp_path)) as shop:
        schema = shop.snapshot.schemas.default.graphql
    query, row, meta = schema.query_type, schema.type_map["Row"], schema.type_map["Meta"]
    where = schema.type_map["StringFilter"]
    assert isinstance(query, GraphQLObjectType)
    assert isinstance(row, GraphQLObjectType)
    assert isinstance(meta, GraphQLObjectType)
    assert isinstance(where, GraphQLInputObjectType)
    own = [
        name
        for name, made in schema.type_map.items()
        if isinstance(made, GraphQLScalarType) and name not in specified_scalar_types
    ]
    names = [*query.fields, *query.fields["metrics"].args, *row.fields["uv"].args, *meta.fields, *where.fields]
    codes = [code.value for code in RequestCode]
    assert [name for name in (*names, *own, *codes) if not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", TEXT)] == []
