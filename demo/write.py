"""From numpy columns to files: Arrow arrays, the Parquet layout, writers that hold little in memory."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from demo.batch import NEVER, Array

ROW_GROUP = 122_880
"""Rows in a row group, DuckDB's own unit of parallel work."""

TIMESTAMP = pa.timestamp("us")
MONEY = pa.decimal128(12, 2)
ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", dtype=np.uint8)
TOKEN_WIDTH = 28


def coded(codes: Array, values: Sequence[str]) -> Any:
    """The value of each code as a dictionary column; null below 0."""
    indices = pa.array(codes.astype(np.int16), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))


def integers(values: Array, kind: Any = None) -> Any:
    """Whole numbers, BIGINT unless a kind is given; null below 0."""
    return pa.array(values, kind or pa.int64(), mask=values < 0)


def timestamps(values: Array) -> Any:
    """Instants of microseconds in UTC, without a zone; null at NEVER."""
    return pa.array(values.astype("datetime64[us]"), TIMESTAMP, mask=values == NEVER)


def numbers_as_text(values: Array, prefix: str = "") -> Any:
    """Identifiers: the digits of each number after a prefix; null below 0."""
    text = integers(values).cast(pa.string())
    return pc.binary_join_element_wise(prefix, text, "") if prefix else text


def money(cents: Array) -> Any:
    """Cents as a decimal of two places; null below 0."""
    words = np.zeros((len(cents), 2), dtype=np.int64)
    words[:, 0] = np.where(cents < 0, 0, cents)
    valid = np.packbits(cents >= 0, bitorder="little")
    return pa.Array.from_buffers(MONEY, len(cents), [pa.py_buffer(valid), pa.py_buffer(words)])


def tokens(numbers: Array, prefix: str) -> Any:
    """Identifiers that look random, 28 characters as WeChat's are, as a dictionary column; null below 0.

    Equal numbers give equal tokens, whatever the file or the run.
    """
    encoded = integers(numbers).dictionary_encode()
    distinct = encoded.dictionary.to_numpy(zero_copy_only=False).astype(np.uint64)
    letters = np.empty((len(distinct), TOKEN_WIDTH), dtype=np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    salt = np.uint64(int.from_bytes(prefix.encode()))
    for begin in range(len(prefix), TOKEN_WIDTH, 10):
        bits = _mixed(distinct * np.uint64(31) + np.uint64(begin) + (salt << np.uint64(48)))
        for column in range(begin, min(begin + 10, TOKEN_WIDTH)):
            letters[:, column] = ALPHABET[(bits & np.uint64(63)).astype(np.uint8)]
            bits >>= np.uint64(6)
    ends = np.arange(0, (len(distinct) + 1) * TOKEN_WIDTH, TOKEN_WIDTH, dtype=np.int32)
    values = pa.StringArray.from_buffers(len(distinct), pa.py_buffer(ends), pa.py_buffer(letters))
    return pa.DictionaryArray.from_arrays(encoded.indices, values)


def _mixed(values: Array) -> Array:
    """splitmix64: spreads neighbouring numbers over all 64 bits."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Array = values ^ (values >> np.uint64(31))
    return mixed


def parquet_options(schema: Any) -> dict[str, Any]:
    """The layout measured to be smallest and fastest to decode: delta encodings for numbers and instants,
    dictionaries for the rest, zstd, version 2 pages."""
    encodings: dict[str, str] = {}
    dictionaries: list[str] = []
    for field in schema:
        if (pa.types.is_integer(field.type) and field.type.bit_width >= 32) or pa.types.is_timestamp(field.type):
            encodings[field.name] = "DELTA_BINARY_PACKED"
        elif pa.types.is_string(field.type):
            encodings[field.name] = "DELTA_LENGTH_BYTE_ARRAY"
        else:
            dictionaries.append(field.name)
    return {
        "compression": "zstd",
        "version": "2.6",
        "data_page_version": "2.0",
        "use_dictionary": dictionaries,
        "column_encoding": encodings,
        "store_schema": False,
        "store_decimal_as_integer": True,
    }


def write_parquet(columns: Mapping[str, Any], path: Path) -> None:
    """Write one file."""
    table = pa.table(dict(columns))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=ROW_GROUP, **parquet_options(table.schema))


class ParquetStream:
    """One Parquet file written a piece at a time; rows are held back until they fill a row group."""

    def __init__(self, path: Path, schema: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, **parquet_options(schema))
        self._held: list[Any] = []
        self._rows = 0

    def add(self, columns: Mapping[str, Any]) -> None:
        """Append rows; the columns are those of the schema."""
        self._held.append(pa.table(dict(columns), schema=self._schema))
        self._rows += self._held[-1].num_rows
        if self._rows >= ROW_GROUP:
            self._flush(self._rows - self._rows % ROW_GROUP)

    def _flush(self, count: int) -> None:
        """Write the first `count` of the rows held back."""
        if count:
            held = pa.concat_tables(self._held).unify_dictionaries()
            self._writer.write_table(held.slice(0, count), row_group_size=ROW_GROUP)
            self._held, self._rows = [held.slice(count)], self._rows - count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush(self._rows)
        self._writer.close()


def write_csv(rows: Sequence[Mapping[str, object]], path: Path) -> None:
    """Write small tables that people edit by hand: UTF-8, header, null as nothing, booleans in lower case."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([str(v).lower() if isinstance(v, bool) else v for v in row.values()] for row in rows)
