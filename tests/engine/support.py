"""Real files and real engines, small."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engine import Answer, Compile, Engine, EngineSettings, open_engine
from engine.duckdb import DuckDBEngine
from semantic.model.dataset import Dataset, Dimension, DimensionType, Relationship, Source
from semantic.model.expression import Expression, Ref
from semantic.model.facts import DatasetFacts, Facts, Kind
from semantic.model.metric import Aggregation, Simple
from semantic.model.model import Model
from semantic.sql.statement import Column, Parameter, Statement

NOW = EngineSettings(freshness_check=0.0, settle_seconds=0.0, threads=2, concurrent=2, memory_limit=1_000_000_000)
"""Looks at the files before every query and waits for nothing."""


def model(*datasets: Dataset, relationships: Iterable[Relationship] = (), metrics: Iterable[Simple] = ()) -> Model:
    return Model(
        digest="test",
        datasets={dataset.name: dataset for dataset in datasets},
        relationships={relationship.name: relationship for relationship in relationships},
        metrics={metric.name: metric for metric in metrics},
    )


def events(path: str = "events/**/*.parquet", **arguments: Any) -> Dataset:
    return Dataset("events", Source(path), **arguments)


def count_metric(dataset: str, time_dimension: str) -> Simple:
    return Simple(
        name=f"count_{time_dimension}", dataset=dataset, agg=Aggregation.COUNT, time_dimension=Ref((), time_dimension)
    )


def write(path: Path, columns: Mapping[str, Any] | pa.Table, **arguments: Any) -> Path:
    """A Parquet file, published as a careful writer would: written aside, then renamed into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = columns if isinstance(columns, pa.Table) else pa.table(dict(columns))
    aside = path.with_name(f".{path.name}.new")
    pq.write_table(table, aside, **arguments)
    os.replace(aside, path)
    return path


class Counted(Engine):
    """An engine around another one that counts what comes through."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner
        self.runs = 0
        self.running = 0

    async def facts(self, datasets: Sequence[str]) -> Facts:
        return await self.inner.facts(datasets)

    def known(self, datasets: Sequence[str]) -> Facts | None:
        return self.inner.known(datasets)

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        self.runs += 1
        self.running += 1
        try:
            return await self.inner.answer(datasets, compile_statement)
        finally:
            self.running -= 1

    async def close(self) -> None:
        await self.inner.close()


@asynccontextmanager
async def opened(shop: Model, root: Path, settings: EngineSettings = NOW) -> AsyncIterator[Engine]:
    engine = open_engine(shop, root, settings)
    try:
        yield engine
    finally:
        await engine.close()


async def facts_of(shop: Model, root: Path, dataset: str = "events", settings: EngineSettings = NOW) -> DatasetFacts:
    async with opened(shop, root, settings) as engine:
        return (await engine.facts([dataset])).datasets[dataset]


def plain(name: str, column: str = "", type: DimensionType = DimensionType.STRING) -> Dimension:
    """A dimension that is a column."""
    column = column or name
    return Dimension(name, type, Expression(f'"{column}"', (Ref((), column),)))


async def settled(engine: DuckDBEngine) -> None:
    """When nothing is being looked up any more."""
    for task, _ in engine._shelf._learning._looks.values():
        with suppress(asyncio.CancelledError):
            await task


async def learned(engine: DuckDBEngine, dataset: str = "events") -> DatasetFacts:
    """The facts when all that can be known is known."""
    await engine.facts([dataset])
    await settled(engine)
    return (await engine.facts([dataset])).datasets[dataset]


def statement(
    sql: str, columns: Mapping[str, Kind], params: tuple[Parameter, ...] = (), datasets: tuple[str, ...] = ("events",)
) -> Statement:
    return Statement(sql, params, tuple(Column(name, kind) for name, kind in columns.items()), datasets)


async def ask(
    engine: Engine,
    sql: str,
    columns: Mapping[str, Kind],
    params: tuple[Parameter, ...] = (),
    datasets: tuple[str, ...] = ("events",),
) -> Answer:
    asked = statement(sql, columns, params, datasets)

    def compiled(_: Facts) -> Statement:
        return asked

    return await engine.answer(datasets, compiled)


async def rows(engine: Engine, sql: str, *names: str, datasets: tuple[str, ...] = ("events",)) -> list[tuple[Any, ...]]:
    """Rows as tuples, values as they come."""
    answer = await ask(engine, sql, dict.fromkeys(names, Kind.OTHER), datasets=datasets)
    return [tuple(row.values()) for row in answer.table.to_pylist()]
