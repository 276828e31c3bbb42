"""`headwater`: the command line.

Exit codes: 0 done · 1 the caller's to mend (model, query) · 2 wrong use of the command · 3 ours or the machine's.
A command is loaded when it is run, and loads what it needs itself: `headwater --help` costs nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from semantic.errors import HeadwaterError, OurError, did_you_mean

COMMANDS = ("demo", "serve", "check", "query", "sql", "schema", "model-schema", "fit", "keys", "health")
"""In the order of the help; `model-schema` is `command` of api.commands.model_schema."""

USERS_FAULT, WRONG_USE, OUR_FAULT, INTERRUPTED = 1, 2, 3, 130


class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"api.commands.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to run; an unknown one is told with the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = did_you_mean(args[0], COMMANDS) or f"There are: {', '.join(COMMANDS)}."
            raise click.UsageError(f'There is no command "{args[0]}". {near}', ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="headwater", message="headwater %(version)s")
def cli() -> None:
    """A metrics API: a YAML model over Parquet files, served as typed GraphQL.

    Settings may also be given as HEADWATER_* environment variables; an option wins.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    try:
        result = cli.main(arguments, prog_name="headwater", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except HeadwaterError as error:
        from api.terminal import report

        report(error)
        return OUR_FAULT if isinstance(error, OurError) else USERS_FAULT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: say nothing at exit
        return 0
    except Exception as error:
        return _internal(error)
    return result if isinstance(result, int) else 0


def _internal(error: Exception) -> int:
    if os.environ.get("HEADWATER_LOG_LEVEL", "").lower() == "debug":
        import traceback

        traceback.print_exception(error)
    click.echo(
        f"Error: Headwater has failed, which is not your fault: {type(error).__name__}: {error}\n"
        "With HEADWATER_LOG_LEVEL=debug it shows where.",
        err=True,
    )
    return OUR_FAULT


def main() -> None:
    """The entry point."""
    sys.exit(run())
