"""Every pass, executed: with it and without it, over data that it is and that it isn't about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import pytest

from engine import Answer, EngineSettings, open_engine
from semantic.compile import compile_query, datasets_needed
from semantic.errors import Code, QueryError
from semantic.lower.combine import lower
from semantic.model.facts import Facts
from semantic.model.metric import Derived, Metric, Ratio, Simple
from semantic.model.model import Model
from semantic.model.policy import DatasetPolicy, HidePolicy
from semantic.model.reach import splits
from semantic.query.bind import bind
from semantic.query.funnel import FunnelQuery, FunnelReport
from semantic.query.journey import JourneyQuery, JourneyReport
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.query import (
    ANONYMOUS,
    Compare,
    Comparison,
    Dates,
    DimensionField,
    Field,
    MetricField,
    MetricQuery,
    Operator,
    TimeField,
    Viewer,
)
from semantic.query.retention import RetentionQuery
from semantic.query.score import ScoreQuery, ScoreReport
from semantic.query.scored import with_scores
from semantic.query.touch_path import TouchPathQuery
from semantic.query.values import ValuesQuery
from semantic.query.visible import Question
from semantic.rewrite import PASSES, rewrite_plan
from semantic.rewrite.dedupe import dedupe
from semantic.rewrite.resolve import resolve
from semantic.rewrite.secure import secure
from semantic.sql.statement import Statement
from semantic.time import Duration, Grain, Unit
from tests.compiling import questions
from tests.compiling.database import database
from tests.compiling.golden import FILES, read
from tests.compiling.guarded import unguarded
from tests.compiling.rows import tables
from tests.reference.rows import Row, distinct_rows
from tests.reference.same import differences
from tests.reference.world import Table

GOLDENS = pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")


def distinct(name: str) -> dict[str, Table]:
    """A golden model's tables, de-duplicated by plain Python."""
    model = questions.model(name)
    return {
        dataset: replace(table, rows=distinct_rows(model.datasets[dataset], table.rows), cuts=())
        for dataset, table in tables(name).items()
    }


# --- a pass that has nothing to do does nothing ----------------------------------------------------------------------


@GOLDENS
def test_plans_over_clean_open_data_pass_untouched(path: Path) -> None:
    golden = read(path)
    if golden.model == "bazaar":  # whose columns mean something else
        return
    model = replace(questions.model(golden.model), policies=MappingProxyType({}))
    with database(distinct(golden.model)) as connected:
        facts = with_scores(model, connected.facts(model))
    for question in golden.questions:
        if isinstance(question, MetricQuery):
            plan = lower(bind(model, question, facts))
            assert rewrite_plan(plan, model, facts, ANONYMOUS) is plan


# --- dedupe ----------------------------------------------------------------------------------------------------------


@GOLDENS
def test_rows_that_repeat_a_key_are_one(path: Path) -> None:
    golden = read(path)
    model = questions.model(golden.model)
    with database(tables(golden.model)) as raw, database(distinct(golden.model)) as clean:
        facts = raw.facts(model)
        for question in golden.questions:
            repeated = compile_query(model, question, facts, golden.viewer)
            once = compile_query(model, question, _unique(facts, clean.facts(model)), golden.viewer)
            assert differences(clean.run(once.statement), raw.run(repeated.statement)) == []


def _unique(facts: Facts, clean: Facts) -> Facts:
    """Facts with the keys that clean data proves."""
    datasets = {
        name: replace(known, unique_keys=clean.datasets[name].unique_keys) for name, known in facts.datasets.items()
    }
    return replace(facts, datasets=datasets)


def test_the_golden_data_has_repeated_keys_that_matter() -> None:
    """Or else the tests above would hold without the pass."""
    model = questions.model("mall")
    query = MetricQuery((MetricField("pv", "pv"), MetricField("gold", "gold_pv")))
    with database(tables("mall")) as raw:
        facts = raw.facts(model)
        with_pass = raw.run(compile_query(model, query, facts).statement)
        promised = replace(
            model, datasets={name: replace(dataset, unique=True) for name, dataset in model.datasets.items()}
        )
        without = raw.run(compile_query(promised, query, facts).statement)
    assert with_pass[0]["pv"] < without[0]["pv"]
    assert with_pass[0]["gold"] < without[0]["gold"]


@GOLDENS
def test_an_engine_that_presents_unique_rows_gives_the_same(path: Path, tmp_path: Path) -> None:
    golden = read(path)
    model = questions.model(golden.model)
    for name, table in tables(golden.model).items():
        table.write(tmp_path / "data" / name)
    asked = golden.questions
    answers = asyncio.run(served(model, tmp_path, asked, golden.viewer))
    with database(tables(golden.model)) as raw:
        facts = raw.facts(model)
        for question, answer in zip(asked, answers, strict=True):
            expected = raw.run(compile_query(model, question, facts, golden.viewer).statement)
            assert "rank#" not in answer.statement.sql
            assert differences(expected, answer.table.to_pylist()) == []


