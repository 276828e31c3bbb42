"""A model folder → a snapshot ready to serve: loaded, its files found, its columns checked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from api.context import Snapshot
from api.execute import build_snapshot
from api.place import find_model, find_root
from api.settings import Settings
from engine.engine import Engine
from engine.inspection import inspect
from engine.opening import open_engine
from engine.settings import EngineSettings
from semantic.errors import DataError, HeadwaterError, ModelError
from semantic.load import check_columns, load_folder
from semantic.model.facts import Facts
from semantic.model.model import Model

PATIENCE = 3.0
"""Seconds a start waits to learn all of the data."""


async def load_snapshot(settings: Settings) -> Snapshot:
    """The snapshot of the model on disk. ModelError and DataError with everything that is wrong; NO_MODEL."""
    folder = find_model(settings.model, Path.cwd())
    root = find_root(folder, settings.root)
    model = await asyncio.to_thread(load_folder, folder)
    seen = await asyncio.to_thread(look_at_data, model, root, settings.engine)
    engine = open_engine(model, root, settings.engine)
    try:
        facts = await all_facts(model, engine) or seen
        return await asyncio.to_thread(build_snapshot, model, facts, engine)
    except BaseException:
        await engine.close()
        raise


async def all_facts(model: Model, engine: Engine) -> Facts | None:
    """Time bounds and keys too, where that takes no time: of large data they are learnt while it is served."""
    with suppress(TimeoutError, HeadwaterError):
        return await asyncio.wait_for(engine.facts(tuple(model.stored)), PATIENCE)
    return None


def look_at_data(model: Model, root: Path, settings: EngineSettings) -> Facts:
    """The columns of every dataset, checked against the model. DataError, ModelError. No key is proven yet."""
    seen = inspect(model, root, settings)
    if seen.errors:
        raise _together(list(seen.errors.values()))
    problems = check_columns(model, {name: found.columns for name, found in seen.datasets.items()})
    if problems:
        raise ModelError(problems)
    return Facts("-".join(found.version for found in seen.datasets.values()), seen.datasets)


def _together(failures: list[HeadwaterError]) -> HeadwaterError:
    """One error for all: what is wrong with each dataset's data, or the first that is about something else."""
    for failure in failures:
        if not isinstance(failure, DataError):
            return failure
    errors = [failure for failure in failures if isinstance(failure, DataError)]
    if len(errors) == 1:
        return errors[0]
    detail = "\n".join(error.detail for error in errors if error.detail)
    advice = {error.suggestion for error in errors}
    if len(advice) == 1:  # said once
        return DataError("\n".join(error.message for error in errors), advice.pop(), detail)
    return DataError("\n".join(str(error) for error in errors), detail=detail)
