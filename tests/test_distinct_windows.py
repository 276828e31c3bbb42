"""Distinct counts over windows say the same by bits, whatever the length of a word, as by joining days with windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from itertools import product
from types import MappingProxyType

import pytest

from semantic.compile import compile_query
from semantic.lower import part
from semantic.query.query import (
    Between,
    Compare,
    Dates,
    DimensionField,
    Field,
    MetricField,
    MetricQuery,
    Operator,
    TimeField,
    TimeRange,
)
from semantic.sql.duckdb import DuckDB
from semantic.time import Duration, Grain, Unit
from tests.compiling import questions
from tests.compiling.database import database
from tests.compiling.rows import tables
from tests.reference.same import differences

SPLITS = {"mall": ((), ("channel",)), "market": ((), ("shop", "category")), "clinic": ((), ("site",))}
COUNTED = (("mall", "uv"), ("mall", "buyers"), ("market", "buyers"), ("clinic", "callers"))
EVERY = 8
"""Every eighth of all combinations is asked, beginning with another one for each metric."""
WINDOWS = (
    (Duration(1, Unit.DAY),),
    (Duration(3, Unit.DAY), Duration(7, Unit.DAY)),
    (Duration(2, Unit.WEEK), Duration(1, Unit.MONTH), Duration(200, Unit.DAY)),
)
RANGES: tuple[TimeRange | None, ...] = (
    None,
    Dates(date(2026, 11, 3), date(2026, 11, 20)),
    Between(datetime(2026, 11, 3, 5, 30), datetime(2026, 11, 8, 19, 30)),
)


def word_of(bits: int) -> DuckDB:
    dialect = DuckDB()
    dialect.word = bits
    return dialect


def fields_of(metric: str, windows: tuple[Duration, ...], split: tuple[str, ...]) -> Iterator[MetricField]:
    """The windows, one of them with a filter of its own and one of them earlier, and to-date counts."""
    for number, window in enumerate(windows):
        yield MetricField(f"w{number}", metric, rolling=window)
    yield MetricField("before", metric, rolling=windows[0], offset=Duration(2, Unit.DAY))
    yield MetricField("this_week", metric, to_date=Grain.WEEK)
    yield MetricField("this_year", metric, to_date=Grain.YEAR)
    if split:
        yield MetricField("own", metric, rolling=windows[-1], where=Compare(split[0], Operator.IS_NULL, False))


def asked(model: str, metric: str) -> Iterator[MetricQuery]:
    grains = ((Grain.DAY,), (Grain.WEEK,), (Grain.MONTH, Grain.DAY))
    every = tuple(product((False, True), RANGES, SPLITS[model], WINDOWS, grains))
    for fill, span, split, windows, times in every[COUNTED.index((model, metric)) :: EVERY]:
        keys: list[Field] = [
            *(TimeField(grain, grain) for grain in times),
            *(DimensionField(name, name) for name in split),
        ]
        yield MetricQuery((*keys, *fields_of(metric, windows, split)), span, limit=None, fill=fill)


@pytest.mark.parametrize(("model", "metric"), COUNTED, ids=lambda value: value)
def test_bits_say_what_the_join_says(model: str, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known, facts = replace(questions.model(model), policies=MappingProxyType({})), questions.facts(model)
    with database(tables(model)) as connected:
        for query in asked(model, metric):
            counted = [compile_query(known, query, facts, dialect=word_of(bits)).statement for bits in (5, 16, 126)]
            with monkeypatch.context() as patched:
                patched.setattr(part, "fits", lambda found, word: False)
                joined = compile_query(known, query, facts).statement
            assert "word0#" not in joined.sql
            assert "word0#" in counted[-1].sql
            expected = connected.run(joined)
            for statement in counted:
                assert differences(expected, connected.run(statement)) == [], query
