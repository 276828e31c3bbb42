"""Rows written by column say what rows read cell by cell say."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.resolvers.rows import Cells, Part, Rows, write_arrays, write_objects

ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Africa/Monrovia")
_INSTANTS = st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1))
_TEXTS = st.text(max_size=8) | st.sampled_from(['"', "\\", "渠道", "\x00\x1f\x7f", "\u2028", "</script>", "😀", ""])

COLUMNS = {
    pa.string(): _TEXTS,
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 2**53 + 1, 2**63 - 1, -(2**63)]),
    pa.float64(): st.floats() | st.sampled_from([0.1, -0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf]),
    pa.decimal128(38, 10): st.decimals(-(10**27), 10**27, places=10),
    pa.bool_(): st.booleans(),
    pa.date32(): st.dates(date(1, 1, 1), date(9999, 12, 31)),
    pa.timestamp("us"): _INSTANTS,
    pa.timestamp("us", "UTC"): _INSTANTS.map(lambda instant: instant.replace(tzinfo=UTC)),
}


def expected(value: Any, zone: ZoneInfo) -> Any:
    """What JSON should hold, worked out without Arrow."""
    if isinstance(value, datetime):
        return (value.astimezone(zone) if value.tzinfo else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float):
        return float(found) == wanted
    if isinstance(wanted, Decimal):
        return Decimal(found) == wanted
    return type(found) is type(wanted) and bool(found == wanted)


@st.composite
def columns(draw: st.DrawFn) -> tuple[pa.DataType, list[Any]]:
    kind = draw(st.sampled_from(list(COLUMNS)))
    return kind, draw(st.lists(st.none() | COLUMNS[kind], max_size=12))


@settings(max_examples=400, deadline=None)
@given(column=columns(), zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_every_kind_of_column(column: tuple[pa.DataType, list[Any]], zone: ZoneInfo) -> None:
    kind, values = column
    rows = Rows(pa.table({"a": pa.array(values, kind)}), zone)
    written = write_objects(rows, [Part("x", "a")])
    found = json.loads(written, parse_float=str, parse_constant=pytest.fail)
    assert len(found) == len(values)
    for cell, value, row in zip(found, values, rows, strict=True):
        wanted = expected(value, zone)
        assert same(cell["x"], wanted), (cell["x"], wanted)
        read = row.value("a")
        assert same(cell["x"], expected(read, zone)), (cell["x"], read)


def test_parts() -> None:
    table = pa.table({"a": [1, 2], 'quo"te': ["x", None]})
    rows = Rows(table, ZoneInfo("UTC"))
    parts = [Part("a", "a"), Part("__typename", constant="Row"), Part('q"', 'quo"te'), Part("absent", "b")]
    assert json.loads(write_objects(rows, parts)) == [
        {"a": 1, "__typename": "Row", 'q"': "x", "absent": None},
        {"a": 2, "__typename": "Row", 'q"': None, "absent": None},
    ]
    assert json.loads(write_objects(rows, [Part("only", constant='"')])) == [{"only": '"'}, {"only": '"'}]
    assert json.loads(write_objects(rows, [])) == [{}, {}]
    assert json.loads(write_arrays(rows, ['quo"te', "a"])) == [["x", 1], [None, 2]]
    assert list(Cells(rows, ('quo"te', "a"))) == [["x", 1], [None, 2]]


@pytest.mark.parametrize("count", [0, 1, 16_384, 16_385, 40_000])
def test_slices(count: int) -> None:
    table = pa.table({"n": pa.array(range(count), pa.int64()), "s": [f"渠{i % 9}" for i in range(count)]})
    chunked = pa.concat_tables([table.slice(0, count // 3), table.slice(count // 3)])
    for each in (table, chunked, pa.concat_tables([table, table]).slice(count)):
        written = json.loads(write_objects(Rows(each, ZoneInfo("UTC")), [Part("n", "n"), Part("s", "s")]))
        assert written == [{"n": i, "s": f"渠{i % 9}"} for i in range(count)]


@pytest.mark.parametrize("distinct", [1, 2, 1000])
@pytest.mark.parametrize("odd", ["", '"', "\n", "\\"])
def test_texts_with_and_without_something_to_escape(distinct: int, odd: str) -> None:
    texts = [f"{i % distinct}{odd}" for i in range(1000)]
    written = write_objects(Rows(pa.table({"s": texts}), ZoneInfo("UTC")), [Part("s", "s")])
    assert [row["s"] for row in json.loads(written)] == texts


def test_a_dictionary_column() -> None:
    column = pa.array(["a", None, 'b"']).dictionary_encode()
    written = write_objects(Rows(pa.table({"s": column}), ZoneInfo("UTC")), [Part("s", "s")])
    assert json.loads(written) == [{"s": "a"}, {"s": None}, {"s": 'b"'}]


def test_the_hours_around_a_change_of_offset() -> None:
    zone = ZoneInfo("America/New_York")
    first = datetime(2026, 11, 1, 4, tzinfo=UTC)
    hours = [first + timedelta(minutes=30 * step) for step in range(8)]
    table = pa.table({"t": pa.array(hours, pa.timestamp("us", "UTC"))})
    written = json.loads(write_objects(Rows(table, zone), [Part("t", "t")]))
    assert [row["t"] for row in written] == [hour.astimezone(zone).isoformat() for hour in hours]
