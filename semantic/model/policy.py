"""Policies (who sees what) and rollups (stored aggregates)."""

from __future__ import annotations

from dataclasses import dataclass, field

from semantic.errors import Position
from semantic.model.expression import Expression
from semantic.time import Grain


@dataclass(frozen=True, slots=True)
class DatasetPolicy:
    """What viewers see of `dataset`, but for those whose claims satisfy `unless`.

    `where`: the rows; `:name` in it is a claim, and a missing claim is an error. `entities` False: no lists of who is
    counted. `k`: no number of a group with fewer entities (the dataset's first) than this.
    """

    name: str
    dataset: str
    where: Expression | None = None
    entities: bool = True
    k: int | None = None
    unless: Expression | None = None
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class MetricPolicy:
    """No number of these metrics for a group with fewer entities than `k`, but for viewers who satisfy `unless`."""

    name: str
    metrics: tuple[str, ...]
    k: int
    unless: Expression | None = None
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class HidePolicy:
    """Metrics and dimensions hidden from every viewer whose claims don't satisfy `unless` (None: from all)."""

    name: str
    hide: tuple[str, ...]
    unless: Expression | None = None
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SqlPolicy:
    """No SQL is shown to viewers whose claims don't satisfy `unless`."""

    name: str
    unless: Expression | None = None
    position: Position | None = field(default=None, compare=False)


Policy = DatasetPolicy | MetricPolicy | HidePolicy | SqlPolicy


@dataclass(frozen=True, slots=True)
class Rollup:
    """A stored aggregate of `dataset` by dimensions and grain."""

    name: str
    dataset: str
    dimensions: tuple[str, ...]
    grain: Grain
    metrics: tuple[str, ...]
    position: Position | None = field(default=None, compare=False)
