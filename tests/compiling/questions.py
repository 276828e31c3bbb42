"""GraphQL documents as questions, by the real schema and resolvers; nothing is run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from api.context import Snapshot
from api.execute import build_snapshot, execute
from api.resolvers.compiler import Question
from api.showing import shown
from engine.engine import Answer, Compile, Engine
from semantic.load import load_texts
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.query.query import ANONYMOUS, Viewer
from tests.compiling.database import database
from tests.compiling.rows import tables

PLANS = Path(__file__).parent.parent / "golden" / "plans"


@cache
def model(name: str) -> Model:
    """A golden model."""
    return load_texts({f"{name}.yml": (PLANS / name / "model.yml").read_text(encoding="utf-8")})


@cache
def facts(name: str) -> Facts:
    """What is true of a golden model's rows."""
    with database(tables(name)) as connected:
        return connected.facts(model(name))


@dataclass(frozen=True, slots=True)
class _Knowing(Engine):
    """An engine that knows facts and is never asked to run anything."""

    true: Facts

    async def facts(self, datasets: Sequence[str]) -> Facts:
        return Facts(self.true.version, {name: self.true.datasets[name] for name in datasets})

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        """Compiles only: for documents whose questions are refused."""
        compile_statement(await self.facts(datasets))
        raise AssertionError("The question was not refused.")

    async def close(self) -> None:
        return


@cache
def _snapshot(name: str) -> Snapshot:
    return build_snapshot(model(name), facts(name), _Knowing(facts(name)))


def questions(name: str, document: str, viewer: Viewer = ANONYMOUS) -> tuple[Question, ...]:
    """The questions a document asks of a golden model, in order."""
    found, errors = asyncio.run(shown(_snapshot(name), document, viewer=viewer))
    assert not errors, errors
    return tuple(one.question for one in found)


def refusals(
    name: str, document: str, variables: Mapping[str, Any] | None = None, viewer: Viewer = ANONYMOUS
) -> list[dict[str, Any]]:
    """The errors a document gets."""
    snapshot = _snapshot(name)
    response = asyncio.run(execute(snapshot, document, variables, None, snapshot.context(viewer)))
    found: list[dict[str, Any]] = json.loads(response.body)["errors"]
    return found
