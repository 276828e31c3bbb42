"""What the workers of one server share: a folder, which goes with the server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers of one server, as one of them sees them. `place`: its own among them, from 0.

    Whoever takes the place of one that died goes on with what that one left in the folder.
    """

    folder: Path
    place: int

    @property
    def rates(self) -> Path:
        """The file of viewers' buckets."""
        return self.folder / "rates"

    @property
    def connections(self) -> Path:
        """The file that says how many connections each has."""
        return self.folder / "connections"

    @property
    def log(self) -> Path:
        """The file that is locked while somebody writes to the log."""
        return self.folder / "log"
