"""Least groups over a real socket: what several answers of one request would tell together is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from api.settings import Settings
from api.viewers.keys import new_key, write_keys
from tests.live import LiveServer
from tests.shop import make_project

MODEL = """\
version: 1
datasets:
  - name: visits
    source: data/visits.parquet
    time_dimension: day
    entities: {user: user_id}
    dimensions: [{name: city, type: string}, {name: kind, type: string}]
metrics:
  - {name: amount, type: simple, dataset: visits, agg: sum, expr: amount}
  - {name: visits, type: simple, dataset: visits, agg: count}
  - {name: some, type: simple, dataset: visits, agg: count, where: city != 'c'}
  - {name: others, type: derived, expr: visits - some}
policies:
  - {name: few, dataset: visits, k: 3, unless: role = 'analyst'}
"""
VISITS = """
    select city || i as user_id, city, date '2026-11-01' + (i % 2)::int as day, 'k' || (i % 2) as kind, 10 as amount
    from (values ('a', 6), ('b', 4), ('c', 1), ('d', 5)) cities(city, n), range(n) t(i)
"""
"""Cities of 6, 4, 1 and 5 people."""


class Asked:
    """The server with a key for somebody with the policy and for somebody without."""

    def __init__(self, live: LiveServer, keys: dict[str, str]) -> None:
        self.live, self.keys = live, keys

    def data(self, query: str, who: str = "guest") -> Any:
        reply = self.live.ask(query, x_api_key=self.keys[who]).json
        assert "errors" not in reply, reply
        return reply["data"]

    def codes(self, query: str, who: str = "guest") -> list[str]:
        reply = self.live.ask(query, x_api_key=self.keys[who]).json
        return [error["extensions"]["code"] for error in reply.get("errors", [])]


@pytest.fixture(scope="module")
def shop(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = make_project(tmp_path_factory.mktemp("small"), MODEL, visits=VISITS)
    made = {name: new_key(name, {"role": name}) for name in ("guest", "analyst")}
    write_keys(folder / "headwater.keys.json", tuple(record for _, record in made.values()))
    with live.serving(Settings(model=folder, reload=False)):
        yield Asked(live, {name: key for name, (key, _) in made.items()})


ROWS_AND_TOTALS = "{ metrics { rows { city amount } totals { amount } pageInfo { totalCount } } }"


def test_rows_and_totals(shop: Asked) -> None:
    for _ in range(2):  # what is kept for one is not for the other
        found = shop.data(ROWS_AND_TOTALS, "analyst")["metrics"]
        assert [row["city"] for row in found["rows"]] == ["a", "b", "c", "d"]
        assert found["pageInfo"]["totalCount"] == 4
        found = shop.data(ROWS_AND_TOTALS)["metrics"]
        assert found["rows"] == [{"city": "a", "amount": 60}, {"city": "d", "amount": 50}]
        assert found["totals"] == {"amount": 160}
        assert found["pageInfo"]["totalCount"] == 2


def test_totals_of_too_few(shop: Asked) -> None:
    query = '{ metrics(where: {city: {eq: "c"}}) { rows { city amount } totals { amount visits } } }'
    assert shop.data(query)["metrics"] == {"rows": [], "totals": {"amount": None, "visits": None}}


@pytest.mark.parametrize(
    "query",
    [
        '{ a: metrics { totals { amount } } b: metrics(where: {city: {ne: "c"}}) { totals { amount } } }',
        '{ metrics { totals { amount rest: amount(where: {city: {ne: "c"}}) } } }',
        "{ metrics { totals { visits some } } }",
        "{ metrics { totals { others } } }",
        "{ metrics { rows { city visits } totals { some } } }",
        "{ a: metrics { totals { visits } } b: metrics { totals { some } } }",
        "{ a: metrics { totals { visits } } table(metrics: [SOME]) { rows } }",
        '{ metrics { totals { amount } more: totals { rest: amount(where: {city: {ne: "c"}}) } } }',
        "{ metrics { a: rows { city amount } b: rows { city kind amount } } }",
        "{ metrics { a: rows { city amount } b: rows { city visits } } }",
        "{ metrics { rows { city amount } } dimensionValues(dimension: CITY) { value count } }",
        "{ metrics { rows { city amount } } table(metrics: [AMOUNT], dimensions: [KIND]) { rows } }",
    ],
)
def test_what_would_tell_together(shop: Asked, query: str) -> None:
    assert set(shop.codes(query)) == {"FORBIDDEN"}
    assert shop.codes(query, "analyst") == []
    parts = shop.live.ask(query, x_api_key=shop.keys["guest"]).json["data"]
    assert sum(part is not None for part in parts.values()) <= 1


def test_values(shop: Asked) -> None:
    assert shop.data("{ dimensionValues(dimension: CITY) { value count } }")["dimensionValues"] == [
        {"value": "a", "count": 6},
        {"value": "d", "count": 5},
    ]


def test_tables(shop: Asked) -> None:
    reply = shop.live.get("/v1/table.csv?metrics=AMOUNT&dimensions=CITY", x_api_key=shop.keys["guest"])
    assert reply.body.decode().replace(chr(34), "").split() == ["city,amount", "a,60", "d,50"]
    asked = json.loads(shop.live.get("/v1/table.json?metrics=AMOUNT", x_api_key=shop.keys["guest"]).body)
    assert "160" in json.dumps(asked)


@pytest.mark.parametrize("who", ["guest", "analyst"])
def test_the_example_can_be_asked(shop: Asked, who: str) -> None:
    example = json.loads(shop.live.get("/graphql/example", x_api_key=shop.keys[who]).body)["query"]
    assert shop.codes(example, who) == []
    assert ("byDimension" in example) is (who == "analyst")
