"""`headwater schema`: print the GraphQL schema."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from api.commands.options import MODEL, setting_options, settings_of


@click.command("schema", short_help="Print the GraphQL schema.")
@setting_options(*MODEL)
@click.option("--locale", metavar="TAG", help="The language of labels and descriptions, such as zh-CN.")
def command(locale: str | None, **given: Any) -> None:
    """Print the GraphQL schema (SDL) of the model: for code generators, editors and reviews."""
    from api.session import sdl
    from api.terminal import working

    settings = settings_of(given)
    with working("Loading the model …"):
        text = asyncio.run(sdl(settings, locale))
    click.echo(text, nl=False)
