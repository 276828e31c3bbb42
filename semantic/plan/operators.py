"""Operators of plan expressions."""

from __future__ import annotations

from enum import StrEnum


class BinaryOp(StrEnum):
    """Arithmetic and comparison. DIVIDE is null when the divisor is 0, and never integer division; WHOLES
    is, of whole numbers that are not negative."""

    ADD = "+"
    MULTIPLY = "*"
    SUBTRACT = "-"
    DIVIDE = "/"
    WHOLES = "//"
    EQ = "="
    GT = ">"
    GTE = ">="
    LT = "<"
    LTE = "<="
    SAME = "is not distinct from"
    DIFFERENT = "is distinct from"


class TextTest(StrEnum):
    """Where in a text the other text must stand."""

    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
