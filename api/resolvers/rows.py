"""Answers as Arrow, read cell by cell or written to JSON by column: never a Python object per cell.

Both ways say the same: integers and decimals with all their digits, not-a-number and infinity as null, dates as ISO
days, instants as RFC 3339 in the query's time zone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from semantic.time import utc_offsets

_SLICE = 16_384
"""Rows written at a time: bounds the memory of the intermediate texts, and keeps them below Arrow's 2 GiB."""
_FEW = 4
"""A text column with at most one distinct value in so many rows is escaped value by value."""
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
    """One field of a JSON object: its response name, and the column it shows or else the same JSON in every row."""

    name: str
    column: str | None = None
    constant: str = "null"


def write_objects(rows: Rows, parts: Sequence[Part]) -> bytes:
    """A JSON array of one object for each row."""
    keys = [f"{orjson.dumps(part.name).decode()}:" for part in parts]
    return _write(rows, parts, keys, "{", "}")


def write_arrays(rows: Rows, columns: Sequence[str]) -> bytes:
    """A JSON array of one array for each row."""
    parts = [Part(name, name) for name in columns]
    return _write(rows, parts, [""] * len(parts), "[", "]")


def _write(rows: Rows, parts: Sequence[Part], keys: list[str], opening: str, closing: str) -> bytes:
    pieces = [
        _body(rows.table.slice(begin, _SLICE), rows.zone, parts, keys, opening, closing)
        for begin in range(0, len(rows), _SLICE)
    ]
    return b"[" + b",".join(pieces) + b"]"


def _body(table: pa.Table, zone: ZoneInfo, parts: Sequence[Part], keys: list[str], opening: str, closing: str) -> bytes:
    """The rows of a slice with commas between. Arrow lays joined texts one after the other: that is the JSON."""
    texts: list[pa.Array | str] = []
    literal = opening
    for part, key in zip(parts, keys, strict=True):
        literal += key
        if part.column is None or part.column not in table.column_names:
            literal += part.constant + ","
            continue
        texts += [literal, _json(table.column(part.column), zone)]
        literal = ","
    literal = literal.removesuffix(",") + closing + ","
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
    since = instant.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
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
