"""GraphQL in, JSON out, on real files and a real engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
import pytest_asyncio

from api.context import Outcome
from api.resolvers.limits import Limits
from tests.api.shop import Shop, open_shop, write_tables

NOVEMBER = 'timeRange: {dates: {from: "2026-11-02", to: "2026-11-04"}}'


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("shop"))


@pytest_asyncio.fixture
async def shop(files: Path) -> AsyncIterator[Shop]:
    async with open_shop(files) as opened:
        yield opened


def by_hand(files: Path, sql: str) -> list[tuple[Any, ...]]:
    """What plain SQL over the files says."""
    with duckdb.connect() as connection:
        for name in ("events", "orders", "users", "ids"):
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{files}/data/{name}.parquet'")
        return connection.execute(sql).fetchall()


async def test_selection_is_the_query(shop: Shop, files: Path) -> None:
    data = (await shop.ask("{ metrics { rows { channel uv pv } } }")).data
    expected = by_hand(
        files,
        """SELECT channel, count(DISTINCT user_id), count(*) FILTER (event_name = 'page_view') FROM events
        GROUP BY 1 ORDER BY 1 NULLS LAST""",
    )
    assert [(row["channel"], row["uv"], row["pv"]) for row in data["metrics"]["rows"]] == expected
    assert list(data["metrics"]["rows"][0]) == ["channel", "uv", "pv"]


async def test_the_same_metric_under_several_aliases(shop: Shop) -> None:
    data = (
        await shop.ask(
            f"""{{ metrics({NOVEMBER}) {{ rows {{
                time(grain: DAY) uv
                before: uv(offset: {{count: 1, unit: DAY}})
                change: uv(offset: {{count: 1, unit: DAY}}, as: CHANGE)
                ratio: uv(offset: {{count: 1, unit: DAY}}, as: CHANGE_RATIO)
                ios: uv(where: {{platform: {{eq: "ios"}}}})
                week: uv(rolling: {{count: 7, unit: DAY}})
                month: uv(toDate: MONTH)
            }} }} }}"""
        )
    ).data
    rows = data["metrics"]["rows"]
    assert [row["time"] for row in rows] == ["2026-11-02", "2026-11-03", "2026-11-04"]
    for earlier, row in pairwise(rows):
        assert row["before"] == earlier["uv"]
        assert row["change"] == row["uv"] - row["before"]
        assert row["ratio"] == pytest.approx(Decimal(row["uv"] - row["before"]) / row["before"], rel=Decimal("1e-9"))
        assert row["ios"] <= row["uv"] <= row["week"]


async def test_totals_are_computed_on_their_own_and_dimensions_in_them_are_null(shop: Shop, files: Path) -> None:
    data = (
        await shop.ask("{ metrics { rows { channel uv } totals { __typename time(grain: DAY) channel uv gmv } } }")
    ).data["metrics"]
    [(uv,)] = by_hand(files, "SELECT count(DISTINCT user_id) FROM events")
    [(gmv,)] = by_hand(files, "SELECT sum(amount) FROM orders")
    assert data["totals"] == {"__typename": "Row", "time": None, "channel": None, "uv": uv, "gmv": gmv}
    assert sum(row["uv"] for row in data["rows"]) > uv


async def test_totals_without_a_metric_are_null_and_run_nothing(shop: Shop) -> None:
    data = (await shop.ask("{ metrics { totals { channel kind: __typename } meta { sql } } }", may_see_sql=True)).data
    assert data["metrics"] == {"totals": {"channel": None, "kind": "Row"}, "meta": {"sql": None}}


async def test_fragments_variables_and_directives(shop: Shop) -> None:
    document = """
        query Q($time: TimeRange!, $where: Where, $yes: Boolean!, $no: Boolean!) {
          metrics(timeRange: $time, where: $where) {
            rows { ...Split ... on Row { uv } ... @include(if: $no) { gmv } pv @skip(if: $yes) }
            ... on Metrics { totals { ...Counts } }
          }
        }
        fragment Split on Row { time(grain: DAY) channel @include(if: $yes) }
        fragment Counts on Row { uv ...More }
        fragment More on Row { orders }
    """
    variables = {
        "time": {"dates": {"from": "2026-11-02", "to": "2026-11-02"}},
        "where": {"channel": {"in": ["ads"]}},
        "yes": True,
        "no": False,
    }
    data = (await shop.ask(document, variables)).data["metrics"]
    assert [list(row) for row in data["rows"]] == [["time", "channel", "uv"]]
    assert data["rows"][0]["channel"] == "ads"
    assert list(data["totals"]) == ["uv", "orders"]


async def test_what_directives_leave_out_is_not_computed(shop: Shop) -> None:
    document = "query ($all: Boolean!) { metrics { rows { channel uv gmv @include(if: $all) } meta { sql } } }"
    without = (await shop.ask(document, {"all": False}, may_see_sql=True)).data["metrics"]["meta"]["sql"]
    everything = (await shop.ask(document, {"all": True}, may_see_sql=True)).data["metrics"]["meta"]["sql"]
    assert '"orders"' not in without
    assert '"orders"' in everything


async def test_the_operation_is_chosen_by_name(shop: Shop) -> None:
    document = "query A { metrics { totals { uv } } } query B { metrics { totals { pv } } }"
    assert list((await shop.ask(document, operation_name="B")).data["metrics"]["totals"]) == ["pv"]
    assert (await shop.ask(document)).response.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("where", "condition"),
    [
        ('{channel: {eq: "ads"}}', "channel = 'ads'"),
        ('{channel: {ne: "ads"}}', "channel IS DISTINCT FROM 'ads'"),
        ('{channel: {notIn: ["ads", "search"]}}', "channel IS NULL OR channel NOT IN ('ads', 'search')"),
        ("{channel: {isNull: true}}", "channel IS NULL"),
        ("{channel: {isNull: false}}", "channel IS NOT NULL"),
        ('{channel: {contains: "渠"}}', "channel LIKE '%渠%'"),
        ('{channel: {contains: "\\\\"}}', "contains(channel, '\\')"),
        ('{channel: {startsWith: "it\'s", endsWith: "\\\\"}}', "channel LIKE 'it''s%'"),
        ("{age: {gte: 1, lt: 3.5}}", "age >= 1 AND age < 3.5"),
        ('{age: {in: [1, "2"]}}', "age IN (1, 2)"),
        ("{score: {gt: 12.3}}", "score > 12.3"),
        ("{isNew: {eq: false}}", "NOT is_new"),
        ('{daySeen: {gte: "2026-11-05"}}', "day >= DATE '2026-11-05'"),
        ('{seenAt: {lt: "2026-11-03T00:00:00+08:00"}}', "event_time < TIMESTAMP '2026-11-02 16:00:00'"),
        ('{seenAt: {lt: "2026-11-03T00:00:00Z"}}', "event_time < TIMESTAMP '2026-11-03 00:00:00'"),
        ('{seenAt: {lt: "2026-11-03T00:00:00"}}', "event_time < TIMESTAMP '2026-11-02 16:00:00'"),
        ('{class: {eq: "c1"}, isNew: {eq: false}}', "class = 'c1' AND NOT is_new"),
        ("{or: [{age: {eq: 1}}, {age: {eq: 2}}]}", "age IN (1, 2)"),
        ("{and: [{age: {gt: 1}}, {}, {age: {lt: 4}}]}", "age > 1 AND age < 4"),
        ('{not: {channel: {eq: "ads"}}}', "channel IS DISTINCT FROM 'ads'"),
        ("{or: []}", "false"),
        ("{and: []}", "true"),
        ("{}", "true"),
        ("{channel: {}}", "true"),
        ("{channel: null, age: {eq: 1}}", "age = 1"),
    ],
)
async def test_where(shop: Shop, files: Path, where: str, condition: str) -> None:
    data = (await shop.ask(f"{{ metrics(where: {where}) {{ totals {{ uv pv }} }} }}")).data
    [(uv, pv)] = by_hand(
        files,
        f"""SELECT count(DISTINCT user_id), count(*) FILTER (event_name = 'page_view')
        FROM events WHERE {condition}""",
    )
    assert data["metrics"]["totals"] == {"uv": uv, "pv": pv}


async def test_instants_are_local_to_the_time_zone_asked_for(shop: Shop, files: Path) -> None:
    data = (
        await shop.ask(
            """{ metrics(
                timezone: "America/New_York"
                timeRange: {between: {start: "2026-11-01T06:00:00", end: "2026-11-01T07:00:00"}}
            ) { rows { time(grain: HOUR) uv at: seenAt } } }"""
        )
    ).data["metrics"]["rows"]
    expected = by_hand(
        files,
        """SELECT event_time FROM events
        WHERE event_time >= TIMESTAMP '2026-11-01 11:00:00' AND event_time < TIMESTAMP '2026-11-01 12:00:00'""",
    )
    assert [row["at"] for row in data] == [
        f"{at.replace(hour=at.hour - 5).isoformat()}-05:00" for (at,) in sorted(expected)
    ]
    assert {row["time"] for row in data} == {"2026-11-01T06:00:00-05:00"}


async def test_the_time_zone_of_daylight_saving(shop: Shop) -> None:
    document = """{ metrics(timezone: "America/New_York", timeRange: {dates: {from: "2026-11-01", to: "2026-11-01"}},
        fill: true) { rows { time(grain: HOUR) pv } } }"""
    times = [row["time"] for row in (await shop.ask(document)).data["metrics"]["rows"]]
    assert len(times) == len(set(times)) == 25
    assert times[1:3] == ["2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"]


async def test_having_and_order(shop: Shop) -> None:
    document = """{ metrics(having: [{by: "n", gte: 50, lt: 1e3}], orderBy: [{by: "n", direction: DESC}, {by: "c"}])
        { rows { c: channel n: pv } page: rows { platform c: channel n: pv } } }"""
    data = (await shop.ask(document)).data["metrics"]
    assert data["page"] == []
    everything = (await shop.ask("{ metrics { rows { c: channel n: pv } } }")).data["metrics"]["rows"]
    kept = [row for row in everything if 50 <= row["n"] < 1000]
    assert data["rows"] == sorted(kept, key=lambda row: (-row["n"], row["c"] is None, row["c"] or ""))


@pytest.mark.parametrize(
    ("having", "keeps"),
    [
        ('{by: "day", gte: "2026-11-03"}', lambda row: row["day"] >= "2026-11-03"),
        ('{by: "channel", eq: "ads"}', lambda row: row["channel"] == "ads"),
        ('{by: "channel", isNull: true}', lambda row: row["channel"] is None),
        ('{by: "isNew", ne: true}', lambda row: row["isNew"] is not True),
        ('{by: "uv", in: [1, 2]}', lambda row: row["uv"] in (1, 2)),
        ('{by: "averageScore", gt: 4.5, isNull: false}', lambda row: (row["averageScore"] or 0) > 4.5),
    ],
)
async def test_having_by_every_kind(shop: Shop, having: str, keeps: Any) -> None:
    fields = "day: time(grain: DAY) channel isNew uv averageScore: avgScore"
    everything = (await shop.ask(f"{{ metrics {{ rows {{ {fields} }} }} }}")).data["metrics"]["rows"]
    kept = (await shop.ask(f"{{ metrics(having: [{having}]) {{ rows {{ {fields} }} }} }}")).data["metrics"]["rows"]
    assert kept == [row for row in everything if keeps(row)]
    assert 0 < len(kept) < len(everything)


async def test_pages(shop: Shop) -> None:
    everything = (await shop.ask("{ metrics { rows { channel platform uv } } }")).data["metrics"]["rows"]
    assert len(everything) == 12
    found: list[Any] = []
    for offset in range(0, 15, 5):
        page = (
            await shop.ask(
                f"""{{ metrics(limit: 5, offset: {offset}) {{ rows {{ channel platform uv }}
                pageInfo {{ hasNextPage hasPreviousPage offset limit totalCount }} }} }}"""
            )
        ).data["metrics"]
        found += page["rows"]
        assert page["pageInfo"] == {
            "hasNextPage": offset < 10,
            "hasPreviousPage": offset > 0,
            "offset": offset,
            "limit": 5,
            "totalCount": 12,
        }
    assert found == everything


@pytest.mark.parametrize("counted", ["", " totalCount"])
@pytest.mark.parametrize(("limit", "offset", "more"), [(12, 0, False), (11, 0, True), (0, 0, True), (5, 50, False)])
async def test_the_edges_of_pages(shop: Shop, limit: int, offset: int, more: bool, counted: str) -> None:
    document = f"""{{ metrics(limit: {limit}, offset: {offset}) {{ rows {{ channel platform uv }}
        pageInfo {{ hasNextPage{counted} }} }} }}"""
    data = (await shop.ask(document)).data["metrics"]
    assert len(data["rows"]) == max(0, min(limit, 12 - offset))
    expected = {"hasNextPage": more} | ({"totalCount": 12} if counted else {})
    assert data["pageInfo"] == expected


async def test_rows_are_counted_only_when_that_is_selected(shop: Shop) -> None:
    document = "{ metrics(limit: 1) { rows { channel uv } pageInfo { %s } meta { sql } } }"
    for selected, counts in (("hasNextPage", False), ("totalCount", True)):
        sql = (await shop.ask(document % selected, may_see_sql=True)).data["metrics"]["meta"]["sql"]
        assert ("__row_count" in sql) is counts


async def test_no_limit_means_all_rows_and_never_a_silent_cut(shop: Shop) -> None:
    document = "{ metrics(limit: null) { rows { channel platform uv } pageInfo { limit hasNextPage } } }"
    data = (await shop.ask(document, limits=Limits(rows=12))).data["metrics"]
    assert len(data["rows"]) == 12
    assert data["pageInfo"] == {"limit": None, "hasNextPage": False}
    assert (await shop.ask(document, limits=Limits(rows=11))).codes == ("LIMIT_EXCEEDED",)


async def test_meta(shop: Shop) -> None:
    document = """{ metrics(timeRange: {last: {count: 2, unit: DAY, includeCurrent: true}}) { rows { channel uv }
        meta { sql cached dataVersion dataThrough durationMs rollup warnings { code message } } } }"""
    first = (await shop.ask(document)).data["metrics"]["meta"]
    assert (first["sql"], first["cached"], first["rollup"]) == (None, False, None)
    assert first["dataThrough"] == "2026-11-08"
    assert first["durationMs"] > 0
    assert [warning["code"] for warning in first["warnings"]] == ["INCOMPLETE_DATA"]
    again = (await shop.ask(document)).data["metrics"]["meta"]
    assert again["cached"] is True
    assert again["dataVersion"] == first["dataVersion"]


async def test_sql_is_shown_to_those_who_may_see_it(shop: Shop) -> None:
    document = """{ metrics(where: {channel: {in: ["ads", "it's"]}}) { rows { channel uv } totals { uv }
        meta { sql } } }"""
    sql = (await shop.ask(document, may_see_sql=True)).data["metrics"]["meta"]["sql"]
    rows, totals = sql.split("\n\n-- totals\n")
    assert rows.startswith("-- rows\nSELECT")
    assert totals.startswith("SELECT")
    assert rows.splitlines()[-1].startswith("-- parameters: ")
    assert "'it''s'" in rows.splitlines()[-1]
    assert (await shop.ask(document)).data["metrics"]["meta"]["sql"] is None


async def test_meta_of_nothing_is_of_the_whole_model(shop: Shop) -> None:
    meta = (await shop.ask("{ metrics { meta { dataVersion dataThrough cached sql } } }")).data["metrics"]["meta"]
    assert meta["dataThrough"] == "2026-11-07"
    assert meta["dataVersion"]


async def test_several_selections_of_rows(shop: Shop) -> None:
    data = (
        await shop.ask("{ metrics(limit: 3) { byChannel: rows { channel uv } byPlatform: rows { platform uv } } }")
    ).data["metrics"]
    assert list(data["byChannel"][0]) == ["channel", "uv"]
    assert [row["platform"] for row in data["byPlatform"]] == ["android", "ios", "web"]


async def test_numbers_keep_all_their_digits(shop: Shop) -> None:
    asked = await shop.ask("{ metrics { rows { id label idCount } totals { largestId gmv } } }")
    assert [(row["id"], row["label"]) for row in asked.data["metrics"]["rows"]] == [
        (-(2**63), "min"),
        (2**53 + 1, "beyond doubles"),
        (2**63 - 1, "max"),
        (None, None),
    ]
    assert b'"largestId":9223372036854775807' in asked.response.body
    assert asked.data["metrics"]["totals"]["gmv"] == Decimal("6781.50")


async def test_what_is_not_a_number_is_null(shop: Shop) -> None:
    document = "{ metrics { rows { label odd oddSum } totals { oddSum } } }"
    data = (await shop.ask(document)).data["metrics"]
    assert {row["label"]: row["oddSum"] for row in data["rows"]} == {
        "max": None,
        "beyond doubles": None,
        "min": 0,
        None: None,
    }
    assert [row["odd"] for row in data["rows"] if row["label"] != "min"] == [None, None, None]
    assert data["totals"] == {"oddSum": None}


async def test_table(shop: Shop) -> None:
    document = f"""{{ table(metrics: [UV, GMV, UV_VALUE, UV], dimensions: [CHANNEL], grain: DAY, limit: 2,
        orderBy: [{{by: "uvValue", direction: DESC}}], {NOVEMBER}) {{
        columns {{ key name role type label description format }} rows totals
        pageInfo {{ hasNextPage limit }} meta {{ cached }} }} }}"""
    data = (await shop.ask(document, locale="zh-CN,en;q=0.5")).data["table"]
    assert [(column["key"], column["role"], column["type"]) for column in data["columns"]] == [
        ("time", "TIME", "Time"),
        ("channel", "DIMENSION", "String"),
        ("uv", "METRIC", "Long"),
        ("gmv", "METRIC", "Decimal"),
        ("uvValue", "METRIC", "Float"),
    ]
    assert [column["label"] for column in data["columns"]] == ["time", "渠道", "访客数", "成交额", "uv_value"]
    typed = f"""{{ metrics(limit: 2, orderBy: [{{by: "uvValue", direction: DESC}}], {NOVEMBER}) {{
        rows {{ time(grain: DAY) channel uv gmv uvValue }} totals {{ uv gmv uvValue }} }} }}"""
    same = (await shop.ask(typed)).data["metrics"]
    assert data["rows"] == [list(row.values()) for row in same["rows"]]
    assert data["totals"] == [None, None, *same["totals"].values()]
    assert data["pageInfo"] == {"hasNextPage": True, "limit": 2}


async def test_a_table_shares_credit_as_it_is_asked_to(shop: Shop) -> None:
    """The model goes to the metrics that are of credit, and to no other."""
    asked = "metrics: [CREDITED_GMV, GMV], dimensions: [CHANNEL], model: $model"
    document = f"query ($model: AttributionModel) {{ table({asked}) {{ rows totals }} }}"
    found = {}
    for model in (None, "FIRST", "LINEAR"):
        data = (await shop.ask(document, {"model": model})).data["table"]
        named = f"(model: {model})" if model else ""
        typed = f"{{ metrics {{ rows {{ channel creditedGmv{named} gmv }} totals {{ creditedGmv{named} gmv }} }} }}"
        same = (await shop.ask(typed)).data["metrics"]
        assert data["rows"] == [list(row.values()) for row in same["rows"]]
        assert data["totals"] == [None, *same["totals"].values()]
        found[model] = str(data["rows"])
    assert len(set(found.values())) == 3


async def test_a_model_of_credit_is_refused_where_nothing_is_of_credit(shop: Shop) -> None:
    (error,) = (await shop.ask("{ table(metrics: [UV, GMV], model: FIRST) { rows } }")).errors
    assert error["extensions"]["code"] == "BAD_ARGUMENT"
    assert error["extensions"]["suggestion"] == "Leave it out, or ask for creditedGmv."


async def test_a_key_changes_nothing(shop: Shop) -> None:
    document = "query ($key: String) { metrics(key: $key) { rows { channel uv } totals { uv } } }"
    plain, named = [(await shop.ask(document, {"key": key})).data for key in (None, "channels")]
    assert plain == named


async def test_a_table_runs_only_what_is_selected(shop: Shop) -> None:
    for selected, sql in (("columns { key }", None), ("totals", "SELECT"), ("rows", "SELECT")):
        document = f"{{ table(metrics: [UV]) {{ {selected} meta {{ sql }} }} }}"
        shown = (await shop.ask(document, may_see_sql=True)).data["table"]["meta"]["sql"]
        assert (shown or "").startswith(sql or "")
        assert (shown is None) is (sql is None)


async def test_dimension_values(shop: Shop, files: Path) -> None:
    data = (await shop.ask("{ dimensionValues(dimension: CHANNEL) { value count } }")).data["dimensionValues"]
    expected = by_hand(
        files,
        """SELECT channel, count(*) FROM (SELECT channel FROM events UNION ALL SELECT channel FROM orders)
        GROUP BY 1 ORDER BY 2 DESC, 1 NULLS LAST""",
    )
    assert [(entry["value"], entry["count"]) for entry in data] == expected


async def test_dimension_values_of_every_type_searched_and_filtered(shop: Shop) -> None:
    document = """{
        found: dimensionValues(dimension: CHANNEL, search: "EAR", limit: 1) { it: value __typename }
        filtered: dimensionValues(dimension: PLATFORM, where: {platform: {ne: "web"}}) { value }
        days: dimensionValues(dimension: DAY_SEEN, limit: 1) { value }
        times: dimensionValues(dimension: SEEN_AT, limit: 1, timezone: "UTC") { value }
        ages: dimensionValues(dimension: AGE) { value }
        levels: dimensionValues(dimension: MEMBER_LEVEL) { value }
    }"""
    data = (await shop.ask(document)).data
    assert data["found"] == [{"it": "search", "__typename": "DimensionValue"}]
    assert {entry["value"] for entry in data["filtered"]} == {"ios", "android"}
    assert data["days"] == [{"value": "2026-11-01"}]
    assert data["times"] == [{"value": "2026-11-01T10:00:00+00:00"}]
    assert sorted(entry["value"] for entry in data["ages"]) == [0, 1, 2, 3, 4]
    assert [entry["value"] for entry in data["levels"]] == ["gold", "silver"]


async def test_a_failing_field_fails_alone(shop: Shop) -> None:
    asked = await shop.ask(
        """{ good: metrics { totals { uv } } bad: metrics { rows { province uv } }
        never: table(metrics: [UV], limit: -1) { rows }
        values: dimensionValues(dimension: CHANNEL, limit: 1) { value } }"""
    )
    assert asked.response.outcome is Outcome.PARTIAL
    codes = {tuple(error["path"]): error["extensions"]["code"] for error in asked.errors}
    assert codes == {("bad",): "DIMENSION_NOT_SHARED", ("never",): "BAD_ARGUMENT"}
    data = asked.body["data"]
    assert data["good"] == {"totals": {"uv": 7}}
    assert (data["bad"], data["never"]) == (None, None)
    assert len(data["values"]) == 1


async def test_introspection_speaks_the_language_of_the_request(shop: Shop) -> None:
    document = '{ __type(name: "Row") { fields { name description } } }'
    described = {}
    for locale in (None, "zh-CN, en;q=0.5", "fr"):
        fields = (await shop.ask(document, locale=locale)).data["__type"]["fields"]
        described[locale] = {field["name"]: field["description"] for field in fields}["uv"]
    assert described[None].startswith("Unique visitors: Distinct users.")
    assert described["zh-CN, en;q=0.5"].startswith("访客数: 去重用户数。")
    assert described["fr"] == described[None]
