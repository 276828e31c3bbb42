"""Questions asked in this process, without a server: what the command line does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from api.context import Response, Snapshot
from api.execute import execute, print_sdl
from api.load import load_snapshot
from api.settings import Settings
from api.viewers.claims import viewer_of
from semantic.query.query import ANONYMOUS, Viewer


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Snapshot]:
    """The snapshot of the model on disk, for as long as the block runs. ModelError, DataError, NO_MODEL."""
    snapshot = await load_snapshot(settings)
    try:
        yield snapshot
    finally:
        await snapshot.engine.close()


async def ask(
    settings: Settings,
    document: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    locale: str | None = None,
    viewer: Viewer = ANONYMOUS,
) -> Response:
    """The answer to one document."""
    async with opened(settings) as snapshot:
        context = snapshot.context(viewer, locale, may_see_sql=True, limits=settings.limits)
        return await execute(snapshot, document, variables, operation_name, context)


async def sdl(settings: Settings, locale: str | None = None, viewer: Viewer = ANONYMOUS) -> str:
    """The schema as text."""
    async with opened(settings) as snapshot:
        return print_sdl(snapshot.seen_by(viewer), locale)


def at_the_command_line(claims: Mapping[str, Any]) -> Viewer:
    """Who asks there: anonymous without claims. They are believed: whoever runs commands can read the files."""
    return viewer_of("command line", claims) if claims else ANONYMOUS
