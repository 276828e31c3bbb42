"""What DuckDB raises, as errors a person can act on: no SQL and no path in the message."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import duckdb

from semantic.errors import Code, DataError, HeadwaterError, OurError, QueryError

log = logging.getLogger("headwater.engine")

_TOO_LARGE = (
    "The query needs more memory than it may use.",
    "Ask for a shorter time range, fewer dimensions or a coarser grain.",
)


def of_query(error: duckdb.Error, datasets: Sequence[str]) -> HeadwaterError:
    """The error of a query that failed although its files stayed as they were."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return _refused(error, *_TOO_LARGE)
    if isinstance(error, duckdb.OutOfRangeException):
        return _refused(error, "A number in the answer is too large to be counted.", "Ask for a shorter time range.")
    if isinstance(error, duckdb.ConversionException):
        return DataError(f"A value in the data of {_named(datasets)} can't be converted.", detail=str(error))
    if isinstance(error, duckdb.IOException | duckdb.HTTPException):
        return DataError(f"The data of {_named(datasets)} can't be read.", detail=str(error))
    if isinstance(error, duckdb.InterruptException):
        return OurError(Code.CANCELLED, "The query was stopped.")
    return OurError(Code.INTERNAL, "The query failed. The server's log says why.", detail=str(error))


def of_data(error: duckdb.Error, dataset: str) -> HeadwaterError:
    """The error of looking at a dataset's files."""
    if isinstance(error, duckdb.InterruptException):
        return OurError(Code.CANCELLED, "The server is stopping.")
    if isinstance(error, duckdb.OutOfMemoryException):
        return DataError(f'The data of "{dataset}" needs more memory than may be used.', detail=str(error))
    advice = "Check that its files are whole and of its source's format."
    return DataError(f'The data of "{dataset}" can\'t be read.', advice, str(error))


def _refused(error: duckdb.Error, message: str, suggestion: str) -> QueryError:
    log.info("query refused: %s", error)
    return QueryError(Code.LIMIT_EXCEEDED, message, suggestion)


def _named(datasets: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in datasets)
