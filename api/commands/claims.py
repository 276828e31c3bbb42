"""The option that says which claims a viewer has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def claims_option(text: str) -> Callable[[F], F]:
    """Adds `--claim NAME=VALUE`, which may be given several times; the command gets `claims`, a mapping."""
    return click.option("--claim", "claims", multiple=True, callback=read_claims, metavar="NAME=VALUE", help=text)


def read_claims(ctx: click.Context, _: click.Parameter, texts: tuple[str, ...]) -> Mapping[str, Any]:
    """`shop_ids=[1,2]`, `role=finance`: JSON where it is, else a text. UsageError for what can be no claim."""
    from api.viewers.claims import is_claim

    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            claim = json.loads(value)
        except ValueError:
            claim = value
        if not equals or not name or not is_claim(claim):
            raise click.UsageError(f'"{text}" is no claim. Write role=finance, or shop_ids=[1,2].', ctx)
        if name in found:
            raise click.UsageError(f'The claim "{name}" is given twice. A list is written {name}=[1,2].', ctx)
        found[name] = claim
    return found
