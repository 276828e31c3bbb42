"""The table expressions that read a dataset's files."""

from __future__ import annotations

from collections.abc import Sequence

from engine.kinds import NOTHING, kind_of
from engine.layout import Layout, Shape
from engine.quote import exact_paths, identifier, literal
from semantic.model.facts import Kind

_COARSER = {"TIMESTAMP_NS": "TIMESTAMP", "TIMESTAMPTZ_NS": "TIMESTAMPTZ"}


def parquet_scan(paths: Sequence[str], layout: Layout) -> str:
    """Exactly these files, in this order."""
    return f"read_parquet({exact_paths(paths)}, {_options(layout)})"


def csv_scan(paths: Sequence[str], layout: Layout, trusting: bool) -> str:
    """Exactly these files, in this order; the first line names the columns.

    Types are guessed per file, and a column that is empty in one file looks like text there. `trusting` gives such a
    column the type it has elsewhere, and guesses from the first rows; otherwise all rows are looked at, and text it is.
    """
    options = ["header = true", _options(layout)]
    guesses = {name: _guess(types) for name, types in layout.columns.items()}
    fixed = [f"{literal(name)}: {literal(type_name)}" for name, type_name in guesses.items() if type_name]
    if not trusting:
        options.append("sample_size = -1")
    elif fixed:
        options.append(f"types = {{{', '.join(fixed)}}}")
    return f"read_csv({exact_paths(paths)}, {', '.join(options)})"


def projection(columns: Shape) -> str:
    """The SELECT list that presents these columns.

    Nanoseconds become microseconds: they end in 2262, can't be compared with later times, and with a zone not at all.
    """
    return ", ".join(_presented(identifier(name), type_name) for name, type_name in columns)


def _presented(column: str, type_name: str) -> str:
    coarser = _COARSER.get(type_name)
    return f"CAST({column} AS {coarser}) AS {column}" if coarser else column


def _options(layout: Layout) -> str:
    options = [f"hive_partitioning = {'true' if layout.partitions else 'false'}"]
    if layout.partition_types:
        types = ", ".join(f"{identifier(name)}: {type_name}" for name, type_name in layout.partition_types)
        options.append(f"hive_types = {{{types}}}")
    if layout.union:
        options.append("union_by_name = true")
    return ", ".join(options)


def _guess(types: Sequence[str]) -> str | None:
    """The type of a column that is text in some files only: its one other type, or the wider of two numbers."""
    others = [name for name in types if kind_of(name) is not Kind.STRING and name != NOTHING]
    if not others or len(others) == len(types):
        return None
    if len(others) == 1:
        return others[0]
    return "DOUBLE" if all(kind_of(name).is_number for name in others) else None
