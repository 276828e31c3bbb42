"""The one DuckDB database: in memory, closed to everything but the model's sources, its configuration locked."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from engine.functions import register
from engine.httpfs import load_httpfs
from engine.places import Places
from engine.priority import standing_back
from engine.quote import literal, literals
from engine.settings import EngineSettings
from engine.spill import spill_folder

REPEATS = "repeats"
"""The schema of the engine's own tables: rows that repeat a key, one table for an edition."""

_FREE = "allocator_background_threads"
_USUAL_PERCENT = 80
"""Of the machine's memory, which DuckDB takes where nothing else is said."""
_NO_SURPRISES = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
}


def connect(settings: EngineSettings, places: Places) -> duckdb.DuckDBPyConnection:
    """An empty database that can read what is at `places` and nothing else, and whose settings nobody can change.

    The search path of a cursor is no setting: it stays free.
    """
    connection = standing_back(lambda: duckdb.connect(":memory:", config=_configuration(settings)))
    register(connection)
    for statement in (*_preparations(connection, places), *_locks(places)):
        connection.execute(statement)
    return connection


def give_memory_back(cursor: duckdb.DuckDBPyConnection) -> None:
    """Let freed memory of a large query return to the system soon, and not only when the next one needs it.

    To be said again and again: the setting is of the whole process, and any database that is closed resets it.
    """
    cursor.execute(f"SET GLOBAL {_FREE} = true")


def _configuration(settings: EngineSettings) -> dict[str, str | bool | int | float | list[str]]:
    config: dict[str, str | bool | int | float | list[str]] = {
        **_NO_SURPRISES,
        "threads": settings.threads,
        "temp_directory": spill_folder(settings.spill_directory),
    }
    if settings.memory_limit is not None:
        config["memory_limit"] = f"{settings.memory_limit}B"
    elif settings.processes > 1:
        config["memory_limit"] = f"{_USUAL_PERCENT / settings.processes:.3f}%"
    return config


def _preparations(connection: duckdb.DuckDBPyConnection, places: Places) -> Iterable[str]:
    if places.remote:
        load_httpfs(connection)
    yield "SET GLOBAL TimeZone = 'UTC'"
    yield f"CREATE SCHEMA {REPEATS}"
    known = connection.execute("SELECT name FROM duckdb_settings()").fetchall()
    if ("cache_local_files",) not in known:  # such a version caches local files too, and tells them apart by the second
        yield "SET GLOBAL enable_external_file_cache = false"


def _locks(places: Places) -> Iterable[str]:
    yield f"SET GLOBAL allowed_directories = {literals(places.directories)}"
    yield f"SET GLOBAL allowed_paths = {literals(places.files)}"
    yield f"SET GLOBAL allowed_configs = {literals([_FREE])}"
    yield "SET GLOBAL enable_external_access = false"
    yield f"SET GLOBAL lock_configuration = {literal('true')}"
