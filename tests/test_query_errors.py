"""Broken queries and the exact words each gets. `pytest tests/test_query_errors.py --update` writes them anew.

The pages of golden/queries hold GraphQL documents. What GraphQL's types already refuse, but other doors may ask, is
below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.errors import RequestCode
from semantic.compile import compile_query, datasets_needed
from semantic.errors import Code, HeadwaterError, QueryError
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.query.query import (
    Compare,
    DimensionField,
    Having,
    Last,
    MetricField,
    MetricQuery,
    Operator,
    OrderBy,
    TimeField,
    Viewer,
)
from semantic.query.values import ValuesQuery
from semantic.query.warning import WarningCode
from semantic.time import Grain, Unit
from tests.compiling import questions
from tests.compiling.golden import viewer_of

FOLDER = Path(__file__).parent / "golden" / "queries"
PAGES = sorted(FOLDER.glob("*.md"))
_ENTRY = re.compile(
    r"## (?P<title>[^\n]+)\n\n(Viewer: (?P<viewer>[^\n]+)\n\n)?"
    r"```graphql\n(?P<document>.+?)\n```\n(\n```text\n(?P<told>.*?)```\n)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A document that is refused. `told`: the words its page has for it."""

    title: str
    model: str
    viewer: Viewer
    document: str
    told: str | None

    def words(self) -> str:
        """The words it gets."""
        return "\n".join(map(_words, questions.refusals(self.model, self.document, viewer=self.viewer)))


def _words(error: dict[str, Any]) -> str:
    told = error["extensions"]
    whose = {"user": "the caller's fault", "ours": "our fault"}[told["fault"]]
    place = f", at {'.'.join(map(str, error['path']))}" if error.get("path") else ""
    return "".join(
        f"{line}\n" for line in (f"{told['code']}: {whose}{place}", error["message"], told.get("suggestion")) if line
    )


