"""DuckDB's httpfs extension, which reads remote files; it is not in the duckdb package."""

from __future__ import annotations

import os
from importlib.util import find_spec

import duckdb

ADVICE = (
    "Install it with the DuckDB of this environment: python -c \"import duckdb; duckdb.execute('INSTALL httpfs')\"."
)


def load_httpfs(connection: duckdb.DuckDBPyConnection) -> None:
    """Load it when it is installed: as the package duckdb-extension-httpfs of this version, or by DuckDB itself."""
    for name in (_packaged(), "httpfs"):
        if name is not None:
            try:
                connection.load_extension(name)
            except duckdb.Error:
                continue
            return


def has_httpfs(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Whether it is loaded."""
    query = "SELECT 1 FROM duckdb_secret_types() WHERE type = 's3'"  # which extensions are loaded is asked of the disk
    return bool(cursor.execute(query).fetchall())


def _packaged() -> str | None:
    found = find_spec("duckdb_extension_httpfs")
    if found is None or found.origin is None:
        return None
    file = os.path.join(
        os.path.dirname(found.origin), "extensions", f"v{duckdb.__version__}", "httpfs.duckdb_extension"
    )
    return file if os.path.exists(file) else None
