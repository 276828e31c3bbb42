"""The schema made from a model: typed, described, without the traps of types made at run time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)
from graphql import (
    build_schema as build_from_sdl,
)

from api.execute import build_snapshot, print_sdl
from api.schema.make import Member, argument, enum_type, field, input_field, input_type, object_type
from api.schema.names import vocabulary
from semantic.load import load_texts
from semantic.model.facts import DatasetFacts, Facts, Kind
from semantic.model.model import Model
from tests.api.shop import shop_facts, shop_model

GOLDEN = Path(__file__).parent.parent / "golden"


class NoEngine:
    """A schema is made without asking the engine anything."""


def schema_of(model: Model, facts: Facts) -> GraphQLSchema:
    return build_snapshot(model, facts, NoEngine()).schemas.default.graphql  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return schema_of(shop_model(), shop_facts())


@pytest.mark.parametrize(("locale", "name"), [(None, "schema.graphql"), ("zh-CN", "schema.zh.graphql")])
def test_golden(locale: str | None, name: str, update: bool) -> None:
    snapshot = build_snapshot(shop_model(), shop_facts(), NoEngine())  # type: ignore[arg-type]
    text = print_sdl(snapshot, locale)
    if update:
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_sdl_is_a_schema(schema: GraphQLSchema) -> None:
    snapshot = build_snapshot(shop_model(), shop_facts(), NoEngine())  # type: ignore[arg-type]
    parsed = build_from_sdl(print_sdl(snapshot))
    own = {name for name in schema.type_map if not name.startswith("__")}
    assert own <= set(parsed.type_map)
    row = parsed.type_map["Row"]
    assert isinstance(row, GraphQLObjectType)
    assert set(row.fields) == set(schema.type_map["Row"].fields)  # type: ignore[attr-defined]


def test_everything_is_described(schema: GraphQLSchema) -> None:
    bare = []
    for name, type_ in schema.type_map.items():
        if name.startswith("__"):
            continue
        parts = {name: type_.description}
        match type_:
            case GraphQLObjectType():
                for field_name, made in type_.fields.items():
                    parts[f"{name}.{field_name}"] = made.description
                    parts |= {f"{name}.{field_name}({arg}:)": made.args[arg].description for arg in made.args}
            case GraphQLInputObjectType():
                parts |= {f"{name}.{field_name}": made.description for field_name, made in type_.fields.items()}
            case GraphQLEnumType():
                parts |= {f"{name}.{value}": made.description for value, made in type_.values.items()}
        bare += [part for part, description in parts.items() if not description]
    assert bare == []


def test_scalars_follow_the_kinds_of_the_data(schema: GraphQLSchema) -> None:
    row = schema.type_map["Row"]
    assert isinstance(row, GraphQLObjectType)
    types = {name: str(made.type) for name, made in row.fields.items()}
    assert types == {
        "time": "Time",
        "channel": "String",
        "platform": "String",
        "class": "String",
        "daySeen": "Date",
        "seenAt": "Time",
        "age": "Long",
        "score": "Float",
        "isNew": "Boolean",
        "province": "String",
        "worthSegment": "String",
        "worthRisk": "String",
        "worthRScore": "Long",
        "worthFScore": "Long",
        "worthMScore": "Long",
        "worthFrequency": "Long",
        "buyerMemberLevel": "String",
        "memberLevel": "String",
        "id": "Long",
        "odd": "Float",
        "label": "String",
        "uv": "Long",
        "pv": "Long",
        "avgScore": "Float",
        "gmv": "Decimal",
        "orders": "Long",
        "worthyBuyers": "Long",
        "uvValue": "Float",
        "net": "Decimal",
        "creditedGmv": "Decimal",
        "uv7d": "Long",
        "largestId": "Long",
        "idCount": "Long",
        "oddSum": "Float",
        "viewToClick": "Float",
        "d1Retention": "Float",
    }
    assert list(row.fields["uv"].args) == ["where", "offset", "as", "rolling", "toDate"]
    assert list(row.fields["seenAt"].args) == list(row.fields["daySeen"].args) == ["grain"]
    assert list(row.fields["channel"].args) == []


def test_filters_follow_the_types_of_dimensions(schema: GraphQLSchema) -> None:
    where = schema.type_map["Where"]
    assert isinstance(where, GraphQLInputObjectType)
    types = {name: str(made.type) for name, made in where.fields.items()}
    assert types["and"] == types["or"] == "[Where!]"
    assert types["not"] == "Where"
    assert types["channel"] == "StringFilter"
    assert (types["age"], types["score"]) == ("NumberFilter", "NumberFilter")
    assert (types["daySeen"], types["seenAt"], types["isNew"]) == ("DateFilter", "TimeFilter", "BooleanFilter")


def test_enums_are_the_names_in_upper_case(schema: GraphQLSchema) -> None:
    for name, some in (
        ("Metric", {"UV", "UV_7D", "LARGEST_ID"}),
        ("Dimension", {"BUYER_MEMBER_LEVEL", "CLASS"}),
        ("Segment", {"APP_ONLY"}),
    ):
        enum = schema.type_map[name]
        assert isinstance(enum, GraphQLEnumType)
        assert some <= set(enum.values)


def test_root_fields_are_nullable_so_that_one_fails_alone(schema: GraphQLSchema) -> None:
    assert schema.query_type is not None
    types = {name: str(made.type) for name, made in schema.query_type.fields.items()}
    assert types == {
        "metrics": "Metrics",
        "funnel": "Funnel",
        "retention": "Retention",
        "paths": "Paths",
        "touchPaths": "TouchPaths",
        "scores": "Scores",
        "table": "Table",
        "dimensionValues": "[DimensionValue!]",
        "catalog": "Catalog",
        "viewer": "Viewer",
    }


BARE = """
version: 1
datasets: [{name: logs, source: logs.parquet%s}]
metrics: [{name: lines, type: simple, dataset: logs, agg: count}]
"""


def test_what_has_nothing_to_name_is_left_out() -> None:
    facts = Facts("1", {"logs": DatasetFacts("1", {"at": Kind.TIMESTAMP})})
    bare = schema_of(load_texts({"m.yml": BARE % ""}), facts)
    assert bare.query_type is not None
    assert set(bare.query_type.fields) == {"metrics", "table", "catalog", "viewer"}
    assert not {"where", "segments"} & set(bare.query_type.fields["metrics"].args)
    assert not {"dimensions", "grain"} & set(bare.query_type.fields["table"].args)
    assert {"Where", "Segment", "Dimension", "StringFilter"} & set(bare.type_map) == set()
    assert set(bare.type_map["Row"].fields) == {"lines"}  # type: ignore[attr-defined]
    timed = schema_of(load_texts({"m.yml": BARE % ", time_dimension: at"}), facts)
    assert set(timed.type_map["Row"].fields) == {"time", "lines"}  # type: ignore[attr-defined]


def test_a_model_without_metrics_has_a_catalog_and_values() -> None:
    model = replace(shop_model(), metrics={}, retentions={})
    query = schema_of(model, shop_facts()).query_type
    assert query is not None
    assert set(query.fields) == {"funnel", "paths", "touchPaths", "scores", "dimensionValues", "catalog", "viewer"}


def test_two_models_do_not_mix() -> None:
    facts = Facts("1", {"logs": DatasetFacts("1", {})})
    first = schema_of(load_texts({"m.yml": BARE % ""}), facts)
    shop = schema_of(shop_model(), shop_facts())
    again = schema_of(load_texts({"m.yml": (BARE % "").replace("lines", "rows_seen")}), facts)
    assert set(first.type_map["Row"].fields) == {"lines"}  # type: ignore[attr-defined]
    assert set(again.type_map["Row"].fields) == {"rowsSeen"}  # type: ignore[attr-defined]
    assert "uv" in shop.type_map["Row"].fields  # type: ignore[attr-defined]


def test_the_version_changes_with_the_model_and_with_the_types_of_its_data() -> None:
    model, facts = shop_model(), shop_facts()
    version = vocabulary(model, facts).version(model)
    assert vocabulary(shop_model(), shop_facts()).version(model) == version
    orders = replace(facts.datasets["orders"], columns={**facts.datasets["orders"].columns, "amount": Kind.FLOAT})
    other = replace(facts, datasets={**facts.datasets, "orders": orders})
    assert vocabulary(model, other).version(model) != version
    assert vocabulary(model, facts).version(replace(model, digest="other")) != version


def test_a_dimension_in_several_datasets_is_as_wide_as_its_widest() -> None:
    text = """
