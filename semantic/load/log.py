"""What one load collects besides values: problems, where things stand, and who names whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from semantic.errors import Code, Position, Problem
from semantic.model.places import Path


@dataclass(frozen=True, slots=True)
class Reference:
    """The item at `owner` (section, name) names `name` of `section`, or of `or_section`."""

    owner: Path
    section: str
    name: str
    at: Position
    or_section: str | None = None

    @property
    def sections(self) -> tuple[str, ...]:
        """Where the name may be defined."""
        return (self.section,) if self.or_section is None else (self.section, self.or_section)


@dataclass(slots=True)
class Log:
    """Grows while the files are read. `places`: path → position of every named thing and value. `unreadable`: some file
    could not be read at all, so that what it holds is not known.
    """

    problems: list[Problem] = field(default_factory=list)
    places: dict[Path, Position] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    unreadable: bool = False

    def problem(self, code: Code, message: str, at: Position | None, suggestion: str | None = None) -> None:
        """Notes a problem; the load goes on."""
        self.problems.append(Problem(code, message, at, suggestion))

    def place(self, path: Path, at: Position) -> None:
        """Notes where `path` stands; the first place of a path given twice stays."""
        self.places.setdefault(path, at)
