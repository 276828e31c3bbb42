"""`headwater query`: answer a query in this process, without a server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

import click

from api.commands.claims import claims_option
from api.commands.options import MODEL, read_document, setting_options, settings_of
from api.commands.variables import variables_option

OURS = {"INTERNAL", "TIMEOUT", "OVERLOADED", "CANCELLED", "DATA_ERROR"}
"""Error codes that are not the caller's to mend."""


@click.command("query", short_help="Answer a query: a table, or JSON to a pipe.")
@click.argument("file", metavar="FILE|-")
@variables_option
@click.option("--operation", metavar="NAME", help="The operation to run, when the document has several.")
@click.option("--locale", metavar="TAG", help="The language of labels and descriptions, such as zh-CN.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to a terminal too.")
@claims_option("A claim to ask with, such as role=finance; policies look at them.")
@setting_options(*MODEL, "deadline", "memory_limit", "threads", "max_rows")
def command(
    file: str,
    variables: dict[str, Any] | None,
    operation: str | None,
    locale: str | None,
    as_json: bool,
    claims: Mapping[str, Any],
    **given: Any,
) -> None:
    """Answer the GraphQL query in FILE (- reads it from standard input): a table on a terminal, JSON to a pipe.

    Exit code 1 when the query or the model is wrong, 3 when it is ours or the machine's fault.
    """
    from api.session import ask, at_the_command_line
    from api.terminal import working

    document = read_document(file)
    settings = settings_of(given)
    with working("Asking …"):
        response = asyncio.run(ask(settings, document, variables, operation, locale, at_the_command_line(claims)))
    if as_json or not sys.stdout.isatty():
        _print_json(response.body)
    else:
        from api.tables import print_answer

        print_answer(response.body, document)
    if response.codes:
        raise click.exceptions.Exit(3 if OURS.intersection(response.codes) else 1)


def _print_json(body: bytes) -> None:
    """The answer as it came, indented for people."""
    if not sys.stdout.isatty():
        sys.stdout.buffer.write(body + b"\n")
        sys.stdout.buffer.flush()
        return
    from api.tables import indented

    click.echo(indented(body))
