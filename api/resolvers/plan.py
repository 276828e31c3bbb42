"""A planned operation: what a document asks with certain variables, worked out once by graphql-core's own rules.

It is answered where every answer is at hand, without executing fields. Whatever is not plain rows and totals of
`metrics` has no plan, and whatever fails or has to wait is left to the executor, which says it as it always does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, assert_never
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
from graphql import GraphQLObjectType, OperationType, get_named_type
from graphql.execution.collect_fields import FieldDetailsList, collect_fields
from graphql.pyutils import Path

from api.resolvers.answers import Answered, Prepared
from api.resolvers.columnar import ColumnarExecutor
from api.resolvers.context import Context
from api.resolvers.ledger import Account
from api.resolvers.meta import about_answers, page_of
from api.resolvers.metrics import NOTHING
from api.resolvers.pages import cut_now
from api.resolvers.questions import Page, Questions, metrics_questions
from api.resolvers.records import Getters, are_flat, getters_of, write_record
from api.resolvers.rows import AT_ONCE, Part, Rows, write_objects
from api.resolvers.selection import selected
from semantic.compile import datasets_needed
from semantic.errors import HeadwaterError
from semantic.query.query import MetricQuery

P = TypeVar("P")

_SMALL = 65_536
"""Bytes up to which a plan remembers how it wrote its rows last."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fixed:
    """The name of a type."""

    json: bytes


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """`rows`, from the answer at a place. `last`: an answer's table that little was written from last, and that."""

    place: int
    parts: list[Part]
    last: list[tuple[pa.Table, bytes]] = field(default_factory=list)

    def write(self, table: pa.Table, part: pa.Table, zone: ZoneInfo) -> bytes:
        """A part of the answer's table as JSON, always the same one."""
        if self.last and self.last[0][0] is table:
            return self.last[0][1]
        written = write_objects(Rows(part, zone), self.parts)
        if len(written) <= _SMALL:
            self.last[:] = [(table, written)]
        return written


@dataclass(frozen=True, slots=True, eq=False)
class _Totals:
    """`totals`, from the answer at a place; without one they are null throughout."""

    place: int | None
    parts: list[Part]


@dataclass(frozen=True, slots=True, eq=False)
class _Record:
    """`pageInfo` or `meta`, of scalars alone."""

    field: str
    getters: Getters


_Piece = _Fixed | _Rows | _Totals | _Record


@dataclass(frozen=True, slots=True, eq=False)
class _Metrics:
    """A root field `metrics`: its questions, each with its title, and what is written under each response key."""

    zone: ZoneInfo
    page: Page
    asked: tuple[Prepared[MetricQuery], ...]
    titles: tuple[str, ...]
    pieces: tuple[tuple[bytes, _Piece], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is written under each response key of the operation. `name`: the operation's."""

    name: str | None
    roots: tuple[tuple[bytes, _Metrics | _Fixed], ...]
    last: list[tuple[list[pa.Table], Account]] = field(default_factory=list)

    def at_hand(self, context: Context) -> tuple[bytes, Account] | None:
        """The response with its `data`, and what it came to; None when something has to be waited for or fails."""
        started = time.perf_counter()
        written: list[bytes] = [b'{"data":{']
        tables: list[pa.Table] = []
        try:
            for key, root in self.roots:
                written.append(key)
                if isinstance(root, _Fixed):
                    written.append(root.json)
                elif not _write(context, root, started, written, tables):
                    return None
        except HeadwaterError:
            return None
        written.append(b"}}")
        body = b"".join(written)  # once: a large answer is copied no more often than it must be
        return body, self._account(context, tables)

    def _account(self, context: Context, tables: list[pa.Table]) -> Account:
        """The same as last time where the answers are."""
        if self.last and len(tables) == len(self.last[0][0]):
            known, account = self.last[0]
            if all(one is other for one, other in zip(tables, known, strict=True)):
                return account
        account = context.ledger.account()
        self.last[:] = [(tables if sum(table.nbytes for table in tables) <= _SMALL else [], account)]
        return account


def plan(executor: ColumnarExecutor, context: Context) -> Plan | None:
    """The plan of an operation, or None when it has none."""
    root_type = executor.schema.query_type
    if executor.operation.operation is not OperationType.QUERY or root_type is None:
        return None
    collected = collect_fields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        root_type,
        executor.operation,
        executor.hide_suggestions,
    )
    if collected.new_defer_usages:
        return None
    try:
        roots = _with_commas(_roots(executor, context, root_type, collected.grouped_field_set))
    except (_NoPlan, HeadwaterError):
        return None
    name = executor.operation.name
    return Plan(None if name is None else name.value, roots)


