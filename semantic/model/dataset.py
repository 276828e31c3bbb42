"""Datasets: one logical table each, with who is counted in it, how it is split, and how datasets relate."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from semantic.errors import Position
from semantic.model.expression import Expression
from semantic.model.money import Currency
from semantic.model.text import NO_TEXT, Text
from semantic.time import Duration


class DimensionType(StrEnum):
    """What a dimension's values are to a client."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"


class SourceFormat(StrEnum):
    """How a dataset's files are stored."""

    PARQUET = "parquet"
    CSV = "csv"
    ICEBERG = "iceberg"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: a format and a path or glob, relative to the model folder, or s3://…"""

    path: str
    format: SourceFormat = SourceFormat.PARQUET


@dataclass(frozen=True, slots=True)
class SharedDimension:
    """A name of the shared vocabulary: one meaning in every dataset that has it."""

    name: str
    type: DimensionType
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Dimension:
    """How one dataset spells a dimension: a scalar expression over its columns (default: the column of that name).
    `newness`: not that day itself, but whether a row that leads to it is of that day (new) or later (returning).
    """

    name: str
    type: DimensionType
    expr: Expression
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    newness: bool = False
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """A named filter of a dataset."""

    name: str
    where: Expression
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One logical table.

    `primary_key`: rows that repeat it are one row (empty: every row counts); `unique` promises that none repeat.
    `time_dimension`: the column that places a row in time. `timezone`: of its zone-less timestamps (default UTC).
    `entities`: (entity, column) pairs, who can be counted. `computed`: columns that the files don't have, made of those
    they have. `currency`: of its amounts, where that is not always the model's. `passive`: events that don't break a
    strict funnel's run.
    `data_through`: the last complete local day, when declared. `warn_after`: freshness. `score`, `first`:
    whose entities its rows are, for a dataset that has no files of its own.
    """

    name: str
    source: Source
    primary_key: tuple[str, ...] = ()
    unique: bool = False
    time_dimension: str | None = None
    timezone: str = "UTC"
    entities: tuple[tuple[str, str], ...] = ()
    computed: tuple[tuple[str, Expression], ...] = ()
    currency: Currency | None = None
    dimensions: tuple[Dimension, ...] = ()
    segments: tuple[Segment, ...] = ()
    passive: Expression | None = None
    data_through: date | None = None
    warn_after: Duration | None = None
    score: str | None = None
    first: str | None = None
    label: Text = NO_TEXT
    description: Text = NO_TEXT
    position: Position | None = field(default=None, compare=False)

    @property
    def is_made(self) -> bool:
        """Whether it has no files of its own, and is made of the rows of another."""
        return self.score is not None or self.first is not None

    def entity_column(self, entity: str) -> str | None:
        """The column that says who, or None when the dataset doesn't have the entity."""
        return dict(self.entities).get(entity)


@dataclass(frozen=True, slots=True)
class Relationship:
    """Many rows of `from_dataset` to one row of `to_dataset`; `columns` are (from column, to column) pairs. `implied`:
    no author wrote it, and it is no part of a dimension's name.
    """

    name: str
    from_dataset: str
    to_dataset: str
    columns: tuple[tuple[str, str], ...]
    label: Text = NO_TEXT
    implied: bool = False
    position: Position | None = field(default=None, compare=False)
