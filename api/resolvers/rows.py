"""Answers as Arrow, read cell by cell or written to JSON by column: never a Python object per cell.

Both ways say the same: integers and decimals with all their digits, not-a-number and infinity as null, dates as ISO
days, instants as RFC 3339 in the query's time zone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

import arro3.io
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from semantic.time import utc_offsets

AT_ONCE = 16_384
"""Rows written at a time: bounds the memory of the intermediate texts, and how long other requests stand still."""
_FEW = 4
"""A text column with at most one distinct value in so many rows is escaped value by value."""
_FEW_INSTANTS = 500
"""Up to so many different instants are written one by one; more of them all at once."""
_NUMBERS = (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64, pa.float32, pa.float64)
_OTHERS = (pa.string(), pa.large_string(), pa.bool_(), pa.date32(), pa.decimal128(1), pa.decimal256(1), pa.null())
_AS_THEY_ARE = frozenset(kind.id for kind in (*(make() for make in _NUMBERS), *_OTHERS))
"""Types whose JSON is what it should be: bare numbers with all their digits, ISO days."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TO_ESCAPE = r'["\\\x00-\x1f]'

Value = str | int | float | bool | Decimal | date | datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of an answer. A name without a column is null in every row (in totals: dimensions).

    Columns are named by response keys, or with `by_field` by the fields they are for.
    """

    table: pa.Table
    zone: ZoneInfo
    by_field: bool = False

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[Row]:
        return (Row(self, index) for index in range(len(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One row of an answer."""

    rows: Rows
    index: int = 0

    def value(self, name: str) -> Value:
        """The value of a column, as Python has it."""
        table = self.rows.table
        if name not in table.column_names:
            return None
        value = table.column(name)[self.index].as_py()
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(self.rows.zone)
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Rows as lists of the values of `columns`, in that order."""

    rows: Rows
    columns: tuple[str, ...]

    def __iter__(self) -> Iterator[list[Value]]:
        return ([row.value(name) for name in self.columns] for row in self.rows)


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a JSON object: its response name, and the column it shows or else the same text in every row."""

    name: str
    column: str | None = None
    constant: str | None = None


def write_objects(rows: Rows, parts: Sequence[Part]) -> bytes:
    """A JSON array of one object for each row."""
    if not parts:
        return b"[" + b",".join([b"{}"] * len(rows)) + b"]"
    if len(rows) <= AT_ONCE:
        return _objects(rows.table, rows.zone, parts)
    slices = (rows.table.slice(begin, AT_ONCE) for begin in range(0, len(rows), AT_ONCE))
    return b"[" + b",".join(_objects(part, rows.zone, parts)[1:-1] for part in slices) + b"]"


def _objects(table: pa.Table, zone: ZoneInfo, parts: Sequence[Part]) -> bytes:
    """The rows of a slice, without a Python object for each cell."""
    columns = dict(zip(table.column_names, table.columns, strict=True))
    found = [None if part.column is None else columns.get(part.column) for part in parts]
    shown = [_writable(column, part, len(table), zone) for column, part in zip(found, parts, strict=True)]
    sink = BytesIO()
    arro3.io.write_json(pa.table(shown, [part.name for part in parts]), sink, explicit_nulls=True)
    return sink.getvalue()


def _writable(column: pa.ChunkedArray | None, part: Part, rows: int, zone: ZoneInfo) -> pa.ChunkedArray | pa.Array:
    """A column of a type whose JSON is what it should be; the part's constant where there is none."""
    if column is None:
        return pa.nulls(rows) if part.constant is None else pa.repeat(part.constant, rows)
    kind = column.type
    if kind.id in _AS_THEY_ARE:
        return column
    return _instants(column, zone) if pa.types.is_timestamp(kind) else column.cast(pa.string())


def _instants(column: pa.ChunkedArray, zone: ZoneInfo) -> pa.Array:
    """Instants as texts, each different one written once: rows split by something else too repeat them."""
    encoded = column.combine_chunks().dictionary_encode()
    different = encoded.dictionary
    if len(different) > _FEW_INSTANTS:
        return instant_texts(different, zone).take(encoded.indices)
    if different.type.unit != "us":
        different = different.cast(pa.timestamp("us", different.type.tz))
    texts = [_iso(at, zone, different.type.tz) for at in different.view(pa.int64()).to_pylist()]
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(texts, pa.string()))


def _iso(micros: int, zone: ZoneInfo, tz: str | None) -> str:
    moment = _EPOCH + timedelta(microseconds=micros)
    return moment.replace(tzinfo=None).isoformat() if tz is None else moment.astimezone(zone).isoformat()