async def served(model: Model, root: Path, asked: Sequence[Question], viewer: Viewer) -> list[Answer]:
    """What the real engine answers, over files."""
    engine = open_engine(model, root, EngineSettings(threads=1, concurrent=1, settle_seconds=0))

    def compiled(question: Question) -> Callable[[Facts], Statement]:
        return lambda facts: compile_query(model, question, facts, viewer).statement

    try:
        return [await engine.answer(datasets_needed(model, one), compiled(one)) for one in asked]
    finally:
        await engine.close()


# --- secure ----------------------------------------------------------------------------------------------------------

MARKET = questions.model("market")
OPEN = replace(MARKET, policies=MappingProxyType({}))
VIEWERS = (
    Viewer("ann", (("owner", "ann"), ("role", "finance"), ("shop_ids", ("s1", "s2")))),
    Viewer("bob", (("owner", "bob"), ("role", "finance"), ("shop_ids", ("s2", "s3")))),
    Viewer("one", (("owner", "ann"), ("role", "finance"), ("shop_ids", "s3"))),
    Viewer("nobody", (("owner", "carol"), ("role", "finance"), ("shop_ids", ()))),
)
FRAMES: tuple[Mapping[str, Any], ...] = (
    {},
    {"rolling": Duration(3, Unit.DAY)},
    {"to_date": Grain.MONTH},
    {"offset": Duration(2, Unit.DAY)},
    {"offset": Duration(1, Unit.WEEK), "comparison": Comparison.CHANGE_RATIO},
)
SPLITS: tuple[tuple[str, ...], ...] = ((), ("shop",), ("category", "product_brand"), ("seller_region",), ("reason",))
RANGE = Dates(date(2026, 11, 4), date(2026, 11, 12))


def market_questions() -> Iterator[Question]:
    """Every metric in every frame by everything it can be split by, several at once, and values for pickers."""
    for name, metric in MARKET.metrics.items():
        if isinstance(metric, Simple) and metric.dataset in MARKET.scores:
            continue  # how things stand has no time; see scores()
        for frame in FRAMES:
            if not isinstance(metric, Simple | Ratio | Derived) and frame.keys() & {"rolling", "to_date"}:
                continue
            for split in (one for one in SPLITS if set(one) <= set(splits(MARKET, metric))):
                fields: list[Field] = [TimeField("time", Grain.DAY), MetricField(name, name, **frame)]
                fields += [DimensionField(one, one) for one in split]
                yield MetricQuery(tuple(fields), RANGE, limit=None)
    several = ("sales", "returns", "net", "return_rate")
    yield MetricQuery((DimensionField("shop", "shop"), *(MetricField(name, name) for name in several)), limit=None)
    yield MetricQuery(tuple(MetricField(name, name) for name in several), limit=None)
    north = Compare("seller_region", Operator.NE, "north")
    yield MetricQuery((DimensionField("shop", "shop"), MetricField("sales", "sales", where=north)), where=north)
    for name in ("shop", "category", "product_brand", "seller_region", "returned_to_owner", "reason"):
        yield ValuesQuery(name)
        yield ValuesQuery(name, search="o", time_range=RANGE)
    yield from reports()
    yield from scores()


def reports() -> Iterator[Question]:
    """Whole reports of the market's funnel and retention."""
    funnel, retention = "buy_and_return", "buyers_again"
    for split in ((), ("shop",), ("seller_region", "category")):
        yield FunnelQuery(funnel, breakdown=split)
        yield FunnelQuery(funnel, breakdown=split, grain=Grain.WEEK, time_range=RANGE)
        yield RetentionQuery(retention, breakdown=split, time_range=RANGE, periods=4)
    yield FunnelQuery(funnel, FunnelReport.HISTOGRAM, RANGE)
    yield FunnelQuery(funnel, FunnelReport.DROP_OFFS, RANGE, step=1)
    yield LifecycleQuery(retention, time_range=RANGE)
    north = Compare("seller_region", Operator.NE, "north")
    yield TouchPathQuery("regretted", metric="regretted_refunds", time_range=RANGE)
    for report in JourneyReport:
        yield JourneyQuery("shop", north, report=report, within=Duration(9, Unit.DAY), where=north)


