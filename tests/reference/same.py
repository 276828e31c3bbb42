"""Are two answers the same? Integers, decimals, texts, times exactly; floats to 1e-9; in the same order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.reference.rows import Row

TOLERANCE = 1e-9


def same_value(left: Any, right: Any) -> bool:
    """One cell against another."""
    if isinstance(left, bool) or isinstance(right, bool) or not (_is_number(left) and _is_number(right)):
        return type(left) is type(right) and bool(left == right)
    if isinstance(left, float) or isinstance(right, float):
        return math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal)


def differences(expected: Sequence[Row], got: Sequence[Row]) -> list[str]:
    """What is not the same, for a person to read."""
    found = [f"{len(expected)} rows expected, {len(got)} got"] if len(expected) != len(got) else []
    for number, (left, right) in enumerate(zip(expected, got, strict=False)):
        if set(left) != set(right):
            found.append(f"row {number}: fields {sorted(left)} expected, {sorted(right)} got")
            continue
        wrong = [key for key in left if not same_value(left[key], right[key])]
        if wrong:
            found.append(f"row {number}: {[(key, left[key], right[key]) for key in wrong]} (expected, got)")
    return found