def write_arrays(rows: Rows, columns: Sequence[str]) -> bytes:
    """A JSON array of one array for each row."""
    pieces = [_arrays(rows.table.slice(begin, AT_ONCE), rows.zone, columns) for begin in range(0, len(rows), AT_ONCE)]
    return b"[" + b",".join(pieces) + b"]"


def _arrays(table: pa.Table, zone: ZoneInfo, columns: Sequence[str]) -> bytes:
    """The rows of a slice with commas between. Arrow lays joined texts one after the other: that is the JSON."""
    texts: list[pa.Array | str] = []
    literal = "["
    for name in columns:
        if name in table.column_names:
            texts += [literal, _json(table.column(name), zone)]
            literal = ","
        else:
            literal += "null,"
    literal = literal.removesuffix(",") + "],"
    if not any(isinstance(text, pa.Array) for text in texts):
        return (literal * int(table.num_rows))[:-1].encode()
    joined = pc.binary_join_element_wise(*texts, literal, "")
    _, offsets, data = joined.buffers()
    end = int(np.frombuffer(offsets, dtype=np.int32)[len(joined)])
    return bytes(memoryview(data)[: end - 1])


def _json(column: pa.ChunkedArray, zone: ZoneInfo) -> pa.Array:
    """A column as JSON texts."""
    array = column.combine_chunks()
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
        kind = array.type
    if pa.types.is_floating(kind):
        array = pc.if_else(pc.is_finite(array), array, pa.scalar(None, kind))
        text = array.cast(pa.string())
    elif _is_bare(kind):
        text = array.cast(pa.string())
    elif pa.types.is_timestamp(kind):
        text = _quoted(instant_texts(array, zone))
    elif pa.types.is_date(kind):
        text = _quoted(array.cast(pa.string()))
    else:
        text = _strings(array.cast(pa.string()))
    return pc.fill_null(text, "null")


def _is_bare(kind: pa.DataType) -> bool:
    """Whether Arrow's own text of a value is its JSON."""
    return any(test(kind) for test in (pa.types.is_integer, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null))


def _quoted(texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise('"', texts, '"', "")


def _strings(texts: pa.Array) -> pa.Array:
    encoded = texts.dictionary_encode()
    distinct = encoded.dictionary
    if len(distinct) * _FEW > len(texts) and not pc.any(pc.match_substring_regex(distinct, _TO_ESCAPE)).as_py():
        return _quoted(texts)
    escaped = pa.array([orjson.dumps(text).decode() for text in distinct.to_pylist()], pa.string())
    return escaped.take(encoded.indices)


def instant_texts(array: pa.Array, zone: ZoneInfo) -> pa.Array:
    """RFC 3339 texts: local time of `zone` and its offset; without an offset where the column has no zone."""
    micros = array.cast(pa.timestamp("us", array.type.tz)).cast(pa.int64())
    if array.type.tz is None:
        return _clock(micros)
    known = micros.drop_null().to_numpy()
    if not len(known):
        return _clock(micros)
    first, last = (datetime.fromtimestamp(int(at) / 1e6, UTC).replace(tzinfo=None) for at in (known.min(), known.max()))
    changes = utc_offsets(zone, first, last)
    begins = np.array([_micros(instant) for instant, _ in changes[1:]], dtype=np.int64)
    which = np.searchsorted(begins, pc.fill_null(micros, 0).to_numpy(), side="right")
    seconds = np.array([offset for _, offset in changes], dtype=np.int64)
    local = pc.add(micros, pa.array(seconds[which] * 1_000_000))
    names = pa.array([_offset(int(offset)) for offset in seconds])
    return pc.binary_join_element_wise(_clock(local), names.take(pa.array(which)), "")


def _micros(instant: datetime) -> int:
    since = instant.replace(tzinfo=UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _clock(micros: pa.Array) -> pa.Array:
    """`2026-11-01T08:00:00`, with six more digits only where they are not all zero."""
    fine = micros.cast(pa.timestamp("us")).cast(pa.string())
    coarse = pc.utf8_slice_codeunits(fine, 0, -7)
    whole = pc.equal(pc.subtract(micros, pc.multiply(pc.divide(micros, 1_000_000), 1_000_000)), 0)
    return pc.replace_substring(pc.if_else(whole, coarse, fine), " ", "T", max_replacements=1)


def _offset(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    minutes, rest = divmod(abs(seconds), 60)
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")
