"""`headwater serve`: serve the model."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

import click

from api.commands.options import setting_options, settings_of
from api.setting_values import HARDENED
from api.settings import SETTINGS, Settings


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
    from api.seen.log import start_logging
    from api.server import serve
    from api.terminal import output

    find_model(settings.model, Path.cwd())
    start_logging(settings.log_level, settings.logs_json)

    def started(app: Any, port: int) -> None:
        output().print(greeting(app, settings, port, time.perf_counter() - began))

    serve(settings, started)


def greeting(app: Any, settings: Settings, port: int, seconds: float) -> str:
    """What a person needs to go on: the address, the page, and a query to copy."""
    from api.example import example_query
    from api.terminal import counted

    snapshot = app.state.served.snapshot
    address = f"http://{reachable(settings.host)}:{port}"
    query = " ".join(example_query(snapshot)["query"].split())
    body = shlex.quote(json.dumps({"query": query}, ensure_ascii=False))
    model = snapshot.model
    pages = "" if settings.is_hardened else f"  GraphiQL  {address}/graphql\n  Schema    {address}/schema.graphql\n\n"
    key, how = "", ""
    if not app.state.served.viewers.may_be_anonymous(model):
        key = ' -H "authorization: Bearer $KEY"'
        how = "Callers sign in: KEY=$(headwater keys create --name me) makes a key; --claim gives it claims.\n\n"
    return (
        f"Headwater {app.version}: {counted(len(model.stored), 'dataset')}, "
        f"{counted(len(model.metrics), 'metric')}, ready in {seconds:.1f} s.\n\n"
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
