"""What the reference raises instead of an answer."""

from __future__ import annotations

from semantic.errors import Code


class Refused(Exception):
    """The documents say that this query is an error, with this code."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.value)
        self.code = code


class Unspecified(Exception):
    """The documents don't say what this query means: there is nothing to compare with."""
