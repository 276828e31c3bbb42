"""How the files of a dataset fit together: the same columns everywhere, or a union with what is missing named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from engine.kinds import NOTHING, kind_of
from semantic.errors import DataError
from semantic.model.facts import Kind

Shape = tuple[tuple[str, str], ...]
"""The columns of a file: (name, DuckDB type) pairs in order."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`union`: the files differ and are matched by column name. `columns`: name → the types it has, in file order.
    `partitions`: the hive partitions, which are columns too; `partition_types`: of those whose source says them.
    `warnings`: for people.
    """

    union: bool
    columns: dict[str, tuple[str, ...]]
    partitions: tuple[str, ...] = ()
    partition_types: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


def lay_out(dataset: str, shapes: Sequence[Shape], names: Sequence[str], strict: bool = True) -> Layout:
    """Fit files together. `names`: their paths below the source's plain folder.

    DataError when a column has types that don't fit (`strict`), or when the files are partitioned in different ways.
    """
    partitions = _partitions(dataset, names)
    groups = tuple(dict.fromkeys(shapes))
    columns = _columns(groups)
    if len(groups) == 1 or all(_by_name(group) == _by_name(groups[0]) for group in groups):
        return Layout(False, columns, partitions)
    warnings = [*_missing(dataset, columns, shapes), *_mixed(dataset, columns, strict)]
    return Layout(True, columns, partitions, warnings=tuple(warnings))


def _by_name(shape: Shape) -> dict[str, str]:
    return {name.casefold(): type_name for name, type_name in shape}


def _columns(shapes: Sequence[Shape]) -> dict[str, tuple[str, ...]]:
    """Every column under its first spelling, with its types; names that differ only in case are one."""
    spelling: dict[str, str] = {}
    types: dict[str, dict[str, None]] = {}
    for shape in shapes:
        for name, type_name in shape:
            first = spelling.setdefault(name.casefold(), name)
            types.setdefault(first, {})[type_name] = None
    return {name: tuple(found) for name, found in types.items()}


def _missing(dataset: str, columns: dict[str, tuple[str, ...]], shapes: Sequence[Shape]) -> list[str]:
    having = [{name.casefold() for name, _ in shape} for shape in shapes]
    warnings = []
    for column in columns:
        without = sum(column.casefold() not in names for names in having)
        if without:
            files = f"{without} of {len(shapes)} files"
            warnings.append(f'{files} of "{dataset}" have no column "{column}": it is null in their rows.')
    return warnings


def _mixed(dataset: str, columns: dict[str, tuple[str, ...]], strict: bool) -> list[str]:
    warnings = []
    for column, types in columns.items():
        known = [type_name for type_name in types if type_name != NOTHING]
        kinds = list(dict.fromkeys(kind_of(type_name) for type_name in known))
        fits = len(kinds) < 2 and (Kind.OTHER not in kinds or len(known) < 2)
        if fits:
            continue
        if all(kind.is_number for kind in kinds):
            listed = " and ".join(sorted(kinds))
            warnings.append(
                f'Column "{column}" of "{dataset}" is {listed} in different files: read as one kind of number.'
            )
        elif strict:
            raise _unfit(dataset, column, known)
    return warnings


def _unfit(dataset: str, column: str, types: Sequence[str]) -> DataError:
    listed = " and ".join(types)
    message = f'Column "{column}" of "{dataset}" is {listed} in different files, which don\'t fit together.'
    return DataError(message, "Write the files with one type.")


def _partitions(dataset: str, names: Sequence[str]) -> tuple[str, ...]:
    """The hive partitions (`day=2026-11-01/`) that all files share."""
    found = dict.fromkeys(_keys(name) for name in names)
    if len(found) > 1:
        raise DataError(
            f'The files of "{dataset}" are partitioned in different ways: {_listed(found)}.',
            "Give every file the same key=value folders.",
        )
    return next(iter(found), ())


def _keys(name: str) -> tuple[str, ...]:
    folders = name.replace(os.sep, "/").split("/")[:-1]
    return tuple(folder.partition("=")[0] for folder in folders if "=" in folder)


def _listed(found: dict[tuple[str, ...], None]) -> str:
    return ", ".join("by " + " and ".join(keys) if keys else "not at all" for keys in list(found)[:3])
