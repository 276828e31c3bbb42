"""A folder of YAML → Model, or every problem in it with its position.

files → source (nodes) → read_* on the tables of format (fields) → merge → build (dataclasses) → check
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from semantic.errors import ModelError, Problem
from semantic.load.build import build
from semantic.load.check import check
from semantic.load.columns import check_columns
from semantic.load.files import digest_of, read_folder
from semantic.load.log import Log
from semantic.load.merge import merge
from semantic.load.reader import shown
from semantic.load.schema import json_schema
from semantic.model.model import Model
from semantic.model.places import Places

MAX_MESSAGE: Final = 600
"""Characters of one message."""

__all__ = ["check_columns", "json_schema", "load_folder", "load_texts"]


def load_folder(root: Path) -> Model:
    """The model of all *.yml and *.yaml files under `root`, any nesting. ModelError with every problem found."""
    return load_texts(read_folder(root))


def load_texts(files: Mapping[str, str]) -> Model:
    """The model of the given texts by relative path. ModelError with every problem found."""
    log = Log()
    settings, sections = merge(files, log)
    model = build(digest_of(files), settings, sections, Places(log.places))
    if not log.unreadable:
        log.problems += check(model, log.references)
    if log.problems:
        raise ModelError(sorted(dict.fromkeys(map(_fit_to_show, log.problems)), key=_in_file_order))
    return model


def _fit_to_show(problem: Problem) -> Problem:
    """Names and values of a file may hold line breaks and control characters, or be endless; messages may not."""
    suggestion = shown(problem.suggestion, MAX_MESSAGE) if problem.suggestion else None
    return replace(problem, message=shown(problem.message, MAX_MESSAGE), suggestion=suggestion)


def _in_file_order(problem: Problem) -> tuple[str, int, int]:
    at = problem.position
    return (at.file, at.line, at.column) if at else ("", 0, 0)
