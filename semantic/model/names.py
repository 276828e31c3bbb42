"""How a name of a model is spelled in GraphQL."""

from __future__ import annotations


def camel_case(name: str) -> str:
    """`uv_7d` → `uv7d`, `ad_cost` → `adCost`: the name of a field."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
