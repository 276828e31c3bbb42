"""What to say about a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable

from semantic.errors import did_you_mean

MAX_LISTED = 12


def near(name: str, known: Iterable[str]) -> str | None:
    """The nearest known names; else all of them, when they are few."""
    names = list(dict.fromkeys(known))
    if len(names) <= MAX_LISTED:
        return did_you_mean(name, names) or (f"Known: {', '.join(sorted(names))}." if names else None)
    return did_you_mean(name, names)
