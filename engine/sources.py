"""Which reader a dataset's source has."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

import duckdb

from engine.confined import Confined
from engine.delta import DeltaTable
from engine.file_reader import FileReader
from engine.files import LocalFiles
from engine.iceberg import IcebergReader
from engine.places import is_remote, pattern_of
from engine.reader import Reader
from engine.s3 import S3Files
from engine.settings import EngineSettings
from engine.unreadable import Unreadable
from semantic.model.dataset import Dataset, SourceFormat

_FILES = (SourceFormat.PARQUET, SourceFormat.CSV)


def reader_of(dataset: Dataset, root: Path, settings: EngineSettings, connection: duckdb.DuckDBPyConnection) -> Reader:
    """The reader of a dataset of a model whose source paths start from `root`."""
    if is_remote(dataset.source.path):
        return _remote(dataset, connection)
    reader = _local(dataset, root, settings)
    return Confined(reader, dataset.name, root) if settings.confined else reader


def _local(dataset: Dataset, root: Path, settings: EngineSettings) -> Reader:
    pattern = pattern_of(dataset.source.path, root)
    match dataset.source.format:
        case SourceFormat.PARQUET | SourceFormat.CSV:
            return FileReader(dataset, LocalFiles(dataset.name, pattern, settings.settle_seconds), pattern.base)
        case SourceFormat.DELTA:
            return FileReader(dataset, DeltaTable(dataset.name, pattern.base), pattern.base)
        case SourceFormat.ICEBERG:
            return IcebergReader(dataset.name, pattern.base)
        case _:
            assert_never(dataset.source.format)


def _remote(dataset: Dataset, connection: duckdb.DuckDBPyConnection) -> Reader:
    name, source = dataset.name, dataset.source
    if source.path.startswith("s3://") and source.format in _FILES:
        files = S3Files(name, source.path, connection)
        return FileReader(dataset, files, files.base)
    scheme = source.path.partition("://")[0]
    what = (
        f"{source.format} files in a {scheme}:// store" if source.format in _FILES else f"{source.format} tables there"
    )
    return Unreadable(f'The source of "{name}" can\'t be read: {what} are not supported.')
