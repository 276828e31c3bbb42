"""Identities: ids that are one and the same somebody."""

from __future__ import annotations

from dataclasses import dataclass, field

from semantic.errors import Position


@dataclass(frozen=True, slots=True)
class Identity:
    """A dataset that says which id stands for another: rows of `source` (an anonymous id) → `target` (a user).

    `entity`: whose ids they are. In every dataset that has the entity, ids found in `source` are read as their
    `target`, before anything is counted; others stay themselves. An id that leads to several targets is read as the
    first: by the dataset's time dimension where it has one, then the smallest.
    """

    entity: str
    dataset: str
    source: str
    target: str
    position: Position | None = field(default=None, compare=False)
