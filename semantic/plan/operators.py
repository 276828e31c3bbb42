"""Operators of plan expressions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BinaryOp(StrEnum):
    """Arithmetic and comparison. DIVIDE is null when the divisor is 0, and never integer division; WHOLES
    is, of whole numbers that are not negative."""

    ADD = "+"
    MULTIPLY = "*"
    SUBTRACT = "-"
    DIVIDE = "/"
    WHOLES = "//"
    POWER = "^"
    EQ = "="
    GT = ">"
    GTE = ">="
    LT = "<"
    LTE = "<="
    SAME = "is not distinct from"
    DIFFERENT = "is distinct from"


class Running(StrEnum):
    """How the rows before a row are folded into one value; nulls are left out."""

    COUNT = "count"
    MIN = "min"
    MAX = "max"


class TextTest(StrEnum):
    """Where in a text the other text must stand."""

    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"


@dataclass(frozen=True, slots=True)
class Order:
    """Rows one after another: those with the same values of `within` (none: all rows), by these columns (nulls last).
    `reverse`: from the other end.
    """

    by: tuple[str, ...]
    within: tuple[str, ...] = ()
    reverse: bool = False
