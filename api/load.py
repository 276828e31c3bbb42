"""A model folder → a snapshot ready to serve: loaded, its files found, its columns checked."""

from __future__ import annotations

import asyncio
from pathlib import Path

from api.context import Snapshot
from api.execute import build_snapshot
from api.place import find_model, find_root
from api.settings import Settings
from engine.engine import Engine
from engine.opening import open_engine
from semantic.errors import DataError, ModelError
from semantic.load import check_columns, load_folder
from semantic.model.facts import Facts
from semantic.model.model import Model


async def load_snapshot(settings: Settings) -> Snapshot:
    """The snapshot of the model on disk. ModelError and DataError with everything that is wrong; NO_MODEL."""
    folder = find_model(settings.model, Path.cwd())
    model = await asyncio.to_thread(load_folder, folder)
    engine = open_engine(model, find_root(folder, settings.root), settings.engine)
    try:
        facts = await look_at_data(model, engine)
        return await asyncio.to_thread(build_snapshot, model, facts, engine)
    except BaseException:
        await engine.close()
        raise


async def look_at_data(model: Model, engine: Engine) -> Facts:
    """Facts of every dataset, after their columns were checked against the model. DataError, ModelError."""
    names = tuple(model.datasets)
    tried = await asyncio.gather(*(engine.facts((name,)) for name in names), return_exceptions=True)
    failures = [result for result in tried if isinstance(result, BaseException)]
    if failures:
        raise _together(failures)
    facts = await engine.facts(names)
    problems = check_columns(model, {name: found.columns for name, found in facts.datasets.items()})
    if problems:
        raise ModelError(problems)
    return facts


def _together(failures: list[BaseException]) -> BaseException:
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
