"""The demo shop's data: the same for the same seed, and everything that is planted in it is really there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

import demo
from demo.stories import plan
from demo.words import EVENTS

USERS, DAYS, END = 8000, 60, date(2026, 11, 20)
PARQUET = ("orders", "order_items", "refunds", "users", "products")
CSV = ("ad_spend", "official_stats", "channels", "channel_groups", "calendar")
BOT_SCENES = (1129, 1030, 1017, 1059)

COLUMNS = {
    *("event_id", "event", "event_time", "received_at", "app_id", "openid", "unionid", "user_id", "session_id"),
    *("scene", "channel", "campaign", "share_id", "from_openid", "page_path", "platform", "app_version", "sku"),
    *("order_id", "amount", "stay_ms", "dt"),
}
"""The columns of the event log that the shop's description names, and its partition."""

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shop")
    demo.generate(out, users=USERS, days=DAYS, end=END)
    return out


@pytest.fixture(scope="module")
def query(shop: Path) -> Query:
    """Rows of a query over the shop; `log` is the event log as it lies there, `events` the same without repeats."""
    connection = duckdb.connect()
    data = shop / "data"
    connection.execute(
        f"create table log as from read_parquet('{data}/events/**/*.parquet', hive_partitioning=true, filename=true)"
    )
    connection.execute(
        "create table events as from log qualify row_number() over (partition by event_id order by received_at) = 1"
    )
    for name in PARQUET:
        connection.execute(f"create table {name} as from '{data}/{name}.parquet'")
    for name in CSV:
        connection.execute(f"create table {name} as from read_csv('{data}/{name}.csv')")
    return lambda sql, *values: connection.execute(sql, values).fetchall()


def one(rows: list[tuple[Any, ...]]) -> Any:
    """The one value of a query that has one."""
    ((value,),) = rows
    return value


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_arguments_make_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        demo.generate(tmp_path / name, users=300, days=10, seed=seed)
    first, same, other = (digests(tmp_path / name) for name in "abc")
    assert first == same
    differing = {name for name in first if other.get(name) != first[name]}
    assert len([name for name in differing if name.startswith("data/events/")]) == 10
    assert {f"data/{name}.parquet" for name in PARQUET} <= differing
    assert not any(name.endswith(".yml") for name in differing)


