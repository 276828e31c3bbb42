"""A folder of YAML → Model, or every problem in it with its position.

files → source (nodes) → shape, scalars, expressions on the tables of format (fields) → merge → build → check
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from semantic.errors import ModelError
from semantic.load.build import build
from semantic.load.files import digest_of, read_folder
from semantic.load.log import Log
from semantic.load.merge import merge
from semantic.model.model import Model
from semantic.model.places import Places

__all__ = ["load_folder", "load_texts"]


def load_folder(root: Path) -> Model:
    """The model of all *.yml and *.yaml files under `root`, any nesting. ModelError with every problem found."""
    return load_texts(read_folder(root))


def load_texts(files: Mapping[str, str]) -> Model:
    """The model of the given texts by relative path. ModelError with every problem found."""
    log = Log()
    settings, sections = merge(files, log)
    model = build(digest_of(files), settings, sections, Places(log.places))
    if log.problems:
        raise ModelError(log.problems)
    return model
