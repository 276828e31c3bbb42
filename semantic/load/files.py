"""A folder → the texts of its model files, and their digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from semantic.errors import Code, ModelError, Problem

ENDINGS = (".yml", ".yaml")
MAX_FILES = 2_000


def read_folder(root: Path) -> dict[str, str]:
    """Relative path (with `/`) → text of every model file under `root`, sorted, but for hidden folders and `data/`."""
    paths = sorted(_model_files(root), key=lambda path: path.relative_to(root).as_posix())
    if not paths:
        message = (
            "There is no model: the folder holds no *.yml file."
            if root.is_dir()
            else "The model folder does not exist."
        )
        raise ModelError([Problem(Code.NO_MODEL, message)])
    if len(paths) > MAX_FILES:
        raise ModelError([Problem(Code.NO_MODEL, f"The folder holds more than {MAX_FILES:,} model files.")])
    return {path.relative_to(root).as_posix(): _text(path) for path in paths}


def _model_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "data"]
        for name in files:
            if name.endswith(ENDINGS) and not name.startswith("."):
                yield Path(folder, name)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def digest_of(files: Mapping[str, str]) -> str:
    """sha256 of the sorted paths and texts."""
    total = hashlib.sha256()
    for name in sorted(files):
        for part in (name, files[name]):
            data = part.encode("utf-8", "surrogateescape")
            total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()
