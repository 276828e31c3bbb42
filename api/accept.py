"""Which media type to answer with (RFC 9110 §12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
HTML = "text/html"
EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True)
class _Range:
    """One part of an Accept header: `text/*;q=0.8`."""

    type: str
    quality: float
    position: int

    @property
    def precision(self) -> int:
        """How closely it names a type: 0 `*/*`, 1 `text/*`, 2 `text/html`."""
        return 2 - self.type.count("*")

    def matches(self, offered: str) -> bool:
        return self.type in ("*/*", offered, f"{offered.partition('/')[0]}/*")


def choose_type(accept: str | None, offered: Sequence[str]) -> str | None:
    """The offered type the caller likes most; None when it takes none of them.

    Of types liked equally, the one that the header names more closely, then earlier; then the one offered first.
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = [_range(part, position) for position, part in enumerate(accept.split(","))]
    best: tuple[float, int, int, int] | None = None
    chosen = None
    for order, candidate in enumerate(offered):
        found = max((r for r in ranges if r.matches(candidate)), key=lambda r: r.precision, default=None)
        if found is None or found.quality == 0:
            continue
        place = found.position if found.precision == 2 else len(ranges)
        rank = (found.quality, found.precision, -place, -order)
        if best is None or rank > best:
            best, chosen = rank, candidate
    return chosen


def _range(part: str, position: int) -> _Range:
    name, *parameters = part.lower().split(";")
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            quality = _quality(value)
    return _Range(name.strip(), quality, position)


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
