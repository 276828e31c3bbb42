"""`headwater demo`: make the demo shop."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import click


@click.command("demo", short_help="Make the demo shop: a model and its data.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("shop"),
    show_default=True,
    help="Where it is made: the model, and data/ beside it.",
)
@click.option(
    "--users", type=click.IntRange(min=1), default=30_000, show_default=True, help="People, of about 40 events each."
)
@click.option("--days", type=click.IntRange(min=1), default=90, show_default=True, help="Days of data.")
@click.option("--seed", type=int, default=7, show_default=True, help="Another number, another shop.")
def command(out: Path, users: int, days: int, seed: int) -> None:
    """Make the demo shop: a model and its data, the same each time.

    An e-commerce mini-program with visits, orders, refunds and ad spend, labelled in English and Chinese.
    """
    if not _is_free(out):
        raise click.UsageError(f"{out} has files that are no demo shop's; name another folder with --out.")
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from api.terminal import errors, output
    from demo import generate

    columns = (
        TextColumn("Making the shop"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("days"),
        TimeRemainingColumn(),
    )
    console = errors()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("days", total=days)
        generate(
            out,
            users=users,
            days=days,
            seed=seed,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    output().print(f"The demo shop is in {out}. Serve it:\n\n  headwater serve --model {out}")


def _is_free(out: Path) -> bool:
    """Whether a shop made there replaces nothing but a demo shop."""
    if not out.is_dir() or not any(out.iterdir()):
        return True
    made, model = files("demo").joinpath("model", "model.yml"), out / "model.yml"
    return model.is_file() and model.read_bytes().splitlines()[:1] == made.read_bytes().splitlines()[:1]
