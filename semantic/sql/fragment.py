"""Pieces of SQL text that carry their parameters, so that parameters always come in text order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from semantic.sql.statement import Parameter


@dataclass(frozen=True, slots=True)
class Fragment:
    """SQL text with `?` for each parameter, in order."""

    text: str
    params: tuple[Parameter, ...] = ()


def build(template: str, *fragments: Fragment) -> Fragment:
    """`{}` in the template replaced by the fragments, in order."""
    params = tuple(param for fragment in fragments for param in fragment.params)
    return Fragment(template.format(*(fragment.text for fragment in fragments)), params)


def join(separator: str, fragments: Iterable[Fragment]) -> Fragment:
    """Fragments with a text between them."""
    listed = list(fragments)
    params = tuple(param for fragment in listed for param in fragment.params)
    return Fragment(separator.join(fragment.text for fragment in listed), params)


def indent(fragment: Fragment) -> Fragment:
    """Every line two spaces further in."""
    return Fragment("  " + fragment.text.replace("\n", "\n  "), fragment.params)


def nest(fragment: Fragment) -> Fragment:
    """The fragment in parentheses, unless it is one word."""
    return fragment if " " not in fragment.text else build("({})", fragment)
