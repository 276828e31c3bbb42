"""SQL text of names and values that the engine itself writes."""

from __future__ import annotations

import glob
from collections.abc import Iterable


def identifier(name: str) -> str:
    """A name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def identifiers(names: Iterable[str]) -> str:
    """Names, quoted, with commas between."""
    return ", ".join(identifier(name) for name in names)


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Iterable[str]) -> str:
    """A list of string literals."""
    return "[" + ", ".join(literal(text) for text in texts) + "]"


def exact_paths(paths: Iterable[str]) -> str:
    """A list of paths for a reader that takes globs: each stands for itself, also one with `*` or `[` in its name."""
    return literals(glob.escape(path) for path in paths)
