"""What is carried over from the edition before: the files that stayed need not be compared with each other again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from engine import keys
from engine.edition import Edition
from engine.files import Listing
from engine.reader import Scan


@dataclass(frozen=True, slots=True)
class Carried:
    """`stayed` and `new`: table expressions of the files that `previous` has too, and of the others."""

    previous: Edition
    stayed: str
    new: str

    def keeps_unique(self, cursor: duckdb.DuckDBPyConnection, key: Sequence[str]) -> bool:
        """Whether the new rows have keys of their own. False also when that can't be told from the files apart."""
        try:
            return not keys.repeats_since(cursor, self.stayed, self.new, key)
        except (duckdb.BinderException, duckdb.ConversionException):  # a column is of another type in either
            return False


def carried_over(previous: Edition | None, listing: Listing, scan: Scan) -> Carried | None:
    """None when there is nothing to build on.

    When a file went, a row that lost against one of its rows may have to come back: then only an edition without losers
    will do.
    """
    if previous is None:
        return None
    before = set(previous.listing.stamps)
    stayed = [stamp.path for stamp in listing.stamps if stamp in before]
    new = [stamp.path for stamp in listing.stamps if stamp not in before]
    grown = len(stayed) == len(before)
    if not stayed or not new or not (grown or previous.lost == 0):
        return None
    return Carried(previous, scan(stayed), scan(new))