def broken(page: Path) -> Iterator[Broken]:
    text = page.read_text(encoding="utf-8")
    (model,) = re.findall(r"^Model: (\w+)$", text, re.MULTILINE)
    for found in _ENTRY.finditer(text):
        yield Broken(found["title"], model, viewer_of(found["viewer"]), found["document"], found["told"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_broken_queries(page: Path, update: bool) -> None:
    entries = list(broken(page))
    if update:
        head = page.read_text(encoding="utf-8").split("\n## ")[0].rstrip()
        found = _ENTRY.finditer(page.read_text(encoding="utf-8"))
        bodies = [re.sub(r"\n```text\n.*?```\n", "", match[0], flags=re.DOTALL) for match in found]
        parts = [f"\n{body}\n```text\n{entry.words()}```\n" for body, entry in zip(bodies, entries, strict=True)]
        page.write_text(f"{head}\n{''.join(parts)}", encoding="utf-8")
        entries = list(broken(page))
    assert page.read_text(encoding="utf-8").count("\n## ") == len(entries)
    for entry in entries:
        assert entry.words() == entry.told, entry.title


def test_there_are_enough() -> None:
    titles = [entry.title for page in PAGES for entry in broken(page)]
    assert len(set(titles)) == len(titles) >= 60


# --- what GraphQL's types refuse, but other doors may ask -------------------------------------------------------------

GMV = MetricField("gmv", "gmv")
CHANNEL = DimensionField("channel", "channel")


def where(dimension: str, operator: Operator, value: Any) -> MetricQuery:
    return MetricQuery((GMV,), where=Compare(dimension, operator, value))


def having(key: str, operator: Operator, value: Any) -> MetricQuery:
    return MetricQuery((CHANNEL, GMV, MetricField("orders", "orders")), having=(Having(key, operator, value),))


REFUSED: list[tuple[MetricQuery | ValuesQuery, Code, str]] = [
    (MetricQuery((MetricField("a", "gvm"),)), Code.UNKNOWN_METRIC, 'There is no metric "gvm". Did you mean "gmv"?'),
    (MetricQuery((MetricField("a", "x"),)), Code.UNKNOWN_METRIC, 'There is no metric "x".'),
    (
        MetricQuery((DimensionField("a", "chanel"), GMV)),
        Code.UNKNOWN_DIMENSION,
        'There is no dimension "chanel". Did you mean "channel"?',
    ),
    (
        where("buyer_memberlevel", Operator.EQ, "gold"),
        Code.UNKNOWN_DIMENSION,
        'There is no dimension "buyer_memberlevel". '
        'Did you mean "buyer_member_level", "member_level" or "visitor_member_level"?',
    ),
    (
        MetricQuery((GMV,), segments=("knwon",)),
        Code.UNKNOWN_NAME,
        'There is no segment "knwon". Did you mean "known"?',
    ),
    (
        MetricQuery((GMV, MetricField("gmv", "orders"))),
        Code.BAD_ARGUMENT,
        "Two fields have the same response key. Give one of them an alias.",
    ),
    (
        MetricQuery((TimeField("gmv", Grain.DAY), GMV)),
        Code.BAD_ARGUMENT,
        "Two fields have the same response key. Give one of them an alias.",
    ),
    (
        MetricQuery((CHANNEL, GMV), order_by=(OrderBy("orders"),)),
        Code.BAD_ARGUMENT,
        '`orderBy` names "orders", which is not selected in `rows`. Selected are: channel, gmv.',
    ),
    (
        MetricQuery((DimensionField("c", "channel", Grain.DAY), GMV)),
        Code.GRAIN_NOT_POSSIBLE,
        '"channel" can\'t be bucketed by DAY. '
        "Only date and time dimensions have a grain, and a date none finer than a day.",
    ),
    (
        where("channel", Operator.EQ, 5),
        Code.BAD_ARGUMENT,
        "`channel` holds texts: it can't be compared with 5. Write a text in quotes.",
    ),
    (
        where("channel", Operator.EQ, None),
        Code.BAD_ARGUMENT,
        "`channel` can't be compared with null. Use `isNull: true`.",
    ),
    (
        where("channel", Operator.IN, ("ads", None)),
        Code.BAD_ARGUMENT,
        "`channel` can't be compared with null. Use `isNull: true`.",
    ),
    (
        where("channel", Operator.EQ, ("ads", "search")),
        Code.BAD_ARGUMENT,
        "`channel` is compared by `eq` with a list. Use `in` or `notIn`.",
    ),
    (
        where("item_count", Operator.STARTS_WITH, "1"),
        Code.BAD_ARGUMENT,
        "`item_count` holds no texts: it can't be compared by `startsWith`.",
    ),
    (
        where("item_count", Operator.GT, "2"),
        Code.BAD_ARGUMENT,
        "`item_count` holds numbers: it can't be compared with \"2\".",
    ),
    (
        where("item_count", Operator.IN, (1, True)),
        Code.BAD_ARGUMENT,
        "`item_count` holds numbers: it can't be compared with true.",
    ),
    (
        where("item_count", Operator.LT, float("nan")),
        Code.BAD_ARGUMENT,
        "`item_count` holds numbers: it can't be compared with nan.",
    ),
    (
        where("item_count", Operator.LT, Decimal("Infinity")),
        Code.BAD_ARGUMENT,
        "`item_count` holds numbers: it can't be compared with Infinity.",
    ),
    (
        where("item_count", Operator.EQ, 10**38),
        Code.BAD_ARGUMENT,
        "`item_count` is compared with a number of more than 38 digits.",
    ),
    (
        where("created", Operator.GTE, "2026-11-01"),
        Code.BAD_ARGUMENT,
        '`created` holds instants: it can\'t be compared with "2026-11-01". '
        'Write an instant as "2026-11-30T08:00:00+08:00".',
    ),
    (
        where("created", Operator.GTE, date(2026, 11, 1)),
        Code.BAD_ARGUMENT,
        '`created` holds instants: it can\'t be compared with "2026-11-01". '
        'Write an instant as "2026-11-30T08:00:00+08:00".',
    ),
    (
        where("buyer_joined", Operator.LT, datetime(2026, 11, 1, 8)),
        Code.BAD_ARGUMENT,
        '`buyer_joined` holds days: it can\'t be compared with "2026-11-01 08:00:00". Write a day as "2026-11-30".',
    ),
    (
        MetricQuery((MetricField("pv", "pv", where=Compare("is_bot", Operator.GT, False)),)),
        Code.BAD_ARGUMENT,
        "`is_bot` is true or false, neither of which is greater. Use `eq`.",
    ),
    (
        MetricQuery((MetricField("pv", "pv", where=Compare("is_bot", Operator.EQ, 1)),)),
        Code.BAD_ARGUMENT,
        "`is_bot` holds true or false: it can't be compared with 1.",
    ),
    (having("gmv", Operator.GT, "10"), Code.BAD_ARGUMENT, "`gmv` holds numbers: it can't be compared with \"10\"."),
    (
        having("orders", Operator.CONTAINS, "1"),
        Code.BAD_ARGUMENT,
        "`orders` holds no texts: it can't be compared by `contains`.",
    ),
    (
        having("channel", Operator.EQ, 1),
        Code.BAD_ARGUMENT,
        "`channel` holds texts: it can't be compared with 1. Write a text in quotes.",
    ),
    (ValuesQuery("chanel"), Code.UNKNOWN_DIMENSION, 'There is no dimension "chanel". Did you mean "channel"?'),
    (ValuesQuery("channel", limit=0), Code.BAD_ARGUMENT, "`limit` must be 1 to 10,000."),
    (
        ValuesQuery("channel", where=Compare("chanel", Operator.EQ, "ads")),
        Code.UNKNOWN_DIMENSION,
        'There is no dimension "chanel". Did you mean "channel"?',
    ),
    (
        ValuesQuery("channel", where=Compare("channel", Operator.EQ, 1)),
        Code.BAD_ARGUMENT,
        "`channel` holds texts: it can't be compared with 1. Write a text in quotes.",
    ),
]  # fmt: skip


def ask(model: Model, query: MetricQuery | ValuesQuery, facts: Facts) -> None:
    """As every door does."""
    datasets_needed(model, query)
    compile_query(model, query, facts)


@pytest.mark.parametrize(
    ("query", "code", "words"), REFUSED, ids=lambda part: part.value if isinstance(part, Code) else ""
)
def test_refused_queries(query: MetricQuery | ValuesQuery, code: Code, words: str) -> None:
    model, facts = questions.model("mall"), questions.facts("mall")
    with pytest.raises(QueryError) as refused:
        ask(model, query, facts)
    assert (refused.value.code, str(refused.value)) == (code, words)


def test_no_rows_have_no_last_days() -> None:
    model, known = questions.model("mall"), questions.facts("mall")
    empty = Facts("0", {name: replace(facts, bounds={}, rows=0) for name, facts in known.datasets.items()})
    with pytest.raises(QueryError) as refused:
        compile_query(model, MetricQuery((GMV,), Last(7, Unit.DAY)), empty)
    assert refused.value.code is Code.BAD_TIME_RANGE
    assert str(refused.value) == (
        "There are no rows yet, so nobody can say which periods are the last. Give `dates` instead."
    )


def test_a_relationship_to_several_rows_is_our_fault() -> None:
    """Numbers would be counted twice."""
    model, known = questions.model("mall"), questions.facts("mall")
    users = {
        name: replace(dataset, primary_key=()) if name == "users" else dataset
        for name, dataset in model.datasets.items()
    }
    query = MetricQuery((DimensionField("level", "buyer_member_level"), GMV))
    with pytest.raises(HeadwaterError) as refused:
        compile_query(replace(model, datasets=users), query, known)
    assert refused.value.code is Code.DATA_ERROR
    assert str(refused.value) == (
        'Relationship "buyer" leads to several rows of "users" for one value of user_id: '
        "numbers would be counted more than once. "
        'Declare the primary_key of "users", or remove the repeated rows.'
    )


# --- the page of all codes -------------------------------------------------------------------------------------------


def test_every_code_has_its_paragraph() -> None:
    page = (Path(__file__).parent.parent / "docs" / "errors.md").read_text(encoding="utf-8")
    paragraphs = dict(re.findall(r"^### (\w+)\n(.+?)(?=\n\n|\Z)", page, re.MULTILINE | re.DOTALL))
    codes = [code.value for kind in (Code, RequestCode, WarningCode) for code in kind]
    assert sorted(paragraphs) == sorted(codes)
    assert all(len(paragraph) > 40 for paragraph in paragraphs.values())


def test_every_warning_is_given_somewhere() -> None:
    """A code that nothing gives would be a promise that nothing keeps."""
    root = Path(__file__).parent.parent
    rooms = ("semantic", "engine", "api")
    text = "\n".join(path.read_text(encoding="utf-8") for room in rooms for path in (root / room).rglob("*.py"))
    assert {code.name for code in WarningCode} == set(re.findall(r"\bWarningCode\.(\w+)", text))
