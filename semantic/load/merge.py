"""All files → the settings and sections of one model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semantic.load.format import MODEL, SECTIONS, SETTINGS
from semantic.load.log import Log
from semantic.load.scalars import BAD
from semantic.load.shape import Fields
from semantic.load.source import parse


def merge(files: Mapping[str, str], log: Log) -> tuple[dict[str, Any], dict[str, tuple[Fields, ...]]]:
    """Settings by name, and the entries of every section over all files."""
    documents = [fields for name in sorted(files) if (fields := _read(name, files[name], log)) is not None]
    settings = {name: value for name in SETTINGS if (value := _setting(name, documents, log)) is not None}
    sections = {name: tuple(entry for fields in documents for entry in fields.get(name, ())) for name in SECTIONS}
    return settings, sections


def _read(name: str, text: str, log: Log) -> Fields | None:
    node, problem = parse(name, text)
    if problem is not None:
        log.problems.append(problem)
    if node is None:
        return None
    fields = MODEL.read(node, (), log)
    return None if fields is BAD else fields


def _setting(name: str, documents: list[Fields], log: Log) -> Any:
    return next((fields[name] for fields in documents if name in fields.values), None)
