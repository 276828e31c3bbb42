"""Policies (who sees what) and rollups (stored aggregates)."""

from __future__ import annotations

from dataclasses import dataclass, field

from semantic.errors import Position
from semantic.model.expression import Expression
from semantic.time import Grain


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """Rows of `dataset` a viewer may see; `:name` in the expression is a claim, and a missing claim is an error."""

    name: str
    dataset: str
    where: Expression
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class HidePolicy:
    """Metrics and dimensions hidden from every viewer whose claims don't satisfy `unless` (None: from all)."""

    name: str
    hide: tuple[str, ...]
    unless: Expression | None = None
    position: Position | None = field(default=None, compare=False)


Policy = RowPolicy | HidePolicy


@dataclass(frozen=True, slots=True)
class Rollup:
    """A stored aggregate of `dataset` by dimensions and grain."""

    name: str
    dataset: str
    dimensions: tuple[str, ...]
    grain: Grain
    metrics: tuple[str, ...]
    position: Position | None = field(default=None, compare=False)
