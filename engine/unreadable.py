"""Sources that a model may name and this engine can't read."""

from __future__ import annotations

import duckdb

from engine.files import Listing
from engine.reader import Look
from semantic.errors import DataError


class Unreadable:
    """Says so when its dataset is asked for, and not before."""

    def __init__(self, message: str) -> None:
        self._message = message

    def listing(self) -> Listing:
        """DataError."""
        raise DataError(self._message, "Use Parquet or CSV files, of this machine or of s3://.")

    def unchanged(self, listing: Listing) -> bool:
        """There is no listing to ask about."""
        return True

    def look(self, cursor: duckdb.DuckDBPyConnection, listing: Listing) -> Look:
        """DataError."""
        raise DataError(self._message)
