"""An engine put together: Cached(Shared(Limited(DuckDB)))."""

from __future__ import annotations

from pathlib import Path

from engine.cached import Cached
from engine.connection import connect
from engine.duckdb import DuckDBEngine
from engine.engine import Engine
from engine.limited import Limited
from engine.needs import needs_of
from engine.places import places_of
from engine.press import Press
from engine.settings import EngineSettings
from engine.shared import Shared
from engine.sources import reader_of
from semantic.model.model import Model

DEFAULTS = EngineSettings()


def open_engine(model: Model, root: Path, settings: EngineSettings = DEFAULTS) -> Engine:
    """The engine of a model whose source paths start from `root`. Opens no file. Use it in one event loop; close it."""
    return Cached(Shared(Limited(open_duckdb(model, root, settings), settings)), settings)


def open_duckdb(model: Model, root: Path, settings: EngineSettings = DEFAULTS) -> DuckDBEngine:
    """The innermost engine alone: no limits, no cache."""
    connection = connect(settings, places_of(model.stored.values(), root))
    presses = {
        dataset.name: Press(
            dataset, reader_of(dataset, root, settings, connection), needs_of(model, dataset), settings.read_attempts
        )
        for dataset in model.stored.values()
    }
    return DuckDBEngine(connection, presses, settings)
