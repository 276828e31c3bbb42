"""Facts: what is true of the data now. Made by the engine; a plain value to everyone else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

Value = str | int | bool
"""A value of a column that has few."""

FEW = 62
"""How many values a column has at most whose values are listed: one bit each in a word, with two to spare."""


class Kind(StrEnum):
    """The kinds of value the compiler tells apart."""

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    OTHER = "other"

    @property
    def is_number(self) -> bool:
        """True for integer, decimal, float."""
        return self in (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The earliest and the latest value of a time column: both dates, or both naive UTC datetimes."""

    first: date | datetime
    last: date | datetime


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """One dataset as the engine presents it at one data version.

    `columns`: name → kind, in file order. `bounds`: of each time column asked for (absent: no non-null value).
    `beyond`: time columns that also have values in no calendar: infinite ones, or of years before 1 or after 9999.
    `unique_keys`: column sets known not to repeat, as presented (an engine may present rows already de-duplicated).
    `version`: changes whenever the files do. `rows`: an estimate, for cost. `longs`: the columns of whole numbers that
    64 bits with a sign can hold. `values`: of columns known to have few, all values of the rows as presented, sorted,
    without null, and maybe some that no row has (absent: not known, or more than FEW; empty: only nulls). They are of
    all rows, whoever asks (never show them), and may become known later for the same version. Columns that the model
    reads as something else (ids as users, amounts in one currency) have none.
    """

    version: str
    columns: Mapping[str, Kind]
    bounds: Mapping[str, Bounds] = field(default_factory=lambda: MappingProxyType({}))
    unique_keys: frozenset[tuple[str, ...]] = frozenset()
    rows: int = 0
    warnings: tuple[str, ...] = ()
    longs: frozenset[str] = frozenset()
    beyond: frozenset[str] = frozenset()
    values: Mapping[str, tuple[Value, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of several datasets, and one version for all of them. `learned`: grows when more is known of the same
    version.
    """

    version: str
    datasets: Mapping[str, DatasetFacts]
    learned: int = 0