def scores() -> Iterator[Question]:
    """The market's score: who stands how, counted, and as a split of other metrics."""
    for span in (None, RANGE):
        yield ScoreQuery("worth", time_range=span)
        yield ScoreQuery("worth", ScoreReport.HISTORY, time_range=span)
        split = DimensionField("segment", "worth_segment")
        yield MetricQuery((split, *(MetricField(name, name) for name in ("worthy", "worth_paid", "sales"))), span)
        yield MetricQuery((split, MetricField("returns", "returns"), DimensionField("shop", "shop")), span)
    yield ValuesQuery("worth_risk")
    for dimension in ("buying_type", "buying_first_day"):
        yield MetricQuery((DimensionField("d", dimension), MetricField("returns", "returns")), RANGE)
        yield MetricQuery((DimensionField("d", dimension), MetricField("buyers", "buyers")))
        yield ValuesQuery(dimension)


def own_rows(viewer: Viewer) -> dict[str, Table]:
    """The market's tables without what is not the viewer's, by plain Python."""
    claims = dict(viewer.claims)
    owner, ids = claims["owner"], claims["shop_ids"]
    found = distinct("market")
    shops = [row for row in found["shops"].rows if row["owner"] == owner and not row["closed"]]
    names = {row["shop_id"] for row in shops}
    kept: dict[str, list[Row]] = {
        "shops": shops,
        "products": [row for row in found["products"].rows if row["owner"] in (owner, None)],
        "sales": [row for row in found["sales"].rows if row["shop_id"] in (ids if isinstance(ids, tuple) else (ids,))],
        "returns": [row for row in found["returns"].rows if row["shop_id"] in names],
    }
    return {name: replace(found[name], rows=rows) for name, rows in kept.items()}


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.id)
def test_a_viewer_sees_what_there_would_be_without_the_rows_of_others(viewer: Viewer) -> None:
    asked = 0
    with database(tables("market")) as whole, database(own_rows(viewer)) as own:
        facts = whole.facts(MARKET)
        clean = _unique(facts, own.facts(MARKET))
        for question in market_questions():
            protected = compile_query(MARKET, question, facts, viewer)
            expected = own.run(compile_query(OPEN, question, clean).statement)
            assert differences(expected, whole.run(protected.statement)) == [], question
            assert list(unguarded(protected.plan, MARKET)) == []
            asked += 1
    assert asked > 250


def test_no_kind_of_question_nor_of_metric_is_left_out() -> None:
    """A new kind has to be asked above."""
    asked = tuple(market_questions())
    assert {type(question) for question in asked} == set(get_args(Question))
    named = {field.metric for question in asked if isinstance(question, MetricQuery) for field in question.metrics}
    assert {type(MARKET.metrics[name]) for name in named} == set(get_args(Metric))


def test_without_the_pass_a_viewer_would_see_more() -> None:
    """Or else the test above would hold without the pass."""
    with database(tables("market")) as whole:
        facts = whole.facts(MARKET)
        for metric in ("sales", "returns", "branded_sales", "revenue"):
            query = MetricQuery((MetricField(metric, metric),))
            every = whole.run(compile_query(OPEN, query, facts).statement)[0][metric]
            own = whole.run(compile_query(MARKET, query, facts, VIEWERS[0]).statement)[0][metric]
            assert own < every


@GOLDENS
def test_every_protected_scan_lies_under_its_policies(path: Path) -> None:
    golden = read(path)
    for _, compiled, _ in golden.compiled():
        assert list(unguarded(compiled.plan, questions.model(golden.model))) == []


def test_an_unguarded_scan_is_noticed() -> None:
    query = MetricQuery((DimensionField("region", "seller_region"), MetricField("sales", "sales")))
    plan = lower(bind(MARKET, query, questions.facts("market")))
    assert sorted(unguarded(plan, MARKET)) == ["sales", "shops"]


def test_the_order_of_the_passes() -> None:
    """What a policy looks at is resolved, and through a relationship it is de-duplicated too."""
    assert list(PASSES) == [secure, resolve, dedupe]


def test_what_a_policy_looks_at_is_one_row_a_key() -> None:
    """Two rows of one shop must not show a return twice."""
    doubled = tables("market")
    doubled["shops"] = replace(doubled["shops"], rows=doubled["shops"].rows * 2)
    query = MetricQuery((MetricField("returns", "returns"),))
    with database(doubled) as twice, database(tables("market")) as once:
        expected = once.run(compile_query(MARKET, query, once.facts(MARKET), VIEWERS[0]).statement)
        assert twice.run(compile_query(MARKET, query, twice.facts(MARKET), VIEWERS[0]).statement) == expected


# --- claims ----------------------------------------------------------------------------------------------------------


