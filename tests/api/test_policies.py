"""Policies over a real socket, with real keys: what is hidden is nowhere, and what is refused says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_client_schema, get_introspection_query, get_named_type, is_object_type

from api.settings import Settings
from api.viewers.keys import new_key, write_keys
from tests.api.shop import MODEL, write_tables
from tests.live import LiveServer, Reply
from tests.pages import DOCS as PAGES
from tests.pages import blocks
from tests.shop import make_project

POLICIES = """
policies:
  - {name: money, hide: [gmv, province, class], unless: role = 'chief'}
  - {name: people, dataset: events, entities: false, unless: "role in ('chief', 'clerk')"}
  - {name: no_sql, sql: false, unless: "role in ('chief', 'clerk')"}
"""
HIDDEN = ("gmv", "province", "class")
KEYS: Mapping[str, Mapping[str, Any]] = {"chief": {"role": "chief"}, "clerk": {"role": "clerk"}, "guest": {}}


@dataclass(frozen=True, slots=True)
class Doors:
    """A served shop, and a key for each viewer."""

    live: LiveServer
    keys: Mapping[str, str]

    def ask(self, viewer: str, query: str, **headers: str) -> Reply:
        return self.live.ask(query, x_api_key=self.keys[viewer], **headers)

    def get(self, viewer: str, path: str) -> Reply:
        return self.live.get(path, x_api_key=self.keys[viewer])

    def data(self, viewer: str, query: str) -> Any:
        reply = self.ask(viewer, query)
        assert "errors" not in reply.json, reply.json
        return reply.json["data"]

    def errors(self, viewer: str, query: str) -> list[tuple[str, str]]:
        """Code, and everything that is said."""
        errors = self.ask(viewer, query).json["errors"]
        return [(error["extensions"]["code"], json.dumps(error, ensure_ascii=False)) for error in errors]


@pytest.fixture(scope="module")
def doors(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    root = write_tables(tmp_path_factory.mktemp("policies"))
    folder = root / "model"
    folder.mkdir()
    (folder / "shop.yml").write_text(MODEL + POLICIES, encoding="utf-8")
    made = {name: new_key(name, claims) for name, claims in KEYS.items()}
    write_keys(folder / "headwater.keys.json", tuple(record for _, record in made.values()))
    with live.serving(Settings(model=folder, reload=False, show_sql=True)):
        yield Doors(live, {name: key for name, (key, _) in made.items()})


def everything(schema: GraphQLSchema, of: str, deep: int = 3) -> str:
    """A selection of all fields of a type, and of those below them."""
    found = []
    for name, field in schema.type_map[of].fields.items():  # type: ignore[attr-defined]
        below = get_named_type(field.type)
        if not is_object_type(below):
            found.append(name)
        elif deep:
            found.append(f"{name} {everything(schema, below.name, deep - 1)}")
    return f"{{ {' '.join(found)} }}"


def words(text: str) -> set[str]:
    """Every name in a text, in small letters."""
    return {word.lower() for word in "".join(char if char.isalnum() or char == "_" else " " for char in text).split()}


@pytest.mark.parametrize("viewer", ["clerk", "guest"])
def test_what_is_hidden_is_nowhere(doors: Doors, viewer: str) -> None:
    schema = build_client_schema(doors.data(viewer, get_introspection_query()))
    shown = {
        "sdl": doors.get(viewer, "/schema.graphql").body.decode(),
        "openapi": doors.get(viewer, "/openapi.json").body.decode(),
        "example": doors.get(viewer, "/graphql/example").body.decode(),
        "introspection": doors.ask(viewer, get_introspection_query()).body.decode(),
        "words": doors.ask(viewer, get_introspection_query(), accept_language="zh-CN").body.decode(),
        "catalog": doors.ask(viewer, f"{{ catalog {everything(schema, 'Catalog')} }}").body.decode(),
    }
    for place, text in shown.items():
        assert words(text).isdisjoint(HIDDEN), place
    assert "uv_value" in shown["catalog"]  # computed from what is hidden, and shown: its author says so


def test_who_may_see_everything_does(doors: Doors) -> None:
    assert set(HIDDEN) <= words(doors.get("chief", "/schema.graphql").body.decode())
    arguments = words(doors.get("chief", "/openapi.json").body.decode())
    assert {"gmv", "province"} <= arguments
    known = doors.ask("chief", "{ catalog { metrics { name } dimensions { name } } }").body.decode()
    assert set(HIDDEN) <= words(known)
    assert "gmv" in doors.data("chief", "{ metrics { rows { province gmv } } }")["metrics"]["rows"][0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ metrics { totals { gmv } } }", "UNKNOWN_METRIC"),
        ("{ metrics { totals { gmw } } }", "UNKNOWN_METRIC"),
        ("{ metrics { rows { provinc orders } } }", "UNKNOWN_METRIC"),
        ('{ metrics(where: {province: {eq: "x"}}) { totals { orders } } }', "UNKNOWN_DIMENSION"),
        ("{ table(metrics: [GMV]) { rows } }", "UNKNOWN_METRIC"),
        ("{ table(metrics: [ORDERS], dimensions: [PROVINC]) { rows } }", "UNKNOWN_DIMENSION"),
        ("{ dimensionValues(dimension: PROVINCE) { value } }", "UNKNOWN_DIMENSION"),
        ("{ metrics { rows { memberLevel orders } } }", "DIMENSION_NOT_SHARED"),
        ("{ metrics { rows { platform orders } } }", "DIMENSION_NOT_SHARED"),
        ("{ metrics { rows { memberLevel uv } } }", "DIMENSION_NOT_SHARED"),
        ("{ funnel(name: CHECKOUT, breakdown: [MEMBER_LEVEL]) { groups { steps { name } } } }", "DIMENSION_NOT_SHARED"),
        (
            "{ retention(name: VISITORS, breakdown: [MEMBER_LEVEL]) { groups { cells { rate } } } }",
            "DIMENSION_NOT_SHARED",
        ),
    ],
)
def test_errors_say_nothing_of_it(doors: Doors, query: str, code: str) -> None:
    for found, text in doors.errors("clerk", query):
        assert found == code, text
        assert words(text).isdisjoint(set(HIDDEN) - words(query)), text


@pytest.mark.parametrize("name", ["GMV", "gmv"])
def test_tables_are_as_silent(doors: Doors, name: str) -> None:
    reply = doors.get("clerk", f"/v1/table.json?metrics={name}")
    assert reply.status == 400
    unknown = doors.get("clerk", "/v1/table.json?metrics=GXV")
    assert unknown.status == 400
    assert reply.body.decode().replace("GMV", "GXV") == unknown.body.decode()
    assert doors.get("chief", "/v1/table.json?metrics=GMV").status == 200


def test_lists_of_who_is_counted(doors: Doors) -> None:
    query = "{ funnel(name: CHECKOUT) { steps { count } dropOffs(step: 2) { entity } } }"
    assert isinstance(doors.data("clerk", query)["funnel"]["dropOffs"], list)
    assert [code for code, _ in doors.errors("guest", query)] == ["FORBIDDEN"]
    assert doors.data("guest", "{ funnel(name: CHECKOUT) { steps { count } } }")


LOYALTY = """
version: 1
datasets:
  - name: visits
    source: data/visits.parquet
    time_dimension: day
    entities: {user: user_id}
    columns: {shouted: upper(user_id)}
    dimensions:
      - {name: page, type: string}
      - {name: own, type: string, expr: user_id}
      - {name: loud, type: string, expr: shouted}
      - {name: theirs, type: string, expr: person.user_id}
      - {name: theirs_made, type: string, expr: upper(person.copied)}
  - name: visits_log
    source: data/visits.parquet
    dimensions: [{name: logged, type: string, expr: user_id}, {name: logged_who, type: string, expr: logs.copied}]
  - name: people
    source: data/people.parquet
    entities: {user: user_id}
    dimensions: [{name: town, type: string}, {name: copied, type: string, expr: "substr(user_id, 1)"}]
  - name: nicks
    source: data/nicks.parquet
    dimensions: [{name: whose, type: string, expr: id}, {name: nick, type: string}]
  - name: cards
    source: data/cards.parquet
    entities: {user: holder}
    dimensions: [{name: holder, type: string}, {name: color, type: string}]
