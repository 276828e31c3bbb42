"""A GraphQL request, answered: the one function that every transport calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from inspect import isawaitable
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, OperationDefinitionNode, OperationType, get_operation_ast
from graphql.execution import Executor

from api.context import Outcome, Response, Snapshot, Views
from api.errors import RequestCode, format_error
from api.operations import Schemas, looks_at_schema
from api.planned import Plans
from api.request import Asked
from api.resolvers import funnel, journey, metrics, retention, score, touch_path
from api.resolvers.catalog import catalog, freshness
from api.resolvers.catalogs import Catalogs
from api.resolvers.columnar import ColumnarExecutor
from api.resolvers.compiler import Compiler
from api.resolvers.context import Context
from api.resolvers.selection import Info
from api.resolvers.table import table
from api.resolvers.values import dimension_values
from api.resolvers.viewer import viewer
from api.resolvers.weighed import Key
from api.schema.build import Resolvers, build_schema
from api.schema.language import locales_of
from api.schema.names import vocabulary
from engine.engine import Engine
from semantic.errors import Code, Overloaded, Timeout, UserError
from semantic.model.facts import Facts
from semantic.model.model import Model
from semantic.query.seen import seen

RESOLVERS = Resolvers(
    metrics=metrics.metrics,
    table=table,
    dimension_values=dimension_values,
    catalog=catalog,
    viewer=viewer,
    rows=metrics.rows,
    totals=metrics.totals,
    page_info=metrics.page_info,
    meta=metrics.meta,
    cell=metrics.cell,
    funnel=funnel.RESOLVERS,
    retention=retention.RESOLVERS,
    journey=journey.RESOLVERS,
    touch_path=touch_path.RESOLVERS,
    score=score.RESOLVERS,
)
"""How every field is answered."""


NO_STREAM = GraphQLError(
    "A subscription is answered as server-sent events (Accept: text/event-stream) or over a WebSocket."
)
"""Why a subscription is refused where one answer is expected."""

SECRET = GraphQLError(
    "The schema is shown only to those who sign in.",
    original_error=UserError(Code.UNAUTHENTICATED, "The schema is shown only to those who sign in."),
)
"""Why a stranger's document that looks at the schema is refused, in the hardened profile."""


def build_snapshot(
    model: Model, facts: Facts, engine: Engine, executor_class: type[Executor[Any]] = ColumnarExecutor
) -> Snapshot:
    """All that one model version is served with. Some tens of milliseconds: off the event loop."""
    every = vocabulary(model, seen(model, facts))
    compiler, locales = Compiler(model), locales_of(model)

    def make(hidden: frozenset[str]) -> Snapshot:
        names, visible = every.without(hidden), replace(model, hidden=hidden)
        return Snapshot(
            model=visible,
            names=names,
            facts=facts,
            engine=engine,
            schemas=Schemas(lambda locale: build_schema(names, RESOLVERS, locale, Info, executor_class), locales),
            compiler=compiler,
            catalogs=Catalogs(visible, names, freshness),
            plans=Plans(),
            version=every.version(model),
            locales=locales,
            views=views,
        )

    views = Views(make)
    return make(model.hidden)


def print_sdl(snapshot: Snapshot, locale: str | None = None) -> str:
    """The schema as SDL, described in the language nearest to `locale` (one tag, or an Accept-Language text)."""
    return snapshot.schemas.localized(locale).schema.as_str() + "\n"


async def execute(
    snapshot: Snapshot,
    document: str,
    variables: Mapping[str, Any] | None,
    operation_name: str | None,
    context: Context,
    follows: bool = False,
) -> Response:
    """Answer a document. Never raises for what a client did; cancelling it stops the statements that run.

    `follows`: a subscription may be asked for, whose answers come one after the other; this is the one for now.
    """
    snapshot = snapshot.seen_by(context.viewer)
    schema, discreet = snapshot.schemas.default, context.discreet
    if not discreet and looks_at_schema(document):  # its labels are in a language: that schema may not be made yet
        schema = await asyncio.to_thread(snapshot.schemas.localized, context.locale)
    checked = await schema.checked(document, context.limits)
    if checked.document is None:
        return _refused(checked.errors, RequestCode.VALIDATION, discreet)
    if discreet and checked.shape is not None and checked.shape.size.introspects:
        return _refused([SECRET], RequestCode.VALIDATION, discreet)
    operation = get_operation_ast(checked.document, operation_name)
    if operation is not None and operation.operation is OperationType.SUBSCRIPTION and not follows:
        return _refused([NO_STREAM], RequestCode.INPUT, discreet, operation)
    executor = schema.schema.execution_context_class.build(
        schema.graphql,
        checked.document,
        context_value=context,
        raw_variable_values=dict(variables or {}),
        operation_name=operation_name,
    )
    if isinstance(executor, list):
        return _refused(executor, RequestCode.INPUT, discreet, operation)
    result = executor.execute_operation()
    if isawaitable(result):
        result = await result
    assert isinstance(result, ExecutionResult)
    return replace(_answered(result, discreet, operation), account=context.ledger.account())


def execute_now(snapshot: Snapshot, asked: Asked, key: Key, context: Context) -> Response | None:
    """The same where every answer is at hand and nothing fails; None: `execute` it, in a context of its own.

    `key`: the same for requests that ask the same.
    """
    snapshot = snapshot.seen_by(context.viewer)
    found = snapshot.plans.of(snapshot.schemas.default, asked, key, context)
    at_hand = None if found is None else found.at_hand(context)
    if found is None or at_hand is None:
        return None
    body, account = at_hand
    return Response(body, Outcome.OK, (), "query", found.name, account)


def encode_json(value: object) -> bytes:
    """JSON with all digits of decimals; rows already written are spliced in."""
    return orjson.dumps(value, default=_exact)


def _exact(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} is not JSON")


def _refused(
    errors: Sequence[GraphQLError],
    otherwise: RequestCode,
    discreet: bool,
    operation: OperationDefinitionNode | None = None,
) -> Response:
    told = [format_error(error, otherwise, discreet) for error in errors]
    return Response(encode_json({"errors": told}), Outcome.REFUSED, _codes(told), *_named(operation))


def _answered(result: ExecutionResult, discreet: bool, operation: OperationDefinitionNode | None) -> Response:
    if result.data is None and result.errors:
        return _refused(result.errors, RequestCode.VALIDATION, discreet, operation)
    if not result.errors:
        return Response(encode_json({"data": result.data}), Outcome.OK, (), *_named(operation))
    told = [format_error(error, discreet=discreet) for error in result.errors]
    body = encode_json({"errors": told, "data": result.data})
    return Response(body, Outcome.PARTIAL, _codes(told), *_named(operation), retry_after=_retry_after(result))


def _retry_after(result: ExecutionResult) -> float | None:
    """Seconds to wait, when every field failed because too many ask or because it takes longer."""
    if any(value is not None for value in (result.data or {}).values()):
        return None
    causes = [error.original_error for error in result.errors or ()]
    waits = [cause.retry_after for cause in causes if isinstance(cause, Overloaded | Timeout)]
    known = [wait for wait in waits if wait is not None]
    return max(known) if known and len(known) == len(causes) else None


def _codes(told: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(error["extensions"]["code"] for error in told)


def _named(operation: OperationDefinitionNode | None) -> tuple[str | None, str | None]:
    """An operation's type and name."""
    if operation is None:
        return None, None
    return operation.operation.value, None if operation.name is None else operation.name.value
