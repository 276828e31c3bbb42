"""The statements a document would run, without running any.

The document is executed as ever, but its questions are noted, and an idle engine answers them with no rows: so what is
shown is what would have been run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, assert_never

import pyarrow as pa

from api.context import Snapshot
from api.execute import execute
from api.resolvers.compiler import Compiler, Question
from engine.engine import Answer, Compile, Engine
from semantic.compile import Compiled, compile_query
from semantic.model.facts import Facts, Kind
from semantic.query.funnel import FunnelQuery
from semantic.query.journey import JourneyQuery
from semantic.query.lifecycle import LifecycleQuery
from semantic.query.query import ANONYMOUS, DimensionField, MetricQuery, TimeField, Viewer
from semantic.query.retention import RetentionQuery
from semantic.query.score import ScoreQuery
from semantic.query.touch_path import TouchPathQuery
from semantic.query.values import ValuesQuery
from semantic.sql.dialect import Dialect
from semantic.sql.statement import Parameter, Statement

_TYPES = {
    Kind.INTEGER: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.DECIMAL: pa.decimal128(38, 2),
    Kind.STRING: pa.string(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("us"),
    Kind.TIMESTAMPTZ: pa.timestamp("us", "UTC"),
    Kind.OTHER: pa.string(),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One question of a document, compiled."""

    question: Question
    compiled: Compiled


@dataclass(frozen=True, slots=True, eq=False)
class _Noting(Compiler):
    """Compiles in a dialect of choice, noting every question once."""

    dialect: Dialect | None = None
    noted: dict[Question, Compiled] = field(default_factory=dict)

    def compile(self, question: Question, facts: Facts, viewer: Viewer) -> Compiled:
        """The statement for a question."""
        if question not in self.noted:
            if self.dialect is None:
                compiled = compile_query(self.model, question, facts, viewer)
            else:
                compiled = compile_query(self.model, question, facts, viewer, self.dialect)
            self.noted[question] = compiled
        return self.noted[question]

    def is_total(self, statement: Statement) -> bool:
        """Whether a statement answers a question without a split."""
        asked = next((one for one, compiled in self.noted.items() if compiled.statement is statement), None)
        return isinstance(asked, MetricQuery) and len(asked.metrics) == len(asked.fields)


@dataclass(frozen=True, slots=True)
class _Idle(Engine):
    """An engine that knows the facts and runs nothing: totals are one row of nulls, everything else has no rows."""

    inner: Engine
    noting: _Noting

    async def facts(self, datasets: Sequence[str]) -> Facts:
        return await self.inner.facts(datasets)

    async def answer(self, datasets: Sequence[str], compile_statement: Compile) -> Answer:
        facts = await self.inner.facts(datasets)
        statement = compile_statement(facts)
        rows = 1 if self.noting.is_total(statement) else 0
        table = pa.table({column.name: pa.nulls(rows, _TYPES[column.kind]) for column in statement.columns})
        return Answer(table, statement, facts, cached=False, seconds=0.0, size=table.nbytes)

    async def close(self) -> None:
        await self.inner.close()


async def shown(
    snapshot: Snapshot,
    document: str,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
    dialect: Dialect | None = None,
    viewer: Viewer = ANONYMOUS,
) -> tuple[tuple[Shown, ...], list[dict[str, Any]]]:
    """The document's questions, compiled, in the order they would run, and the errors it would get."""
    noting = _Noting(snapshot.model, dialect=dialect)
    idle = replace(snapshot, engine=_Idle(snapshot.engine, noting), compiler=noting)
    response = await execute(idle, document, variables, operation_name, idle.context(viewer, may_see_sql=True))
    errors = json.loads(response.body).get("errors", [])
    return tuple(Shown(question, compiled) for question, compiled in noting.noted.items()), errors


def literal(value: Parameter) -> str:
    """A parameter as SQL writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case datetime():
            return f"timestamp '{value.isoformat(sep=' ')}'"
        case date():
            return f"date '{value.isoformat()}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case tuple():
            return f"[{', '.join(literal(item) for item in value)}]"
        case _:
            return str(value)


def title(question: Question) -> str:
    """What a question asks, in a line: `gmv, uv by time (day), channel`."""
    match question:
        case MetricQuery():
            metrics = ", ".join(dict.fromkeys(metric.metric for metric in question.metrics))
            keys = [f"time ({one.grain})" for one in question.fields if isinstance(one, TimeField)]
            keys += [one.dimension for one in question.fields if isinstance(one, DimensionField)]
            return f"{metrics}{_by(keys) or ', in all'}"
        case ValuesQuery():
            return f"values of {question.dimension}"
        case FunnelQuery():
            name = question.funnel if isinstance(question.funnel, str) else "of the query"
            keys = [f"time ({question.grain})"] if question.grain else []
            return f"funnel {name}, {question.report.replace('_', ' ')}{_by([*keys, *question.breakdown])}"
        case RetentionQuery():
            return f"retention {question.retention}{_by(question.breakdown)}"
        case LifecycleQuery():
            return f"lifecycle of {question.retention}"
        case JourneyQuery():
            return f"paths {'to' if question.backward else 'from'} an event, {question.report}"
        case TouchPathQuery():
            return f"touch paths of {question.attribution}"
        case ScoreQuery():
            return f"score {question.score}, {question.report}"
        case _:
            assert_never(question)


def _by(keys: Sequence[str]) -> str:
    return f" by {', '.join(keys)}" if keys else ""
