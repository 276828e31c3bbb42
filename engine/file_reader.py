"""Datasets that are Parquet or CSV files."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

import duckdb

from engine.files import Listing, Store
from engine.footers import Footers, describe
from engine.layout import Layout, Shape, lay_out
from engine.reader import Look, Scan
from engine.scan import csv_scan, parquet_scan
from semantic.errors import DataError
from semantic.model.dataset import Dataset, SourceFormat


class FileReader:
    """Parquet or CSV files that match a path or glob."""

    def __init__(self, dataset: Dataset, store: Store, base: str) -> None:
        self._dataset = dataset
        self._store = store
        self._base = base
        self._footers = Footers(dataset.source.format)

    def listing(self) -> Listing:
        """The files now, at rest."""
        return self._store.listing()

    def unchanged(self, listing: Listing) -> bool:
        """Whether every file of a listing is still what it was."""
        return self._store.unchanged(listing)

    def look(self, cursor: duckdb.DuckDBPyConnection, listing: Listing) -> Look:
        """Reads the footers of the files that are new, and fits all of them together."""
        is_csv = self._dataset.source.format is SourceFormat.CSV
        if is_csv:
            self._check_header(listing)
        footers = self._footers.read(cursor, listing.stamps)
        scans: tuple[Scan, ...]
        names = [_below(self._base, path) for path in listing.paths]
        layout = lay_out(self._dataset.name, [footer.shape for footer in footers], names, strict=not is_csv)
        layout = self._declared(layout, listing)
        if is_csv:
            scans = tuple(partial(csv_scan, layout=layout, trusting=trusting) for trusting in (True, False))
        else:
            scans = (partial(parquet_scan, layout=layout),)
        counts = None if is_csv else tuple(footer.rows for footer in footers)
        columns = _presented(describe(cursor, scans[0](listing.paths)), layout)
        return Look(scans, columns, is_csv, counts, layout.warnings)

    def _declared(self, layout: Layout, listing: Listing) -> Layout:
        """With the partitions that the source declares, which must be those in the paths."""
        if listing.partitions is None:
            return layout
        if {name for name, _ in listing.partitions} != set(layout.partitions):
            message = f'The partitions of "{self._dataset.name}" don\'t show in the paths of its files.'
            raise DataError(message, "Write the table with key=value folders.")
        return replace(layout, partition_types=listing.partitions)

    def _check_header(self, listing: Listing) -> None:
        for stamp in listing.stamps:
            if stamp.size == 0:
                message = f'A file of "{self._dataset.name}" is empty.'
                raise DataError(message, "The first line of a CSV file names its columns.", stamp.path)


def _below(base: str, path: str) -> str:
    """A path below the plain folder of its source: folders above it hold no partitions of the dataset."""
    return os.path.basename(path) if path == base else path.removeprefix(base).lstrip("/\\")


def _presented(shape: Shape, layout: Layout) -> Shape:
    """DuckDB takes every `key=value` folder for a partition, also those above the source."""
    wanted = {name.casefold() for name in (*layout.columns, *layout.partitions)}
    return tuple(column for column in shape if column[0].casefold() in wanted)