version: 1
dimensions: [{name: size, type: number}]
datasets:
  - {name: a, source: a.parquet, dimensions: [{name: size}]}
  - {name: b, source: b.parquet, dimensions: [{name: size}]}
metrics: [{name: n, type: simple, dataset: a, agg: count}]
"""
    facts = Facts("1", {"a": DatasetFacts("1", {"size": Kind.INTEGER}), "b": DatasetFacts("1", {"size": Kind.FLOAT})})
    row = schema_of(load_texts({"m.yml": text}), facts).type_map["Row"]
    assert str(get_named_type(row.fields["size"].type)) == "Float"  # type: ignore[attr-defined]


def _cell(root: None, info: object) -> None: ...


def test_two_fields_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="T has two fields named a"):
        object_type("T", [field("a", int, "", _cell), field("a", str, "", _cell)], "")
    with pytest.raises(ValueError, match="I has two fields named a"):
        input_type("I", [input_field("a", int, ""), input_field("a", str, "")], "")
    with pytest.raises(ValueError, match="same value"):
        enum_type("E", {"A": Member("a", "x"), "B": Member("a", "x")}, "")


def test_fields_share_a_resolver_and_keep_their_own_arguments() -> None:
    made = object_type(
        "T",
        [
            field("a", int, "", _cell, [argument("x", int, "")]),
            field("b", int, "", _cell, [argument("y", int | None, "")]),
            field("c", int, "", _cell),
        ],
        "",
    )
    fields = {each.graphql_name: each for each in made.__strawberry_definition__.fields}
    names = {name: [each.graphql_name for each in made_field.arguments] for name, made_field in fields.items()}
    assert names == {"a": ["x"], "b": ["y"], "c": []}
