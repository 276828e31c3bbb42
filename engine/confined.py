"""Sources that stay in the project's folder, wherever links lead."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import duckdb

from engine.files import Listing, Stamp
from engine.reader import Look, Reader
from semantic.errors import DataError


class Confined:
    """A reader around another one. It takes no file whose real place is outside of `root`."""

    def __init__(self, inner: Reader, dataset: str, root: Path) -> None:
        self._inner = inner
        self._dataset = dataset
        self._root = os.path.join(os.path.realpath(root), "")
        self._inside: frozenset[Stamp] = frozenset()

    def listing(self) -> Listing:
        """The inner reader's. DataError when a link leads out."""
        listing = self._inner.listing()
        stamps = frozenset(listing.stamps)
        self._check(stamps - self._inside)
        self._inside = stamps
        return listing

    def unchanged(self, listing: Listing) -> bool:
        """The inner reader's: a link that leads elsewhere now is a change, because the file is another."""
        return self._inner.unchanged(listing)

    def look(self, cursor: duckdb.DuckDBPyConnection, listing: Listing) -> Look:
        """The inner reader's."""
        return self._inner.look(cursor, listing)

    def _check(self, stamps: Iterable[Stamp]) -> None:
        for stamp in stamps:
            if not os.path.realpath(stamp.path).startswith(self._root):
                message = f'A file of "{self._dataset}" lies outside of the project\'s folder.'
                advice = "Put the file itself there, or name a folder around both with --root."
                raise DataError(message, advice, stamp.path)
