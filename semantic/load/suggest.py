"""What to say about a name that is not known, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from semantic.errors import Position, did_you_mean
from semantic.model.expression import Ref

MAX_LISTED = 12


def near(name: str, known: Iterable[str]) -> str | None:
    """The nearest known names; else all of them, when they are few."""
    names = list(dict.fromkeys(known))
    if len(names) <= MAX_LISTED:
        return did_you_mean(name, names) or (f"Known: {', '.join(sorted(names))}." if names else None)
    return did_you_mean(name, names)


def at_part(ref: Ref, index: int) -> Position | None:
    """Where a part of `buyer.region.name` stands, when it is written as it is usually: without blanks and quotes."""
    at, parts = ref.position, (*ref.path, ref.name)
    before = "".join(f"{part}." for part in parts[:index])
    if at is None or not at.text.startswith(f"{before}{parts[index]}", at.column - 1):
        return at
    return replace(at, column=at.column + len(before))
