"""Where a character of a scalar's text stands in its file, whatever its style: plain, quoted, folded, literal."""

from __future__ import annotations

from typing import Final

from semantic.errors import Position
from semantic.load.source import Scalar

_ESCAPE_LENGTHS: Final = {"x": 4, "u": 6, "U": 10}


def position_in(node: Scalar, offset: int) -> Position:
    """The position of the `offset`-th character of the text; the scalar's own where they can't be aligned."""
    raw, text = node.raw, node.text
    style = raw[:1] if node.quoted else ""
    seen, index = 0, len(style)
    if style in ("|", ">"):
        seen, index = _after_blanks(text, 0), _after_blanks(raw, raw.find("\n") + 1)
    while seen < offset and index < len(raw):
        blanks = raw[index : _after_blanks(raw, index)]
        if "\n" in blanks or "\r" in blanks:  # folded, or stripped of its indentation
            seen, index = _after_blanks(text, seen), index + len(blanks)
        else:
            seen, index = seen + 1, index + _width(raw, index, style)
    agrees = seen == offset and (offset >= len(text) or raw[index : index + 1] in (text[offset], "\\"))
    return node.file.at(node.start + index) if agrees else node.at


def _width(raw: str, index: int, style: str) -> int:
    """How many characters spell one."""
    if style == "'" and raw.startswith("''", index):
        return 2
    if style == '"' and raw[index] == "\\":
        return _ESCAPE_LENGTHS.get(raw[index + 1 : index + 2], 2)
    return 1


def _after_blanks(text: str, index: int) -> int:
    while index < len(text) and text[index].isspace():
        index += 1
    return index
