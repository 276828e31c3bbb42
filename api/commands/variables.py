"""The option for a query's variables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def _read(ctx: click.Context, param: click.Parameter, text: str | None) -> dict[str, Any] | None:
    """A JSON object, or `@FILE` with one in it; wrong use of the command when it is none."""
    if text is None:
        return None
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except OSError as error:
            raise click.BadParameter(f"{text[1:]} can't be read: {error.strerror}.", ctx, param) from None
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        raise click.BadParameter(reason, ctx, param) from None
    if not isinstance(found, dict):
        raise click.BadParameter('must be a JSON object such as {"channel": "search"}.', ctx, param)
    return found


def variables_option(function: F) -> F:
    """Adds `--variables`."""
    text = "The query's variables: a JSON object, or @FILE with one."
    return click.option("--variables", callback=_read, metavar="JSON|@FILE", help=text)(function)
