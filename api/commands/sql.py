"""`headwater sql`: show the SQL of a query, and run nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from api.commands.claims import claims_option
from api.commands.options import MODEL, read_document, setting_options, settings_of
from api.commands.variables import variables_option

if TYPE_CHECKING:
    from api.settings import Settings
    from api.showing import Shown


@click.command("sql", short_help="Show the SQL of a query; run nothing.")
@click.argument("file", metavar="FILE|-")
@variables_option
@click.option("--operation", metavar="NAME", help="The operation to show, when the document has several.")
@click.option(
    "--dialect",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="Whose SQL; Spark's is shown only, never run.",
)
@click.option("--plan", is_flag=True, help="Show the plan the SQL is made from, as a tree.")
@claims_option("A claim to ask with, such as role=finance; policies look at them.")
@setting_options(*MODEL)
def command(
    file: str,
    variables: dict[str, Any] | None,
    operation: str | None,
    dialect: str,
    plan: bool,
    claims: Mapping[str, Any],
    **given: Any,
) -> None:
    """Show the SQL and the parameters of the GraphQL query in FILE (- reads it from standard input).

    Nothing is run; of the data only what compiling needs is read: columns, and the first and last time.
    """
    from api.tables import error_text
    from api.terminal import errors, working

    document = read_document(file)
    settings = settings_of(given)
    with working("Compiling …"):
        found, failures = asyncio.run(_shown(settings, document, variables, operation, dialect, claims))
    for number, one in enumerate(found, 1):
        click.echo(_text(one, f"{number} of {len(found)}", plan))
    for error in failures:
        errors().print(error_text(error, document))
    if failures:
        raise click.exceptions.Exit(1)


async def _shown(
    settings: Settings,
    document: str,
    variables: dict[str, Any] | None,
    operation: str | None,
    dialect: str,
    claims: Mapping[str, Any],
) -> tuple[tuple[Shown, ...], list[dict[str, Any]]]:
    from api.session import at_the_command_line, opened
    from api.showing import shown
    from semantic.sql.duckdb import DUCKDB
    from semantic.sql.spark import SPARK

    chosen = {"duckdb": DUCKDB, "spark": SPARK}[dialect]
    async with opened(settings) as snapshot:
        return await shown(snapshot, document, variables, operation, chosen, at_the_command_line(claims))


def _text(one: Shown, place: str, plan: bool) -> str:
    from api.showing import literal, title
    from semantic.plan.show import show

    heading = f"-- {place}: {title(one.question)}"
    if plan:
        return f"{heading}\n{show(one.compiled.plan)}\n"
    statement = one.compiled.statement
    values = "".join(f"-- ?{number} = {literal(value)}\n" for number, value in enumerate(statement.params, 1))
    return f"{heading}\n{values}{statement.sql};\n"
