"""A world behind the real compiler and the real engine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from engine import Answer, Engine, EngineSettings, open_engine
from semantic.compile import compile_query, datasets_needed
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.query.visible import Question
from semantic.sql.statement import Statement
from tests.reference.rows import Row
from tests.reference.world import World

SETTINGS = EngineSettings(
    threads=1,
    concurrent=1,
    cache_bytes=0,
    freshness_check=3600,
    settle_seconds=0,
    deadline_seconds=0,  # the first funnel of a fresh checkout compiles the kernel
)


@dataclass(frozen=True, slots=True)
class Served:
    """A model with an engine over its files."""

    model: Model
    engine: Engine

    async def run(self, query: Question) -> Answer:
        """The engine's answer. QueryError when the query is refused."""

        def statement(facts: Facts) -> Statement:
            return compile_query(self.model, query, facts).statement

        return await self.engine.answer(datasets_needed(self.model, query), statement)

    async def rows(self, query: Question) -> list[Row]:
        """The answer's rows, by response key."""
        found: list[Row] = (await self.run(query)).table.to_pylist()
        return found


@asynccontextmanager
async def serve(world: World, model: Model, settings: EngineSettings = SETTINGS) -> AsyncIterator[Served]:
    """Write a world's files into a new folder and open an engine over them."""
    folder = Path(tempfile.mkdtemp(prefix="world-"))
    try:
        world.write(folder)
        engine = open_engine(model, folder, settings)
        try:
            yield Served(model, engine)
        finally:
            await engine.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
