"""A model that uses every key of the format, and the dataclasses it becomes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from semantic.errors import Code, ModelError
from semantic.load import load_folder, load_texts
from semantic.load.format import MODEL
from semantic.load.read_list import ListOf
from semantic.load.read_shape import ByKey, ByType, Shape
from semantic.model.dataset import (
    Dataset,
    Dimension,
    DimensionType,
    Relationship,
    Segment,
    SharedDimension,
    Source,
    SourceFormat,
)
from semantic.model.expression import Expression, Ref
from semantic.model.first import FirstDefinition
from semantic.model.identity import Identity
from semantic.model.metric import (
    Aggregation,
    Attribution,
    Conversion,
    Cumulative,
    Derived,
    Format,
    Ratio,
    Retention,
    Simple,
)
from semantic.model.model import Model
from semantic.model.money import Currency, Rates
from semantic.model.policy import DatasetPolicy, HidePolicy, MetricPolicy, Rollup, SqlPolicy
from semantic.model.reach import reachable
from semantic.model.score import Alive, Risk, RiskRule, ScoreDefinition, SegmentRule
from semantic.model.sequence import (
    AttributionDefinition,
    AttributionModel,
    Clock,
    CohortType,
    CreditTime,
    EventSet,
    Exclude,
    ExcludeEffect,
    Funnel,
    FunnelEntry,
    FunnelOrder,
    RetentionDefinition,
    RetentionMode,
    Step,
)
from semantic.model.text import Text
from semantic.time import Duration, Grain, Unit, Weekday

MODELS = Path(__file__).parent / "models"


@pytest.fixture(scope="module")
def model() -> Model:
    return load_folder(MODELS / "whole")


def text(plain: str = "", **locales: str) -> Text:
    return Text((("", plain),) if plain else tuple(locales.items()))


def sql(canonical: str, *names: str, claims: tuple[str, ...] = ()) -> Expression:
    refs = tuple(Ref(tuple(path), last) for *path, last in (name.split(".") for name in names))
    return Expression(canonical, refs, claims)


PAID = sql("\"status\" = 'paid'", "status")


def test_the_model_itself(model: Model) -> None:
    assert (model.timezone, model.week_start, model.currency) == ("Asia/Shanghai", Weekday.SUNDAY, "CNY")
    assert dict(model.dimensions) == {
        "channel": SharedDimension(
            "channel",
            DimensionType.STRING,
            text(en="Channel", zh="渠道"),
            text(en="Where the visit came from.", zh="访问来源渠道。"),
        )
    }


def test_a_dataset_with_every_key(model: Model) -> None:
    assert model.datasets["events"] == Dataset(
        name="events",
        source=Source("data/events/**/*.parquet"),
        primary_key=("event_id",),
        unique=True,
        time_dimension="event_time",
        timezone="UTC",
        entities=(("user", "user_id"), ("session", "session_id")),
        dimensions=(
            Dimension(
                "channel",
                DimensionType.STRING,
                sql("COALESCE(\"channel\", '(none)')", "channel"),
                text(en="Channel", zh="渠道"),
                text(en="Where the visit came from.", zh="访问来源渠道。"),
            ),
            Dimension("platform", DimensionType.STRING, sql('"platform"', "platform")),
            Dimension("is_new", DimensionType.BOOLEAN, sql('"visits" = 1', "visits"), text("New"), text("First visit")),
        ),
        segments=(
            Segment(
                "app_only", sql("\"platform\" IN ('ios', 'android')", "platform"), text(en="App"), text("Apps only")
            ),
        ),
        passive=sql("\"event_name\" IN ('app_show', 'app_hide')", "event_name"),
        data_through=date(2026, 11, 30),
        warn_after=Duration(1, Unit.DAY),
        label=text(en="Events", zh="事件"),
        description=text("What visitors do"),
    )


def test_datasets_with_few_keys(model: Model) -> None:
    orders = model.datasets["orders"]
    assert orders.source == Source("s3://shop/orders/*.csv", SourceFormat.CSV)
    assert orders.primary_key == ("shop_id", "order_id")
    assert [dimension.label for dimension in orders.dimensions] == [text("Paid channel"), Text()]
    assert model.datasets["users"] == Dataset(
        name="users",
        source=Source("data/users.parquet"),
        primary_key=("user_id",),
        dimensions=(Dimension("member_level", DimensionType.STRING, sql('"member_level"', "member_level")),),
    )
    written = {name: one for name, one in model.relationships.items() if not one.implied}
    assert written == {"buyer": Relationship("buyer", "orders", "users", (("user_id", "user_id"),), text(zh="买家"))}


def test_currencies(model: Model) -> None:
    rates = Rates("fx", currency="code", rate="worth")
    assert model.datasets["orders"].currency == Currency("currency", ("amount",), rates, "placed_at")
    assert model.datasets["fx"].computed == (("half", sql('"worth" / 2', "worth")),)


def test_identities(model: Model) -> None:
    orders = model.datasets["orders"]
    assert orders.entities == (("user", "user_id"), ("guest", "guest_key"))
    assert orders.computed == (("guest_key", sql('COALESCE("phone", "device_id")', "device_id", "phone")),)
    assert dict(model.identities) == {"guest": Identity("guest", "guest_book", "guest_key", "phone")}


def test_metrics(model: Model) -> None:
    gmv = sql('"amount" - "discount"', "amount", "discount")
    gold = sql('"buyer"."member_level" = \'gold\'', "buyer.member_level")
    assert list(model.metrics.values()) == [
        Simple(
            name="uv",
            label=text(en="Unique visitors", zh="访客数"),
            dataset="events",
            agg=Aggregation.COUNT_DISTINCT,
            expr=sql('"user_id"', "user_id"),
        ),
        Simple(
            name="pv",
            description=text("Pages seen"),
            dataset="events",
            agg=Aggregation.COUNT,
            where=sql("\"event_name\" = 'page_view'", "event_name"),
        ),
        Simple(
            name="gmv",
            format=Format.CURRENCY,
            fill=0,
            dataset="orders",
            agg=Aggregation.SUM,
            expr=gmv,
            time_dimension=Ref((), "created_at"),
        ),
        Simple(
            name="slow",
            unallocated_null=True,
            dataset="events",
            agg=Aggregation.PERCENTILE,
            p=0.95,
            expr=sql('"stay_ms" / 1000', "stay_ms"),
        ),
        Simple(name="gold_orders", dataset="orders", agg=Aggregation.COUNT, where=gold),
        Ratio(name="uv_value", numerator="gmv", denominator="uv", fill=0.5),
        Derived(name="roi", format=Format.PERCENT, expr=sql('("gmv" - "uv") / NULLIF("uv", 0)', "gmv", "uv")),
        Cumulative(name="uv_7d", metric="uv", window=Duration(7, Unit.DAY)),
        Cumulative(name="gmv_mtd", metric="gmv", grain_to_date=Grain.MONTH),
        Conversion(name="detail_to_cart", funnel="checkout", from_step="detail", to_step="cart"),
        Retention(name="d7_retention", retention="new_visitors", period=7),
        Retention(
            name="payback_days",
            retention="plain",
            period=30,
            value=sql('"stay_ms"', "stay_ms"),
            cost="uv_value",
            mature=45,
        ),
        Attribution(
            name="attributed_gmv", attribution="last_touch", value=sql('"amount"', "amount"), time=CreditTime.CONVERSION
        ),
    ]


def event(name: str) -> Expression:
    return sql(f"\"event_name\" = '{name}'", "event_name")


def test_funnels(model: Model) -> None:
    assert list(model.funnels.values()) == [
        Funnel(
            name="checkout",
            entity="user",
            dataset="events",
            steps=(
                Step("detail", "events", event("detail_view"), text("Detail")),
                Step("cart", "events", event("add_to_cart")),
                Step("pay", "orders", PAID),
            ),
            window=Duration(7, Unit.DAY),
            order=FunnelOrder.STRICT,
            entry=FunnelEntry.FIRST,
            hold=("platform",),
            exclude=(Exclude(event("remove"), "detail", "pay", ExcludeEffect.REMOVE),),
            label=text(en="Checkout"),
            description=text(en="To the payment"),
        ),
        Funnel("same_day", "user", "events", (Step("a", "events"), Step("b", "events")), window=None),
    ]


def test_retentions(model: Model) -> None:
    assert list(model.retentions.values()) == [
        RetentionDefinition(
            name="new_visitors",
            entity="user",
            cohort=EventSet("events", sql('"is_bot" = FALSE', "is_bot")),
            returns=EventSet("orders", PAID),
            cohort_type=CohortType.RECURRING,
            grain=Grain.WEEK,
            mode=RetentionMode.BRACKET,
            clock=Clock.ELAPSED,
            periods=12,
            brackets=((1, 3), (4, 7)),
            label=text("New"),
            description=text("New visitors"),
        ),
        RetentionDefinition("plain", "user", EventSet("events"), EventSet("events")),
    ]


def test_scores(model: Model) -> None:
    assert dict(model.scores) == {
        "worth": ScoreDefinition(
            name="worth",
            version="2026-11",
            entity="user",
            dataset="orders",
            amount=sql('"amount"', "amount"),
            recency=(7, 30.5),
            frequency=(2, 5),
            monetary=(100,),
            where=PAID,
            time_dimension="paid_at",
            purchase=sql('"order_id"', "order_id"),
            segments=(
                SegmentRule(
                    "best", sql('"r_score" = 3 AND "f_score" >= 2', "f_score", "r_score"), text(en="Best", zh="最佳")
                ),
                SegmentRule("rest"),
            ),
            risks=(RiskRule("late", sql('"overdue" > 2', "overdue"), Risk.MEDIUM, text("Late")),),
            alive=Alive(0.243, 4.414, 0.793, 2.426, 7),
            label=text(en="Worth", zh="价值"),
            description=text("What buyers are worth"),
        )
    }


def test_a_score_is_a_dataset_of_its_entities(model: Model) -> None:
    made = model.datasets["worth"]
    assert (made.score, made.primary_key, made.entities) == ("worth", ("entity",), (("user", "entity"),))
    assert [(one.name, one.label.get("zh")) for one in made.dimensions[:2]] == [
        ("worth_segment", "价值 · 分层"),
        ("worth_risk", "价值 · 流失风险"),
    ]
    assert {one.from_dataset for one in model.relationships.values() if one.implied} == {"events", "orders"}
    assert {"worth_segment", "worth_f_score"} <= set(reachable(model, "events"))
    assert "worth_segment" not in reachable(model, "users")
    assert model.stored_as("worth") == "orders"
    assert made.name not in model.stored


def test_firsts(model: Model) -> None:
    assert dict(model.firsts) == {
        "seen": FirstDefinition(
            name="seen",
            entity="user",
            dataset="events",
            where=event("app_launch"),
            label=text(en="Visitor", zh="访客"),
            description=text("By the first launch"),
        )
    }
    assert {"seen_type", "seen_first_day"} <= set(reachable(model, "orders"))
    assert list(reachable(model, "seen")) == ["seen_first_day"]
    assert model.stored_as("seen") == "events"


def test_attributions(model: Model) -> None:
    assert dict(model.attributions) == {
        "last_touch": AttributionDefinition(
            name="last_touch",
            entity="user",
            conversion=EventSet("orders", PAID),
            touch=EventSet("events", event("app_launch")),
            touch_dimensions=("channel",),
            lookback=Duration(30, Unit.DAY),
            model=AttributionModel.TIME_DECAY,
            time=CreditTime.TOUCH,
            direct=sql("\"channel\" = 'direct'", "channel"),
            label=text("Last touch"),
            description=text("Who earned it"),
        )
    }


def test_rollups_and_policies(model: Model) -> None:
    assert list(model.rollups.values()) == [
        Rollup("daily_channel", "events", ("channel", "platform"), Grain.DAY, ("pv", "uv"))
    ]
    shop = sql('"shop_id" IN (:shop_ids) OR :is_admin', "shop_id", claims=("is_admin", "shop_ids"))
    assert list(model.policies.values()) == [
        DatasetPolicy("own_shop", "orders", shop),
        HidePolicy("no_cost", ("roi", "platform"), sql(":role = 'finance' OR :is_admin", claims=("is_admin", "role"))),
        HidePolicy("secret", ("slow",)),
        DatasetPolicy(
            "nobody_listed", "orders", entities=False, k=10, unless=sql(":role = 'analyst'", claims=("role",))
        ),
        MetricPolicy("few", ("gmv",), 5),
        SqlPolicy("plain", sql(":role = 'engineer'", claims=("role",))),
    ]


def test_things_know_where_they_stand(model: Model) -> None:
    gmv = model.metrics["gmv"]
    assert str(gmv.position) == "more/metrics.yaml:4:12"
    assert isinstance(gmv, Simple)
    assert gmv.expr
    assert [str(ref.position) for ref in gmv.expr.refs] == ["more/metrics.yaml:4:64", "more/metrics.yaml:4:73"]
    assert gmv.expr.source == "amount - discount"
    assert str(model.places.at("datasets", "orders", "primary_key", "order_id")) == "model.yml:33:28"
    assert str(model.places.at("datasets", "orders", "nothing", "of", "it")) == "model.yml:31:11"


def keys_of(reader: Any) -> Iterator[tuple[str, str]]:
    """Every (shape, key) of the format below a reader."""
    match reader:
        case Shape():
            for name, key in reader.keys.items():
                yield reader.title, name
                yield from keys_of(key.reader)
        case ByType() | ByKey():
            for shape in reader.shapes.values():
                yield from keys_of(shape)
        case ListOf():
            yield from keys_of(reader.reader)


def test_the_model_uses_every_key_of_the_format() -> None:
    written = " ".join(path.read_text(encoding="utf-8") for path in (MODELS / "whole").rglob("*.y*ml"))
    keys = list(keys_of(MODEL))
    assert len(keys) > 100
    assert [key for _, key in keys if f"{key}:" not in written] == []


def test_the_example_of_the_contract_loads() -> None:
    contract = load_folder(MODELS / "contract")
    assert len(contract.metrics) == 11
    assert contract.datasets["ad_spend"].source == Source("data/ad_spend.csv", SourceFormat.CSV)


def test_a_model_in_pieces_is_the_same_model(model: Model) -> None:
    whole = (MODELS / "whole" / "model.yml").read_text(encoding="utf-8")
    more = [path.read_text(encoding="utf-8") for path in sorted((MODELS / "whole" / "more").iterdir())]
    one = load_texts({"all.yml": whole + "".join(more)})
    for section in (
        "dimensions",
        "datasets",
        "relationships",
        "metrics",
        "funnels",
        "retentions",
        "scores",
        "firsts",
        "policies",
    ):
        assert dict(getattr(one, section)) == dict(getattr(model, section))
    assert one.digest != model.digest


def test_the_digest_is_of_names_and_texts() -> None:
    empty = {"a.yml": "version: 1", "b.yml": ""}
    assert load_texts(empty).digest == load_texts(dict(reversed(empty.items()))).digest
    assert load_texts(empty).digest != load_texts({"a.yml": "version: 1\n", "b.yml": ""}).digest
    assert load_texts(empty).digest != load_texts({"a.yml": "version: 1", "c.yml": ""}).digest


def test_hidden_folders_and_data_are_passed_over(tmp_path: Path) -> None:
    for place in ("model.yml", "deep/er/metrics.yaml", ".git/x.yml", "data/x.yml", "notes.txt", ".hidden.yml"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("no: model", encoding="utf-8")
    (tmp_path / "model.yml").write_text("version: 1", encoding="utf-8")
    (tmp_path / "deep/er/metrics.yaml").write_text("currency: EUR", encoding="utf-8")
    assert load_folder(tmp_path).currency == "EUR"


@pytest.mark.parametrize("make", [False, True])
def test_no_model(tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "model"
    if make:
        folder.mkdir()
    with pytest.raises(ModelError) as raised:
        load_folder(folder)
    assert raised.value.code is Code.NO_MODEL
    assert str(tmp_path) not in str(raised.value)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "model.yml").write_bytes("version: 1\ncurrency: 渠道\n".encode("gb18030"))
    with pytest.raises(ModelError, match=r"model\.yml:2:11: The file is not UTF-8"):
        load_folder(tmp_path)
