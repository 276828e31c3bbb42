"""`headwater health`: does a server answer? For containers and scripts."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import click

from api.commands.options import setting_options, settings_of


@click.command("health", short_help="Ask a running server whether it is well.")
@setting_options("port")
@click.option("--url", metavar="URL", help="The server's address.  [default: this machine at the port]")
@click.option("--ready", is_flag=True, help="Ask whether it can answer questions, not only whether it lives.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), default=3.0, show_default=True, help="Seconds.")
def command(url: str | None, ready: bool, timeout: float, **given: Any) -> None:
    """Ask a running server for its health. Exit code 0 when it is well, else 1."""
    base = url or f"http://127.0.0.1:{settings_of(given).port}"
    address = f"{base.rstrip('/')}/{'readyz' if ready else 'healthz'}"
    if not address.startswith(("http://", "https://")):
        raise click.UsageError(f"{base} is not an address such as http://127.0.0.1:8000.")
    try:
        with urllib.request.urlopen(address, timeout=timeout) as response:
            answer = response.read()
    except urllib.error.HTTPError as error:
        click.echo(f"{address} answers {error.code}: {error.read().decode(errors='replace')}", err=True)
        raise click.exceptions.Exit(1) from None
    except (OSError, ValueError) as error:
        click.echo(f"{address} does not answer: {getattr(error, 'reason', error)}", err=True)
        raise click.exceptions.Exit(1) from None
    click.echo(json.loads(answer)["status"])
