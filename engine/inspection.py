"""A first look at all data of a model: which columns there are, and which datasets can't be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import duckdb

from engine.connection import connect
from engine.failures import of_data
from engine.opening import DEFAULTS
from engine.places import places_of
from engine.press import kinds_of
from engine.settings import EngineSettings
from engine.sources import reader_of
from semantic.errors import DataError, HeadwaterError
from semantic.model.dataset import Dataset
from semantic.model.facts import DatasetFacts
from semantic.model.model import Model


@dataclass(frozen=True, slots=True)
class Inspection:
    """`datasets`: facts of those that can be read (columns, rows, version, warnings; no keys proven, no bounds read).
    `errors`: of the others.
    """

    datasets: Mapping[str, DatasetFacts]
    errors: Mapping[str, HeadwaterError]


def inspect(model: Model, root: Path, settings: EngineSettings = DEFAULTS) -> Inspection:
    """Look at every dataset's files, at their footers only. Blocking; one that fails hides no other."""
    found: dict[str, DatasetFacts] = {}
    errors: dict[str, HeadwaterError] = {}
    connection = connect(settings, places_of(model.stored.values(), root))
    try:
        for dataset in model.stored.values():
            try:
                found[dataset.name] = _look(connection, dataset, root, settings)
            except DataError as error:
                errors[dataset.name] = error
            except duckdb.Error as error:
                errors[dataset.name] = of_data(error, dataset.name)
    finally:
        connection.close()
    return Inspection(MappingProxyType(found), MappingProxyType(errors))


def _look(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, root: Path, settings: EngineSettings
) -> DatasetFacts:
    reader = reader_of(dataset, root, settings, connection)
    listing = reader.listing()
    look = reader.look(connection, listing)
    columns = kinds_of(look.columns)
    return DatasetFacts(listing.version, columns, rows=look.rows or 0, warnings=look.warnings)
