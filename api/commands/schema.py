"""`headwater schema`: print the GraphQL schema."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import click

from api.commands.claims import claims_option
from api.commands.options import MODEL, setting_options, settings_of


@click.command("schema", short_help="Print the GraphQL schema.")
@setting_options(*MODEL)
@click.option("--locale", metavar="TAG", help="The language of labels and descriptions, such as zh-CN.")
@claims_option("A claim of whom it is shown to, such as role=finance; policies look at them.")
def command(locale: str | None, claims: Mapping[str, Any], **given: Any) -> None:
    """Print the GraphQL schema (SDL) of the model: for code generators, editors and reviews."""
    from api.session import at_the_command_line, sdl
    from api.terminal import working

    settings = settings_of(given)
    with working("Loading the model …"):
        text = asyncio.run(sdl(settings, locale, at_the_command_line(claims)))
    click.echo(text, nl=False)
