"""`headwater check`: is the model right, and does the data have what it needs?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from api.commands.options import MODEL, setting_options, settings_of


@click.command("check", short_help="Check the model, and that the data fits it.")
@setting_options(*MODEL)
@click.option("--data/--no-data", default=True, help="Whether the files are looked at too: their columns must exist.")
def command(data: bool, **given: Any) -> None:
    """Check the model: every problem with its file, line and column. Exit code 1 when there is one."""
    from api.place import find_model
    from api.terminal import counted, output, working
    from semantic.load import load_folder

    settings = settings_of(given)
    model = load_folder(find_model(settings.model, Path.cwd()))
    if data:
        from api.load import load_snapshot

        with working("Looking at the data …"):
            asyncio.run(_load_and_close(load_snapshot(settings)))
    dimensions = {one.name for dataset in model.datasets.values() for one in dataset.dimensions}
    parts = [
        counted(len(model.stored), "dataset"),
        counted(len(model.metrics), "metric"),
        counted(len(dimensions), "dimension"),
        counted(sum(not one.implied for one in model.relationships.values()), "relationship"),
    ]
    output().print(f"The model is right: {', '.join(parts)}.{'' if data else ' The data was not looked at.'}")


async def _load_and_close(loading: Any) -> None:
    snapshot = await loading
    await snapshot.engine.close()
