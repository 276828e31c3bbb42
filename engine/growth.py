"""Growth: files were added to a dataset and nothing else happened, so that what is known of the others still holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from engine import keys
from engine.edition import Edition
from engine.files import Listing
from engine.reader import Scan


@dataclass(frozen=True, slots=True)
class Growth:
    """`old` and `new`: table expressions of the files of `previous`, and of those that were added."""

    previous: Edition
    old: str
    new: str

    def keeps_unique(self, cursor: duckdb.DuckDBPyConnection, key: Sequence[str]) -> bool:
        """Whether the new rows have keys of their own. False also when that can't be told from the files apart."""
        try:
            return not keys.repeats_since(cursor, self.old, self.new, key)
        except (duckdb.BinderException, duckdb.ConversionException):  # a column is of another type in either
            return False


def growth_of(previous: Edition | None, listing: Listing, scan: Scan) -> Growth | None:
    """None when there is nothing to build on."""
    if previous is None:
        return None
    old = set(previous.listing.stamps)
    if not old <= set(listing.stamps):
        return None
    new = [stamp.path for stamp in listing.stamps if stamp not in old]
    return Growth(previous, scan(previous.listing.paths), scan(new))
