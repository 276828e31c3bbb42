"""Tables as files: CSV, Arrow and Parquet, written slice by slice; and as JSON, with what the columns mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from api.accept import JSON
from api.compression import Sink
from api.resolvers.rows import Rows, instant_texts, write_arrays
from api.schema.results import Column

SLICE = 16_384
"""Rows written at a time."""


@dataclass(frozen=True, slots=True)
class Tabulated:
    """An answer: its rows, the zone that instants are told in, its columns in order, and what is said about it.

    `statement`: the digest of what was run.
    """

    table: pa.Table
    zone: ZoneInfo
    columns: tuple[Column, ...]
    statement: str
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a table: the ending of its address, its media type, and the bytes, piece by piece.

    `is_packed`: it is compressed in itself.
    """

    ending: str
    media: str
    write: Callable[[Tabulated], Iterator[bytes]]
    is_packed: bool = False


def _json(answer: Tabulated) -> Iterator[bytes]:
    head = orjson.dumps({"columns": [_described(column) for column in answer.columns]})
    yield head[:-1] + b',"rows":['
    keys = tuple(column.key for column in answer.columns)
    for begin in range(0, answer.table.num_rows, SLICE):
        rows = write_arrays(Rows(answer.table.slice(begin, SLICE), answer.zone), keys)
        yield (b"," if begin else b"") + rows[1:-1]
    yield b"]," + orjson.dumps(dict(answer.about))[1:]


def _described(column: Column) -> dict[str, str | None]:
    return {
        "key": column.key,
        "name": column.name,
        "role": column.role.name,
        "type": column.type,
        "label": column.label,
        "description": column.description,
        "format": column.format,
    }


def _csv(answer: Tabulated) -> Iterator[bytes]:
    """A header of keys; texts in quotes, so that an empty one is not what is unknown; instants as in JSON."""
    table = _selected(answer)
    for begin in range(0, max(table.num_rows, 1), SLICE):
        part = table.slice(begin, SLICE)
        columns = [_told(part.column(place), answer.zone) for place in range(part.num_columns)]
        sink = pa.BufferOutputStream()
        options = pyarrow.csv.WriteOptions(include_header=begin == 0)
        pyarrow.csv.write_csv(pa.table(columns, part.column_names), sink, options)
        yield sink.getvalue().to_pybytes()


def _told(column: pa.ChunkedArray, zone: ZoneInfo) -> pa.Array:
    array = column.combine_chunks()
    return instant_texts(array, zone) if pa.types.is_timestamp(array.type) else array


def _arrow_stream(answer: Tabulated) -> Iterator[bytes]:
    table = _typed(answer)
    return _pieces(table, lambda sink: pa.ipc.new_stream(sink, table.schema))


def _arrow_file(answer: Tabulated) -> Iterator[bytes]:
    table = _typed(answer)
    return _pieces(table, lambda sink: pa.ipc.new_file(sink, table.schema))


def _parquet(answer: Tabulated) -> Iterator[bytes]:
    table = _typed(answer)
    return _pieces(table, lambda sink: pq.ParquetWriter(sink, table.schema, compression="zstd"))


def _pieces(table: pa.Table, open_writer: Callable[[Any], Any]) -> Iterator[bytes]:
    sink = Sink()
    with open_writer(pa.PythonFile(sink, mode="w")) as writer:
        for begin in range(0, table.num_rows, SLICE):
            writer.write_table(table.slice(begin, SLICE))
            yield sink.take()
    yield sink.take()


def _typed(answer: Tabulated) -> pa.Table:
    """The columns with their meaning beside them; instants in the zone of the question."""
    table = _selected(answer)
    arrays, fields = [], []
    for place, column in enumerate(answer.columns):
        array = table.column(place)
        if pa.types.is_timestamp(array.type) and array.type.tz is not None:
            array = array.cast(pa.timestamp("us", tz=answer.zone.key))
        meaning = {key: value for key, value in _described(column).items() if key != "key" and value is not None}
        arrays.append(array)
        fields.append(pa.field(column.key, array.type, metadata=meaning))
    about = {"headwater": orjson.dumps(dict(answer.about))}
    return pa.table(arrays, schema=pa.schema(fields, metadata=about))


def _selected(answer: Tabulated) -> pa.Table:
    """The columns asked for; not those that only count."""
    return answer.table.select([column.key for column in answer.columns])


ARROW_STREAM = Format("arrow", "application/vnd.apache.arrow.stream", _arrow_stream)
ARROW_FILE = Format("arrow", "application/vnd.apache.arrow.file", _arrow_file)
FORMATS = (
    Format("json", JSON, _json),
    Format("csv", "text/csv", _csv),
    ARROW_STREAM,
    ARROW_FILE,
    Format("parquet", "application/vnd.apache.parquet", _parquet, is_packed=True),
)
"""Every format; of those with one ending the first is meant when nothing else is said."""
