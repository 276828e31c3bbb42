"""Which reader a dataset's source has."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from engine.delta import DeltaTable
from engine.file_reader import FileReader
from engine.files import LocalFiles
from engine.iceberg import IcebergReader
from engine.places import pattern_of
from engine.reader import Reader
from engine.settings import EngineSettings
from semantic.model.dataset import Dataset, SourceFormat


def reader_of(dataset: Dataset, root: Path, settings: EngineSettings) -> Reader:
    """The reader of a dataset of a model whose source paths start from `root`."""
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
