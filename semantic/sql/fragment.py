"""Pieces of SQL text that carry their parameters, so that parameters always come in text order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from semantic.model.facts import Kind
from semantic.sql.statement import Parameter


class Binding(IntEnum):
    """How tightly a text holds together, loosest first: what binds less than its place needs gets parentheses."""

    LOOSE = 0
    OR = 1
    AND = 2
    NOT = 3
    COMPARED = 4
    SUM = 5
    PRODUCT = 6
    ATOM = 7


@dataclass(frozen=True, slots=True)
class Fragment:
    """SQL text with `?` for each parameter, in order.

    `kind`: what its values surely are, where that is known. `is_set`: they are never null.
    """

    text: str
    params: tuple[Parameter, ...] = ()
    binding: Binding = Binding.ATOM
    kind: Kind | None = None
    is_set: bool = False


def build(
    template: str,
    *fragments: Fragment,
    binding: Binding | None = None,
    kind: Kind | None = None,
    is_set: bool = False,
) -> Fragment:
    """`{}` in the template replaced by the fragments, in order. Other braces are text.

    `binding`: of the whole; when it is not given, a word or one call is an ATOM and all else LOOSE.
    """
    first, *rest = template.split("{}")
    text = first + "".join(f"{fragment.text}{after}" for fragment, after in zip(fragments, rest, strict=True))
    params = tuple(param for fragment in fragments for param in fragment.params)
    return Fragment(text, params, _shape(template) if binding is None else binding, kind, is_set)


_ONE_CASE = re.compile(r"CASE (?!.*\bCASE\b).* END")
_INNERMOST = re.compile(r"\([^()]*\)")
_WORD = re.compile(r"[\w{}.?\[\]]*")


@lru_cache(maxsize=4096)
def _shape(template: str) -> Binding:
    """Whether a template is one word, one call, one CASE."""
    if _ONE_CASE.fullmatch(template):
        return Binding.ATOM
    before, found = "", template
    while found != before:
        before, found = found, _INNERMOST.sub("", found)
    calls = template.count("(") == 0 or template.endswith((")", "]"))
    return Binding.ATOM if calls and _WORD.fullmatch(found) else Binding.LOOSE


def join(separator: str, fragments: Iterable[Fragment], binding: Binding = Binding.LOOSE) -> Fragment:
    """Fragments with a text between them; one alone stays as it is."""
    listed = list(fragments)
    if len(listed) == 1:
        return listed[0]
    params = tuple(param for fragment in listed for param in fragment.params)
    return Fragment(separator.join(fragment.text for fragment in listed), params, binding)


def indent(fragment: Fragment) -> Fragment:
    """Every line two spaces further in."""
    return Fragment("  " + fragment.text.replace("\n", "\n  "), fragment.params)


def nest(fragment: Fragment, place: Binding = Binding.ATOM) -> Fragment:
    """The fragment, in parentheses when it binds less tightly than its place needs."""
    return fragment if fragment.binding >= place else build("({})", fragment)