class _NoPlan(Exception):
    """Something is selected that plans don't know."""


def _roots(
    executor: ColumnarExecutor, context: Context, root_type: GraphQLObjectType, fields: Mapping[str, FieldDetailsList]
) -> Iterator[tuple[bytes, _Metrics | _Fixed]]:
    for key, details in fields.items():
        name = details[0].node.name.value
        if name == "__typename":
            yield _head(key), _Fixed(orjson.dumps(root_type.name))
        elif name == "metrics":
            yield _head(key), _metrics(executor, context, root_type, key, details)
        else:
            raise _NoPlan


def _metrics(
    executor: ColumnarExecutor, context: Context, root_type: GraphQLObjectType, key: str, details: FieldDetailsList
) -> _Metrics:
    field = root_type.fields["metrics"]
    nodes = [detail.node for detail in details]
    info = executor.build_resolve_info(field, nodes, root_type, Path(None, key, root_type.name))
    questions = metrics_questions(context, selected(info))
    of_type = get_named_type(field.type)
    assert isinstance(of_type, GraphQLObjectType)
    collected = executor.collect_subfields(of_type, details)
    if collected.new_defer_usages:
        raise _NoPlan
    asked = questions.distinct()
    places = {question: place for place, question in enumerate(asked)}
    pieces = _with_commas(
        (_head(child), _piece(executor, of_type, child, found, questions, places))
        for child, found in collected.grouped_field_set.items()
    )
    prepared = tuple(Prepared(question, datasets_needed(context.model, question)) for question in asked)
    return _Metrics(questions.zone, questions.page, prepared, tuple(asked.values()), pieces)


def _piece(
    executor: ColumnarExecutor,
    of_type: GraphQLObjectType,
    key: str,
    details: FieldDetailsList,
    questions: Questions,
    places: Mapping[MetricQuery, int],
) -> _Piece:
    name = details[0].node.name.value
    if name == "__typename":
        return _Fixed(orjson.dumps(of_type.name))
    inner = get_named_type(of_type.fields[name].type)
    parts = executor.parts(inner, details, by_field=name in ("pageInfo", "meta"))
    if parts is None or not isinstance(inner, GraphQLObjectType):
        raise _NoPlan
    match name:
        case "rows":
            return _Rows(places[questions.rows[key]], parts)
        case "totals":
            question = questions.totals[key]
            return _Totals(None if question is None else places[question], parts)
        case "pageInfo" | "meta" if are_flat(inner, parts):
            return _Record(name, getters_of(inner, parts))
        case _:
            raise _NoPlan


def _head(key: str) -> bytes:
    return orjson.dumps(key) + b":"


def _with_commas(parts: Iterable[tuple[bytes, P]]) -> tuple[tuple[bytes, P], ...]:
    """The same with a comma before every key but the first."""
    return tuple((b"," + key if place else key, part) for place, (key, part) in enumerate(parts))


def _write(context: Context, root: _Metrics, started: float, written: list[bytes], tables: list[pa.Table]) -> bool:
    """Write the object of a root field, and note the tables it is of; False when an answer is not at hand."""
    answers = []
    for question in root.asked:
        answered = question.kept(context)
        if answered is None:
            return False
        answers.append(answered)
        tables.append(answered.answer.table)
    written.append(b"{")
    for head, piece in root.pieces:
        body = _json(context, root, piece, answers, started)
        if body is None:
            return False
        written += (head, body)
    written.append(b"}")
    return True


def _json(context: Context, root: _Metrics, piece: _Piece, answers: Sequence[Answered], started: float) -> bytes | None:
    match piece:
        case _Fixed(json):
            return json
        case _Rows(place):
            part = cut_now(root.page, root.asked[place].question, answers[place])
            if part is None or len(part.table) > AT_ONCE:
                return None
            return piece.write(answers[place].answer.table, part.table, root.zone)
        case _Totals(place, parts):
            table = NOTHING if place is None else answers[place].answer.table
            return write_objects(Rows(table, root.zone), parts)[1:-1]
        case _Record("meta", getters):
            about = about_answers(context, dict(zip(root.titles, answers, strict=True)), started)
            return orjson.dumps(write_record(about, getters))
        case _Record(_, getters):
            part = cut_now(root.page, root.asked[0].question, answers[0])  # questions of rows come first
            return None if part is None else orjson.dumps(write_record(page_of(root.page, part), getters))
        case _:
            assert_never(piece)
