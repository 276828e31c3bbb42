"""A real engine with something before and after each answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from engine.engine import Answer, Compile, Engine
from semantic.model.facts import Facts
from tests.api.shop import Shop


@dataclass
class Around(Engine):
    """A real engine with something before and after each answer; it counts what it was asked.

    `swaps`: files replaced after an answer each, which then come one after the other.
    """

    inner: Engine
    before: float = 0.0
    swaps: list[Path] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    running: int = 0
    most: int = 0
    stopped: int = 0
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(100))

    async def facts(self, datasets: Sequence[str]) -> Facts:
        return await self.inner.facts(datasets)

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        async with self.gate:
            return await self._answer(datasets, compile_statement)

    async def _answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.before)
            answer = await self.inner.answer(datasets, compile_statement)
            self.asked.append(answer.statement.sql)
            if self.swaps:
                touch(self.swaps.pop())
                await asyncio.sleep(1.1)  # until the files are looked at again
            return answer
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        finally:
            self.running -= 1

    async def close(self) -> None:
        await self.inner.close()


def touch(path: Path) -> None:
    """The same rows in a new file: another version of the data."""
    aside = path.with_suffix(".new")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM '{path}') TO '{aside}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    os.replace(aside, path)


def around(shop: Shop, **arguments: object) -> tuple[Shop, Around]:
    engine = Around(shop.snapshot.engine, **arguments)  # type: ignore[arg-type]
    return Shop(replace(shop.snapshot, engine=engine)), engine
