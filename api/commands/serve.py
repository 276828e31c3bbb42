"""`headwater serve`: serve the model."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.commands.options import setting_options, settings_of
from api.setting_values import HARDENED
from api.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from api.serving import Started


@click.command("serve", short_help="Serve the model as GraphQL over HTTP.")
@setting_options(*(setting.name for setting in SETTINGS))
@click.option("--hardened", is_flag=True, help="The same as --profile hardened.")
def command(hardened: bool, **given: Any) -> None:
    """Serve the model as GraphQL over HTTP, with GraphiQL for a browser.

    A changed model takes effect at once; a broken one is reported and the earlier one stays.
    """
    began = time.perf_counter()
    settings = settings_of(given | ({"profile": HARDENED} if hardened else {}))
    from api.place import find_model
    from api.terminal import output

    find_model(settings.model, Path.cwd())

    def started(said: Started, port: int) -> None:
        output().print(greeting(said, settings, port, time.perf_counter() - began))

    if settings.workers > 1:  # only they load what it takes to answer
        from api.workers.supervisor import supervise

        supervise(settings, started)
        return
    from api.seen.lines import start_logging
    from api.server import serve

    start_logging(settings.log_level, settings.logs_json)
    serve(settings, started)


def greeting(said: Started, settings: Settings, port: int, seconds: float) -> str:
    """What a person needs to go on: the address, the page, and a query to copy."""
    from api.terminal import counted

    address = f"http://{reachable(settings.host)}:{port}"
    body = shlex.quote(json.dumps({"query": said.query}, ensure_ascii=False))
    pages = "" if settings.is_hardened else f"  GraphiQL  {address}/graphql\n  Schema    {address}/schema.graphql\n\n"
    workers = f" with {counted(settings.workers, 'worker')}" if settings.workers > 1 else ""
    key, how = "", ""
    if said.signs_in:
        key = ' -H "authorization: Bearer $KEY"'
        how = "Callers sign in: KEY=$(headwater keys create --name me) makes a key; --claim gives it claims.\n\n"
    return (
        f"Headwater {said.version}: {counted(said.datasets, 'dataset')}, "
        f"{counted(said.metrics, 'metric')}, ready{workers} in {seconds:.1f} s.\n\n"
        f"{pages}"
        f"  curl -s {address}/graphql -H 'content-type: application/json'{key} -d {body}\n\n"
        f"{how}"
        "Ctrl-C stops it.\n"
    )


def reachable(host: str) -> str:
    """A name of the address that a browser on this machine can open."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
