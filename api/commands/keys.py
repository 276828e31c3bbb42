"""`headwater keys`: the API keys of a model's callers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from api.commands.claims import claims_option
from api.commands.options import setting_options, settings_of

_DAYS = re.compile(r"(\d{1,5}) ?d(ays?)?")


@click.group("keys", short_help="Make, list and revoke API keys.")
def command() -> None:
    """Make, list and revoke API keys.

    Only the hash of a key is kept. A running server sees every change with its next request.
    """


def read_expiry(ctx: click.Context, _: click.Parameter, text: str | None) -> datetime | None:
    """`90d`, or the first day (UTC) on which it no longer holds, `2027-01-01`."""
    if text is None:
        return None
    days = _DAYS.fullmatch(text)
    try:
        if days:
            return datetime.now(UTC) + timedelta(days=int(days[1]))
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise click.UsageError(f'"{text}" is no time to expire at. Write 90d, or 2027-01-01.', ctx) from None


@command.command("create", short_help="Make a key and show it, once.")
@setting_options("model", "keys")
@click.option("--name", required=True, help="Whose key it is; callers have it as their id.")
@claims_option("A claim it has.")
@click.option("--expires", callback=read_expiry, metavar="WHEN", help="90d, or a day; never when left out.")
def create(name: str, claims: Mapping[str, Any], expires: datetime | None, **given: Any) -> None:
    """Make a key and show it. It can't be shown again."""
    from api.viewers.keys import new_key, read_keys, write_keys

    path = _path(given)
    text, record = new_key(name, claims, expires)
    write_keys(path, (*read_keys(path), record))
    click.echo(text)
    click.echo(f"Key {record.id} of {name} is in {path}. It can't be shown again.", err=True)


@command.command("list", short_help="Show the keys there are.")
@setting_options("model", "keys")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_keys(as_json: bool, **given: Any) -> None:
    """Show the keys there are: whose, with which claims, until when, and whether they hold."""
    from api.terminal import output
    from api.viewers.keys import read_keys

    now = datetime.now(UTC)
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "state": one.state(now),
            "created": one.created.date().isoformat(),
            "expires": one.expires and one.expires.isoformat(timespec="minutes"),
            "claims": dict(one.claims),
        }
        for one in read_keys(_path(given))
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        claims = json.dumps(row["claims"], ensure_ascii=False)
        until = f"until {row['expires']}" if row["expires"] else "for ever"
        output().print(f"{row['id']}  {row['state']:<7}  {row['name']}  {until}  {claims}")
    if not rows:
        click.echo("There are no keys.", err=True)


@command.command("revoke", short_help="End a key at once.")
@setting_options("model", "keys")
@click.argument("number", metavar="ID")
def revoke_key(number: str, **given: Any) -> None:
    """End a key at once, for good. `headwater keys list` shows the ids."""
    from api.viewers.keys import read_keys, revoke, write_keys

    path = _path(given)
    write_keys(path, revoke(read_keys(path), number))
    click.echo(f"Key {number} is revoked.", err=True)


def _path(given: dict[str, Any]) -> Path:
    from api.place import find_model
    from api.viewers.viewers import keys_path

    settings = settings_of(given)
    if settings.keys is None:
        find_model(settings.model, Path.cwd())
    return keys_path(settings)