def test_a_second_run_replaces_the_first_and_leaves_other_files(tmp_path: Path) -> None:
    demo.generate(tmp_path, users=50, days=5)
    (tmp_path / "data" / "mine.csv").write_text("mine")
    seen: list[tuple[int, int]] = []
    demo.generate(tmp_path, users=50, days=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    assert {path.name for path in (tmp_path / "data" / "events").iterdir()} == {"dt=2026-11-19", "dt=2026-11-20"}
    assert (tmp_path / "data" / "mine.csv").read_text() == "mine"


@pytest.mark.parametrize(("users", "days"), [(0, 5), (5, 0)])
def test_nothing_can_be_made_of_nothing(tmp_path: Path, users: int, days: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        demo.generate(tmp_path, users=users, days=days)
    with pytest.raises(ValueError, match="one row and one day"):
        demo.events_only(tmp_path, users, days=days)
    assert not list(tmp_path.iterdir())


def test_columns_and_event_names(query: Query) -> None:
    columns = {row[0] for row in query("describe log")}
    assert columns >= COLUMNS
    assert {row[0] for row in query("select distinct event from log")} == set(EVENTS)
    types = {row[0]: row[1] for row in query("describe log")}
    assert types["event_time"] == types["received_at"] == "TIMESTAMP"
    assert (types["dt"], types["event_id"], types["amount"]) == ("DATE", "BIGINT", "DECIMAL(12,2)")


def test_a_partition_holds_its_shanghai_day_in_order_of_time(query: Query) -> None:
    assert one(query("select count(*) from log where dt <> (event_time + interval 8 hour)::date")) == 0
    unordered = """select count(*) from (select event_time < lag(event_time) over (partition by filename order by place)
                   as back from (select *, row_number() over () as place from log)) where back"""
    assert one(query(unordered)) == 0
    assert one(query("select count(distinct dt) from log")) == DAYS


def test_the_last_day_is_incomplete_as_of_the_export(query: Query) -> None:
    export = "timestamp '2026-11-20 10:00:00'"
    for column, table in (
        ("received_at", "log"),
        ("submitted_at", "orders"),
        ("paid_at", "orders"),
        ("refunded_at", "refunds"),
    ):
        assert one(query(f"select max({column}) < {export} from {table}"))
    assert one(query(f"select max(event_time) > {export} - interval 30 minute from log"))


def test_events_are_repeated_and_late(query: Query) -> None:
    repeated = "select event_id from log group by event_id having count(*) > 1"
    assert 0.002 < one(query("select 1 - count(distinct event_id) / count(*) from log")) < 0.008
    differing = (
        f"select count(*) from (select distinct * exclude (received_at) from log where event_id in ({repeated}))"
    )
    assert one(query(differing)) == one(query(f"select count(*) from ({repeated})"))
    assert one(query("select count(*) from log where received_at < event_time")) == 0
    assert 0.003 < one(query("select avg((received_at > event_time + interval 1 hour)::int) from log")) < 0.02
    assert one(query("select min(event_id) > 9007199254740992 from log"))


def test_bots_come_by_their_scenes_and_buy_nothing(query: Query) -> None:
    assert one(query(f"select count(*) from log where is_bot <> coalesce(scene in {BOT_SCENES}, false)")) == 0
    assert {row[0] for row in query("select distinct scene from log where is_bot")} == set(BOT_SCENES)
    assert one(query("select count(*) from log where is_bot and order_id is not null")) == 0
    assert one(query("select count(*) from log where scene = 1129 and openid is not null")) == 0
    assert one(query("select count(*) from log where is_bot and user_id in (select user_id from users)")) == 0
    assert 0.01 < one(query("select avg(is_bot::int) from log")) < 0.1


def test_nulls_and_chinese_values(query: Query) -> None:
    assert 0.01 < one(query("select avg((user_id is null)::int) from log where not is_bot")) < 0.08
    assert 0.2 < one(query("select avg((campaign is null)::int) from log")) < 0.9
    campaigns = {row[0] for row in query("select distinct campaign from log")}
    assert {"朋友圈-大促冲量", '买家秀"95%好评"'} <= campaigns
    unknown = "select count(*) from log where scene not in (select scene from channels)"
    assert one(query(unknown)) > 0
    assert one(query("select count(*) from ad_spend where campaign is null")) > DAYS / 2
    assert one(query("select count(*) from ad_spend where clicks = 0 and cost > 0")) == DAYS


def test_the_scene_table_is_the_domains(query: Query) -> None:
    table = query("select channel, channel_group, string_agg(scene, ' ' order by scene) from channels group by all")
    assert {channel: f"{group}: {scenes}" for channel, group, scenes in table} == {
        "official_account": "internal: 1020 1035 1043 1058 1074 1082 1091 1102 1144 1152 1157",
        "share_card": "internal: 1007 1008 1044 1096 1158 1160 1185",
        "message": "internal: 1014 1073 1081 1088 1107",
        "quick_entry": "internal: 1001 1010 1023 1089 1090 1103 1104 1131",
        "viral_campaign": "external: 1036",
        "paid_ads": "external: 1045 1046 1067 1068 1084 1095",
        "content_seeding": "external: 1175 1176 1177 1184 1195",
        "app_web": "external: 1065 1069 1167 1168",
        "offline_qr": "external: 1011 1012 1013 1025 1047 1048 1049 1124 1125 1126 1150",
        "search": "platform: 1005 1006 1027 1042 1053 1106 1183",
        "nearby_market": "platform: 1026 1092 1135 1146 1169",
        "pay_wallet": "platform: 1019 1028 1029 1034 1052 1060 1071 1072 1097 1148",
        "test_traffic": "excluded: 1017 1030 1059 1129",
    }
    distinct = "select distinct channel, channel_name, channel_group, channel_group_name from channels order by all"
    assert query("from channel_groups order by all") == query(distinct)


def test_activity_is_zipf_like_with_many_one_visit_users(query: Query) -> None:
    visits = """select count(distinct session_id) n from events where user_id is not null and not is_bot
                and session_id is not null group by user_id"""
    once, top = query(
        f"""select avg((n = 1)::int), sum(n) filter (where place <= 0.1 * total) / sum(n)
            from (select n, row_number() over (order by n desc) place, count(*) over () total from ({visits}))"""
    )[0]
    assert once > 0.5
    assert top > 0.35


def test_days_and_weeks_have_a_rhythm(query: Query) -> None:
    evening, night = query(
        """select count(*) filter (h between 19 and 22), count(*) filter (h between 2 and 5)
           from (select hour(event_time + interval 8 hour) h from events where event = 'app_launch')"""
    )[0]
    assert evening > 8 * night
    ordinary = """select avg(n) filter (is_weekend) / avg(n) filter (not is_weekend) from calendar join
                  (select dt, count(distinct session_id) n from events where not is_bot group by dt) on day = dt
                  where promotion is null and dt < '2026-11-20'"""
    assert one(query(ordinary)) > 1.05


def test_promotions_peak(query: Query) -> None:
    daily = """select dt, count(distinct user_id) uv, count(distinct user_id) filter (event = 'pay_success') buyers
               from events where not is_bot and session_id is not null group by dt"""
    usual = f"select median(uv) uv, median(buyers) buyers from ({daily})"
    peak = f"select p.uv / u.uv, p.buyers / u.buyers from ({daily}) p, ({usual}) u where dt = '2026-11-11'"
    visitors, buyers = query(peak)[0]
    assert visitors > 2
    assert buyers > 3
    names = {row[0] for row in query("select distinct promotion from calendar")}
    assert {"618", "双11"} <= names


def test_people_come_through_several_channels(query: Query) -> None:
    channel = "coalesce(e.channel, if(from_openid is null, c.channel, 'share_card'))"
    resolved = f"""select user_id, count(distinct {channel}) n from events e left join channels c using (scene)
                   where user_id is not null and session_id is not null and not is_bot group by user_id"""
    assert one(query(f"select avg((n > 1)::int) from ({resolved})")) > 0.15


def test_channels_differ_in_quality(query: Query) -> None:
    rates: dict[str, float] = dict(
        query(
            """select c.channel, count(distinct user_id) filter (event = 'pay_success') / count(distinct user_id)
               from events e join channels c using (scene)
               where coalesce(e.channel, c.channel) = c.channel group by 1"""
        )
    )
    assert rates["quick_entry"] > 2 * rates["paid_ads"]


def test_the_tracking_break_is_one_version_on_one_platform(query: Query) -> None:
    story = plan(END, DAYS)
    assert (story.break_end - story.break_start) == 2 * 86_400_000_000
    within = f"epoch_us(event_time) >= {story.break_start} and epoch_us(event_time) < {story.break_end}"
    pages = "count(*) filter (event = 'page_view') / count(distinct session_id)"
    broken = f"select {pages} from events where {within} and platform = 'ios' and app_version = '3.8.0'"
    whole = f"select {pages} from events where {within} and platform = 'android' and app_version = '3.8.0'"
    assert one(query(broken)) < 0.4 * one(query(whole))
    gap = """select day, 1 - own / value as gap from official_stats join
             (select dt, count(*) own from events where event = 'page_view' and not is_bot group by dt) on dt = day
             where metric = 'visit_pv' and dt < '2026-11-20'"""
    assert one(query(f"select count(*) from ({gap}) where gap > 0.1")) == 2
    assert one(query(f"select max(gap) from ({gap}) where gap <= 0.1")) < 0.05


def test_the_payment_incident_is_on_android(query: Query) -> None:
    story = plan(END, DAYS)
    within = f"epoch_us(event_time) between {story.incident_start} and {story.incident_end}"
    rate = "select avg((event = 'pay_fail')::int) from events where event in ('pay_fail', 'pay_success')"
    assert one(query(f"{rate} and {within} and platform = 'android'")) > 0.4
    assert one(query(f"{rate} and not ({within} and platform = 'android')")) < 0.12


def test_shared_links_form_chains_and_open_after_they_were_sent(query: Query) -> None:
    opened = "(select * from events where event = 'share_open')"
    sent = "(select * from events where event = 'share')"
    wrong = f"""select count(*) from {opened} o join {sent} s using (share_id)
                where o.event_time < s.event_time or o.from_openid <> s.openid"""
    assert one(query(wrong)) == 0
    chain = f"""select count(*) from {opened} first_link join {opened} second_link
                on second_link.from_openid = first_link.openid and second_link.event_time > first_link.event_time"""
    assert one(query(chain)) > 10
    assert one(query(f"select count(*) from {opened} o join {sent} s using (share_id) where o.dt = s.dt")) > 10
    posters = "select count(*) from events where scene = 1047 and from_openid is not null"
    assert one(query(posters)) > 0


def test_orders_are_split_and_every_amount_agrees(query: Query) -> None:
    halves = """select count(*), count(distinct paid_at), bool_or(order_id = parent_order_id) from orders
                where parent_order_id is not null group by parent_order_id"""
    split = query(halves)
    assert len(split) > 3
    assert {row[0] for row in split} == {2}
    assert not any(row[2] for row in split)
    lines = """select count(*) from orders o left join
               (select order_id, sum(amount) amount, sum(original_amount) original, sum(quantity) pieces
               from order_items group by order_id) i using (order_id)
               where (o.amount, o.original_amount, o.item_count) is distinct from (i.amount, i.original, i.pieces)"""
    assert one(query(lines)) == 0
    assert one(query("select count(*) from order_items where order_id not in (select order_id from orders)")) == 0
    assert one(query("select count(*) from orders where original_amount - discount_amount <> amount")) == 0
    assert one(query("select count(*) from orders where amount <= 0")) == 0
    paid = """select count(*) from
              (select coalesce(parent_order_id, order_id) id, sum(amount) amount, min(paid_at) paid_at
              from orders where paid_at is not null group by 1) o join events e on e.order_id = o.id
              where e.event = 'pay_success' and (e.amount <> o.amount or e.event_time <> o.paid_at)"""
    assert one(query(paid)) == 0
    unknown = """select count(*) from events where event = 'pay_success'
                 and order_id not in (select coalesce(parent_order_id, order_id) from orders)"""
    assert one(query(unknown)) == 0


def test_refunds_follow_their_orders(query: Query) -> None:
    assert one(query("select count(*) from refunds")) > 5
    wrong = """select count(*) from orders o left join refunds r using (order_id)
               where coalesce(r.amount, 0) <> o.refunded_amount or r.refunded_at <= o.paid_at
               or (r.amount > 0 and o.paid_at is null)
               or (o.status = 'refunded') <> coalesce(r.amount = o.amount, false)
               or (o.status = 'unpaid') <> (o.paid_at is null)"""
    assert one(query(wrong)) == 0
    logged = "select count(*), sum(amount) from events where event = 'refund_success' and session_id is null"
    assert query(logged) == query("select count(*), sum(amount) from refunds")


def test_users_remember_their_first_visit_and_payment(query: Query) -> None:
    assert one(query("select count(*) - count(distinct user_id) from users")) == 0
    visits = """(select user_id, min(event_time) seen from events
                where session_id is not null and not is_bot group by user_id)"""
    wrong = f"""select count(*) from users join {visits} using (user_id)
                where first_visit_at > seen or (first_visit_at < seen and first_visit_date >= '2026-09-22')
                or first_visit_date <> (first_visit_at + interval 8 hour)::date"""
    assert one(query(wrong)) == 0
    payments = "(select user_id, min(paid_at) paid from orders where paid_at is not null group by user_id)"
    wrong = f"""select count(*) from users join {payments} using (user_id)
                where first_paid_at is null or first_paid_at > paid"""
    assert one(query(wrong)) == 0
    assert 0.3 < one(query("select avg((first_visit_date < '2026-09-22')::int) from users")) < 0.6
    assert (
        one(query("select count(*) from events where not is_bot and user_id not in (select user_id from users)")) == 0
    )


def test_one_person_in_two_apps_is_one_with_a_unionid_and_two_without(query: Query) -> None:
    known = "from events where user_id is not null and not is_bot"
    both = "group by user_id having count(distinct app_id) = 2"
    assert len(query(f"select user_id {known} and unionid is not null {both}")) > 10
    assert query(f"select user_id {known} and unionid is null {both}") == []
    assert query(f"select unionid {known} and unionid is not null group by 1 having count(distinct user_id) > 1") == []
    assert query(f"select user_id {known} group by user_id, app_id having count(distinct openid) > 1") == []


def test_files_are_laid_out_for_scanning(shop: Path, query: Query) -> None:
    path = shop / "data" / "events" / "dt=2026-11-11" / "part-0.parquet"
    found = {
        name: (encodings, compression, rows)
        for name, encodings, compression, rows in query(
            f"select path_in_schema, encodings, compression, row_group_num_rows from parquet_metadata('{path}')"
        )
    }
    assert {row[1] for row in found.values()} == {"ZSTD"}
    assert max(row[2] for row in found.values()) <= 122_880
    assert "DELTA_BINARY_PACKED" in found["event_time"][0]
    assert "DELTA_BINARY_PACKED" in found["event_id"][0]
    assert "RLE_DICTIONARY" in found["event"][0]


def test_many_plain_events(tmp_path: Path) -> None:
    for name in "ab":
        demo.events_only(tmp_path / name, 50_000, days=7)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    log = f"read_parquet('{tmp_path}/a/data/events/**/*.parquet')"
    connection = duckdb.connect()
    described = {row[0]: row[1] for row in connection.execute(f"describe from {log}").fetchall()}
    assert described == {
        "event_id": "BIGINT",
        "user_id": "BIGINT",
        "event_time": "TIMESTAMP",
        "event": "VARCHAR",
        "channel": "VARCHAR",
        "platform": "VARCHAR",
        "amount": "DOUBLE",
        "dt": "DATE",
    }
    counts = f"""select count(*), count(distinct event_id), count(distinct channel), count(distinct dt),
                 count(*) filter ((amount is not null) <> (event = 'pay')),
                 count(*) filter (dt <> (event_time + interval 8 hour)::date) from {log}"""
    assert connection.execute(counts).fetchall() == [(50_000, 50_000, 12, 7, 0, 0)]
    users = f"select n from (select count(*) n from {log} group by user_id) order by n desc"
    activity = [row[0] for row in connection.execute(users).fetchall()]
    assert sum(activity[: len(activity) // 10]) > 0.25 * 50_000
