"""Hot reload: a model folder that changes is loaded again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from watchfiles import Change, awatch

from semantic.errors import ModelError
from semantic.load.files import ENDINGS, digest_of, read_folder

LOG = logging.getLogger("headwater")

POLL_SECONDS = 2.0
"""The folder is also looked at this often: network and container mounts tell of no changes."""

SETTLE_SECONDS = 0.1
"""Files must have stayed the same for this long: an editor's save is several changes."""


async def watch(folder: Path, served_digest: Callable[[], str], reload: Callable[[], Awaitable[object]]) -> None:
    """Call `reload` after every change of the folder's model files, for ever.

    `served_digest`: of the texts in service now. A text that was tried is not tried again until it changes.
    """
    tried = served_digest()
    async for _ in _hints(folder):
        digest = await _settled(folder)
        if digest != tried:
            tried = digest
            await reload()


async def _settled(folder: Path) -> str:
    digest = await asyncio.to_thread(folder_digest, folder)
    while True:
        await asyncio.sleep(SETTLE_SECONDS)
        again = await asyncio.to_thread(folder_digest, folder)
        if again == digest:
            return digest
        digest = again


def folder_digest(folder: Path) -> str:
    """The digest a model of the folder would have; of a folder that can't be read, a text saying why."""
    try:
        return digest_of(read_folder(folder))
    except (ModelError, OSError) as error:
        return f"unreadable: {error}"


async def _hints(folder: Path) -> AsyncIterator[None]:
    """Now and then, a moment at which the folder may have changed: soon after it did, and every POLL_SECONDS."""
    while True:
        try:
            async for _ in awatch(
                folder,
                watch_filter=_is_model_file,
                step=50,
                rust_timeout=int(POLL_SECONDS * 1000),
                yield_on_timeout=True,
                recursive=True,
                ignore_permission_denied=True,
            ):
                yield
        except (OSError, RuntimeError) as error:  # no such folder for now, or no more watches to be had
            LOG.debug("The model folder can't be watched, so it is polled: %s", error)
        yield
        await asyncio.sleep(POLL_SECONDS)


def _is_model_file(_: Change, path: str) -> bool:
    return path.endswith(ENDINGS)
