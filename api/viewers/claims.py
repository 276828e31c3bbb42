"""What is said about a viewer, as JSON → claims of the kinds that policies compare with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypeGuard

from semantic.query.query import Claim, Viewer

Plain = str | int | float | bool


def viewer_of(name: str, given: Mapping[str, object]) -> Viewer:
    """A viewer with everything of `given` that can be a claim: single values, and lists of them.

    Nulls and objects are left out: a policy that needs one of those refuses, as for a claim that was never given.
    """
    return Viewer(name, tuple(sorted(_claims(given))), signed_in=True)


def _claims(given: Mapping[str, object]) -> Iterator[tuple[str, Claim]]:
    for name, value in given.items():
        if isinstance(value, list):
            if all(_is_plain(item) for item in value):
                yield name, tuple(dict.fromkeys(value))
        elif _is_plain(value):
            yield name, value


def _is_plain(value: object) -> TypeGuard[Plain]:
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def is_claim(value: object) -> bool:
    """Whether a JSON value can be a claim."""
    return all(map(_is_plain, value)) if isinstance(value, list) else _is_plain(value)