def ask(policy: str, claim: Any, dataset: str = "sales") -> list[Row]:
    """Sales of a market with one policy, for a viewer with one claim, `c`."""
    expression = _policy(policy, dataset)
    model = replace(MARKET, policies=MappingProxyType({"p": DatasetPolicy("p", dataset, expression)}))
    query = MetricQuery((MetricField("n", "sales"),))
    with database(tables("market")) as connected:
        viewer = Viewer("v", (("c", claim),))
        return connected.run(compile_query(model, query, connected.facts(model), viewer).statement)


def _policy(where: str, dataset: str) -> Any:
    from semantic.load import load_texts

    text = (questions.PLANS / "market" / "model.yml").read_text(encoding="utf-8")
    loaded = load_texts({"m.yml": text + f"\n  - {{name: p, dataset: {dataset}, where: '{where}'}}\n"})
    policy = loaded.policies["p"]
    assert isinstance(policy, DatasetPolicy)
    assert policy.where is not None
    return policy.where


@pytest.mark.parametrize(
    ("policy", "claim", "same_as"),
    [
        ("product_id in (:c)", ("1", "2"), ("product_id in (:c)", (1, 2))),
        ("product_id = :c", "1", ("product_id = :c", 1)),
        ("product_id >= :c", "3", ("not product_id < :c", 3)),
        ("product_id in (:c)", (), ("product_id = :c", None)),
        ("shop_id in (:c)", "s1", ("shop_id = :c", "s1")),
        ("product_id in (:c, 4)", 1, ("product_id in (:c)", (1, 4))),
        ("lower(shop_id) = :c", "s1", ("shop_id = :c", "s1")),
        ("product.category = :c", "toys", ("product.category in (:c)", ("toys",))),
    ],
)
def test_claims_are_compared_as_the_column_they_stand_beside(policy: str, claim: Any, same_as: tuple[str, Any]) -> None:
    assert ask(policy, claim) == ask(*same_as)


@pytest.mark.parametrize(
    ("policy", "claim", "message"),
    [
        ("shop_id = :other", "s1", 'This needs the claim "other", which you don\'t have.'),
        (
            "shop_id = :c",
            ("s1", "s2"),
            'Your claim "c" can\'t be compared as the policy "p" does. Write `in (:c)` for a claim that is a list.',
        ),
        (
            "product_id in (:c)",
            ("x",),
            'Your claim "c" can\'t be compared as the policy "p" does. It is compared with values of kind integer.',
        ),
        (
            "shop_id = :c",
            True,
            'Your claim "c" can\'t be compared as the policy "p" does. It is compared with values of kind string.',
        ),
    ],
)
def test_claims_that_do_not_fit_are_refused(policy: str, claim: Any, message: str) -> None:
    with pytest.raises(QueryError) as refused:
        ask(policy, claim)
    assert (refused.value.code, str(refused.value)) == (Code.FORBIDDEN, message)


def test_policies_that_need_each_other_are_refused() -> None:
    """`sales` by their shops and shops by their sales: nobody can say where to begin."""
    shops = replace(
        MARKET.relationships["seller"],
        name="last_sale",
        from_dataset="shops",
        to_dataset="sales",
        columns=(("shop_id", "sale_id"),),
    )
    model = replace(
        MARKET,
        relationships={**MARKET.relationships, "last_sale": shops},
        policies={
            "a": DatasetPolicy("a", "sales", _policy("seller.owner = :c", "sales")),
            "b": DatasetPolicy("b", "shops", replace(_policy("region = :c", "shops"), **_through("last_sale"))),
        },
    )
    with pytest.raises(QueryError) as refused:
        compile_query(
            model, MetricQuery((MetricField("n", "sales"),)), questions.facts("market"), Viewer("v", (("c", "x"),))
        )
    assert refused.value.code is Code.FORBIDDEN
    assert str(refused.value) == (
        'The policies of "sales" need each other, so that nobody may see it. Its model has to be mended.'
    )


def _through(relationship: str) -> dict[str, Any]:
    from semantic.model.expression import Ref

    return {"sql": f'"{relationship}"."buyer_id" = :c', "refs": (Ref((relationship,), "buyer_id"),)}


def test_hidden_names_do_not_exist() -> None:
    assert any(isinstance(policy, HidePolicy) for policy in MARKET.policies.values())
    query = MetricQuery((MetricField("n", "margin"),))
    with pytest.raises(QueryError) as refused:
        compile_query(MARKET, query, questions.facts("market"), Viewer("v", (("role", "sales"),)))
    assert (refused.value.code, str(refused.value)) == (Code.UNKNOWN_METRIC, 'There is no metric "margin".')
