"""Where every part of a model stands in its files, for messages that point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from semantic.errors import Position

Path = tuple[str, ...]
"""The way to a part of a model: ("metrics", "gmv", "dataset"); an entry of a list by its name, else by its index."""


@dataclass(frozen=True, eq=False)
class Places:
    """Path → position."""

    by_path: Mapping[Path, Position] = field(default_factory=lambda: MappingProxyType({}))

    def __contains__(self, path: Path) -> bool:
        return path in self.by_path

    def at(self, *path: str) -> Position | None:
        """The position of a path, or of the nearest part around it that is known."""
        for length in range(len(path), 0, -1):
            found = self.by_path.get(path[:length])
            if found is not None:
                return found
        return None

    def names(self, *path: str) -> tuple[str, ...]:
        """The names directly under a path, in the order written."""
        return self._children.get(path, ())

    @cached_property
    def _children(self) -> Mapping[Path, tuple[str, ...]]:
        children: dict[Path, list[str]] = {}
        for *around, name in self.by_path:
            children.setdefault(tuple(around), []).append(name)
        return {path: tuple(names) for path, names in children.items()}
