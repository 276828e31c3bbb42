"""Where a model's rows lie: the only places its engine may read."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from semantic.model.dataset import Dataset, SourceFormat


@dataclass(frozen=True, slots=True)
class Places:
    """Folders (each with everything below it, ending in a slash) and single files."""

    directories: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def remote(self) -> bool:
        """Whether any is in a remote store."""
        return any(is_remote(directory) for directory in self.directories)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A local path or glob, split where wildcards begin: `base` is a plain absolute path, `rest` the segments after it.

    Without wildcards `rest` is empty and `base` is the file.
    """

    base: str
    rest: tuple[str, ...]


def is_remote(path: str) -> bool:
    """Whether a source lies in a remote store."""
    return "://" in path


def pattern_of(path: str, root: Path) -> Pattern:
    """The pattern of a local source of a model whose sources start from `root`."""
    parts = Path(path).parts
    plain = next((index for index, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Pattern(os.path.abspath(root.joinpath(*parts[:plain])), parts[plain:])


def places_of(datasets: Iterable[Dataset], root: Path) -> Places:
    """What the datasets' sources need."""
    directories: list[str] = []
    files: list[str] = []
    for dataset in datasets:
        path = dataset.source.path
        if is_remote(path):
            directories.append(_remote_folder(path))
            continue
        pattern = pattern_of(path, root)
        if pattern.rest or dataset.source.format in (SourceFormat.DELTA, SourceFormat.ICEBERG):
            directories.append(os.path.join(table_folder(pattern.base), ""))
        else:
            files.append(pattern.base)
    return Places(tuple(dict.fromkeys(directories)), tuple(dict.fromkeys(files)))


def table_folder(path: str) -> str:
    """The folder of an Iceberg table that is named by the file of its metadata; of anything else, itself."""
    return os.path.dirname(os.path.dirname(path)) if path.endswith(".metadata.json") else path


def _remote_folder(path: str) -> str:
    scheme, _, rest = path.partition("://")
    parts = rest.split("/")
    plain = next((index for index, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return f"{scheme}://{'/'.join(parts[:plain])}/"
