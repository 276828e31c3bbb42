"""An engine's Arrow columns as those of a statement: its names, one Arrow type for each kind, no NaN, no infinity."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from semantic.errors import Code, OurError, QueryError
from semantic.model.facts import Kind
from semantic.sql.statement import Column

_TYPES = {
    Kind.STRING: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("us"),
    Kind.TIMESTAMPTZ: pa.timestamp("us", tz="UTC"),
}
_WHOLE = pa.decimal128(38, 0)


def normalise(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """The same rows. QueryError LIMIT_EXCEEDED for a whole number beyond 64 bits."""
    if table.num_columns != len(columns):
        detail = f"{table.num_columns} columns instead of {len(columns)}"
        raise OurError(Code.INTERNAL, "The query failed. The server's log says why.", detail=detail)
    arrays = [_normal(array, column) for array, column in zip(table.columns, columns, strict=True)]
    return pa.table(arrays, names=[column.name for column in columns])


def _normal(array: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    if column.kind is Kind.OTHER:
        return array
    if column.kind is Kind.DECIMAL:
        return array.cast(_WHOLE) if pa.types.is_integer(array.type) else array
    array = _cast(array, column)
    return _finite(array) if column.kind is Kind.FLOAT else array


def _cast(array: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    wanted = _TYPES[column.kind]
    if array.type == wanted:
        return array
    loses_nothing = column.kind not in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.FLOAT)  # nanoseconds; 0.1 as a decimal
    try:
        return array.cast(wanted, safe=loses_nothing)
    except pa.ArrowInvalid as error:
        raise _beyond(column, array.type, error) from error
    except pa.ArrowNotImplementedError as error:
        detail = f"{column.name}: {array.type} can't be {column.kind}"
        raise OurError(Code.INTERNAL, "The query failed. The server's log says why.", detail=detail) from error


def _beyond(column: Column, found: pa.DataType, error: pa.ArrowInvalid) -> QueryError | OurError:
    if column.kind is Kind.INTEGER and pa.types.is_decimal(found):
        message = f'"{column.name}" has a whole number beyond 64 bits.'
        return QueryError(Code.LIMIT_EXCEEDED, message, "Ask for a shorter time range.")
    detail = f"{column.name}: {found} can't be {column.kind}: {error}"
    return OurError(Code.INTERNAL, "The query failed. The server's log says why.", detail=detail)


def _finite(array: pa.ChunkedArray) -> pa.ChunkedArray:
    finite = pc.is_finite(array)
    if pc.all(finite, min_count=0).as_py():
        return array
    return pc.if_else(finite, array, pa.scalar(None, pa.float64()))
