"""An edition: one dataset as its files are at one time, ready to be queried under its own name.

It is a schema of the engine's database that holds one view (of exactly these files) or table (of CSV files) named like
the dataset, from which rows that repeat a key are already left out. A query puts the schemas of its editions on its
search path: a statement says FROM "events" whatever the version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import duckdb

from engine.connection import REPEATS
from engine.files import Listing
from engine.reader import Look, Reader
from semantic.model.facts import DatasetFacts, Facts


@dataclass(frozen=True, slots=True, eq=False)
class Edition:
    """`schema`: its name in the database, never used again. `lost`: how many rows are left out for an earlier one."""

    dataset: str
    schema: str
    reader: Reader
    listing: Listing
    facts: DatasetFacts
    look: Look
    lost: int = 0

    def unchanged(self) -> bool:
        """Whether the files are still what they were. Blocking."""
        return self.reader.unchanged(self.listing)


def drop(cursor: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Let go of an edition's view, table and notes."""
    cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    cursor.execute(f"DROP TABLE IF EXISTS {REPEATS}.{schema}")


def together(datasets: Mapping[str, DatasetFacts]) -> Facts:
    """Facts of several datasets, and one version for all of them."""
    versions = repr(sorted((name, facts.version) for name, facts in datasets.items()))
    version = hashlib.blake2b(versions.encode(), digest_size=12).hexdigest()
    learned = sum(len(facts.values) for facts in datasets.values())
    return Facts(version, MappingProxyType(dict(datasets)), learned)
