"""`headwater fit`: the parameters of a score's `alive`, from how often people have bought."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from api.commands.options import MODEL, setting_options, settings_of

if TYPE_CHECKING:
    from api.settings import Settings
    from semantic.query.bound import BoundScore
    from semantic.report.group import Row

UNITS = {"day": 1, "week": 7}


@click.command("fit", short_help="Fit who still buys, to paste into a score.")
@click.argument("score")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day to look at.  [default: dataThrough]")
@click.option("--unit", type=click.Choice(list(UNITS)), default="day", show_default=True, help="What to count time in.")
@setting_options(*MODEL)
def command(score: str, until: datetime | None, unit: str, **given: Any) -> None:
    """Fit the BG/NBD model to the purchases of SCORE, and print the `alive` to write into the model file.

    The parameters are fixed in the model, so that a probability means the same tomorrow: fit them anew now and then,
    and give the score another version. Needs scipy: pip install 'headwater[fit]'.
    """
    from api.terminal import working
    from semantic.report.alive import fit

    with working("Reading the purchases …"):
        bound, rows = asyncio.run(_history(settings_of(given), score, until.date() if until else None))
    try:
        found = fit(rows, UNITS[unit])
    except ImportError:
        raise click.UsageError("Fitting needs scipy: pip install 'headwater[fit]'.") from None
    click.echo(
        f"# {found.people:,} up to {bound.as_of}, {found.repeaters:,} of them on several days; "
        f"log-likelihood {found.likelihood:.1f}\n"
        f"alive: {{r: {found.r:.4g}, alpha: {found.alpha:.4g}, a: {found.a:.4g}, b: {found.b:.4g}, unit: {unit}}}"
    )


async def _history(settings: Settings, score: str, until: date | None) -> tuple[BoundScore, list[Row]]:
    from api.resolvers.answers import ask
    from api.session import opened
    from semantic.query.bound import BoundScore
    from semantic.query.query import Dates
    from semantic.query.score import ScoreQuery, ScoreReport

    span = None if until is None else Dates(date(1900, 1, 1), until)
    async with opened(settings) as snapshot:
        answered = await ask(snapshot.context(), ScoreQuery(score, ScoreReport.HISTORY, time_range=span))
    bound = answered.compiled.bound
    assert isinstance(bound, BoundScore)
    return bound, answered.answer.table.to_pylist()