relationships:
  - {name: person, from: visits, to: people, columns: {user_id: user_id}}
  - {name: logs, from: visits_log, to: people, columns: {user_id: user_id}}
  - {name: called, from: visits, to: nicks, columns: {user_id: id}}
  - {name: loudly, from: visits, to: nicks, columns: {shouted: id}}
  - {name: card, from: visits, to: cards, columns: {card: card}}
  - {name: of, from: cards, to: nicks, columns: {holder: id}}
metrics:
  - {name: views, type: simple, dataset: visits, agg: count}
  - {name: logs_kept, type: simple, dataset: visits_log, agg: count}
funnels:
  - {name: two, entity: user, dataset: visits, window: 7 days, steps: [{name: a}, {name: b}]}
policies:
  - {name: no_visitors, dataset: visits, entities: false, unless: role = 'host'}
  - {name: no_people, dataset: people, entities: false, unless: role = 'guard'}
"""
LOYALTY_TABLES = {
    "visits": "select 'u' || i as user_id, 'k' || i as card, 'p' as page, date '2026-11-01' as day from range(3) t(i)",
    "people": "select 'u' || i as user_id, 'here' as town from range(3) t(i)",
    "nicks": "select 'u' || i as id, 'nick' as nick from range(3) t(i)",
    "cards": "select 'k' || i as card, 'u' || i as holder, 'red' as color from range(3) t(i)",
}
_THEIRS = {"theirs", "theirsMade", "personCopied"}
CLOSED: Mapping[str, set[str]] = {
    "guard": _THEIRS | {"own", "loud", "calledWhose", "loudlyWhose", "cardHolder", "cardOfWhose"},
    "host": _THEIRS | {"loggedWho", "logsCopied"},
}
"""What says who visits, which a guard may not see; and who the people are, which a host may not."""


def test_who_is_counted_is_told_by_no_way(live: LiveServer, tmp_path: Path) -> None:
    folder = make_project(tmp_path, LOYALTY, **LOYALTY_TABLES)
    made = {name: new_key(name, {"role": name}) for name in CLOSED}
    write_keys(folder / "headwater.keys.json", tuple(record for _, record in made.values()))
    views = ["page", "personTown", "calledNick", "cardColor", *sorted(CLOSED["guard"])]
    asked = [(name, "views") for name in views]
    asked += [(name, "logsKept") for name in ("logged", "loggedWho", "logsCopied", "logsTown")]
    with live.serving(Settings(model=folder, reload=False)):
        shop = Doors(live, {name: key for name, (key, _) in made.items()})
        for viewer, closed in CLOSED.items():
            for name, metric in asked:
                found = shop.ask(viewer, f"{{ metrics {{ rows {{ {name} {metric} }} }} }}").json
                codes = [error["extensions"]["code"] for error in found.get("errors", ())]
                assert codes == (["FORBIDDEN"] if name in closed else []), (viewer, name, found)
        for query in (
            '{ metrics { totals { views(where: {personCopied: {eq: "u1"}}) } } }',
            "{ table(metrics: [VIEWS], dimensions: [PERSON_COPIED]) { rows } }",
            "{ dimensionValues(dimension: PERSON_COPIED) { value } }",
            '{ paths(by: PERSON_COPIED, from: {page: {eq: "p"}}) { nodes { name } } }',
            "{ funnel(name: TWO, breakdown: [PERSON_COPIED]) { groups { key { value } } } }",
        ):
            assert [code for code, _ in shop.errors("guard", query)] == ["FORBIDDEN"], query


def test_sql_is_for_who_may_see_it(doors: Doors) -> None:
    query = "{ metrics { totals { uv } meta { sql } } }"
    assert "SELECT" in doors.data("chief", query)["metrics"]["meta"]["sql"].upper()
    assert doors.data("clerk", query)["metrics"]["meta"]["sql"] is None  # it would name what is hidden
    assert doors.data("guest", query)["metrics"]["meta"]["sql"] is None


def test_the_example_of_the_docs_is_as_it_says(live: LiveServer, tmp_path: Path) -> None:
    [example] = [block for block in blocks(PAGES / "security.md") if block.language == "yaml"]
    orders = """
        select shop || city || i as user_id, shop, city, 10 as amount, 4 as cost
        from (values ('north', 'a', 5), ('north', 'b', 4), ('north', 'c', 1), ('south', 'a', 9)) t(shop, city, n),
            range(n) numbers(i)
    """
    folder = make_project(tmp_path, example.text, orders=orders)
    claims: dict[str, dict[str, Any]] = {"north": {"shops": ["north"]}, "head": {"role": "head_office"}, "new": {}}
    made = {name: new_key(name, its) for name, its in claims.items()}
    write_keys(folder / "headwater.keys.json", tuple(record for _, record in made.values()))
    with live.serving(Settings(model=folder, reload=False, show_sql=True)):
        shop = Doors(live, {name: key for name, (key, _) in made.items()})
        rows = "{ metrics { rows { city gmv } totals { gmv } meta { sql } } }"
        assert shop.data("north", rows)["metrics"] == {
            "rows": [{"city": "a", "gmv": 50}],
            "totals": {"gmv": 100},
            "meta": {"sql": None},
        }
        found = shop.data("head", rows)["metrics"]
        assert (found["totals"], len(found["rows"]), bool(found["meta"]["sql"])) == ({"gmv": 190}, 3, True)
        assert shop.data("head", "{ metrics { totals { profit } } }")["metrics"]["totals"] == {"profit": 114}
        [(unknown, _)] = shop.errors("north", "{ metrics { totals { profit } } }")
        [(forbidden, text)] = shop.errors("new", rows)
        assert (unknown, forbidden) == ("UNKNOWN_METRIC", "FORBIDDEN")
        assert "shops" in text
