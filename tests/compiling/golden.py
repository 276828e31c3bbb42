"""Golden files of compiled queries: a title, a model, a viewer, a GraphQL document; the rest is written by `--update`.

# Visitors of every day
Model: mall
Viewer: {owner: ann}            (optional)
```graphql
…
```
everything from here on: for each question of the document its plan, and its SQL for each engine with the values
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from api.resolvers.compiler import Question
from api.showing import title
from semantic.compile import Compiled, compile_query
from semantic.plan.show import show
from semantic.query.query import ANONYMOUS, Viewer
from semantic.sql.duckdb import DUCKDB
from semantic.sql.spark import SPARK
from semantic.sql.statement import Statement
from tests.compiling import questions

FOLDER = questions.PLANS
FILES = sorted(FOLDER.glob("*/*.md"))

_HEAD = re.compile(
    r"# (?P<title>.+)\n\nModel: (?P<model>\w+)\n(Viewer: (?P<viewer>.+)\n)?\n```graphql\n(?P<document>.+?)```\n",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Golden:
    """One file: what is asked, by whom, of which model."""

    path: Path
    head: str
    model: str
    viewer: Viewer
    document: str

    @property
    def questions(self) -> tuple[Question, ...]:
        """What the document asks."""
        return questions.questions(self.model, self.document, self.viewer)

    def compiled(self) -> Iterator[tuple[Question, Compiled, Statement]]:
        """Each question with what is compiled for DuckDB, and Spark's statement."""
        model, facts = questions.model(self.model), questions.facts(self.model)
        for question in self.questions:
            for_duckdb = compile_query(model, question, facts, self.viewer, DUCKDB)
            yield question, for_duckdb, compile_query(model, question, facts, self.viewer, SPARK).statement

    def text(self) -> str:
        """The whole file as it should be."""
        return self.head + "".join(_section(*one) for one in self.compiled())


def read(path: Path) -> Golden:
    found = _HEAD.match(path.read_text(encoding="utf-8"))
    assert found is not None, f"{path.name} does not begin as a golden file"
    return Golden(path, found[0], found["model"], viewer_of(found["viewer"]), found["document"])


def viewer_of(text: str | None) -> Viewer:
    """`{owner: ann, shop_ids: [s1]}` as a viewer."""
    if text is None:
        return ANONYMOUS
    claims = {name: tuple(value) if isinstance(value, list) else value for name, value in yaml.safe_load(text).items()}
    return Viewer("someone", tuple(sorted(claims.items())))


def _section(question: Question, compiled: Compiled, spark: Statement) -> str:
    parts = [f"\n## {title(question)[0].upper()}{title(question)[1:]}\n"]
    parts += [f"\n{warning.code}: {warning.message}\n" for warning in compiled.warnings]
    parts.append(f"\n```text\n{show(compiled.plan)}\n```\n")
    parts.append(f"\nDuckDB:\n\n```sql\n{_statement(compiled.statement)}\n```\n")
    parts.append(f"\nSpark:\n\n```sql\n{_statement(spark)}\n```\n")
    return "".join(parts)


def _statement(statement: Statement) -> str:
    """The text, with its values in front."""
    values = "".join(f"-- ?{number} = {_value(value)}\n" for number, value in enumerate(statement.params, 1))
    return f"{values}{statement.sql}"


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return f"{type(value).__name__} {value!s}"
