"""What Schemathesis is told of us: values for our scalars, questions that mean something, and what a response must be.

A refusal with a reason is a right answer to a wrong question: GraphQL over HTTP has it with 200, which Schemathesis'
own check `not_a_server_error` takes for a server's failure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

import schemathesis
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    Visitor,
    print_ast,
    visit,
)
from schemathesis.core.transport import Response
from schemathesis.graphql import scalar
from schemathesis.specs.graphql.schemas import GraphQLSchema

from api.request import BAD_REQUEST
from tests.api.judged import LATE, REASONS, misfits
from tests.strategies.scalars import SCALARS

N = TypeVar("N", ArgumentNode, ObjectFieldNode)

EXCLUSIVE = (
    {"dates", "between", "last"},
    {"offset", "rolling", "toDate"},
    {"name", "steps"},
    {"window", "sameDay"},
)
"""Arguments of which a question has one: each alone is met, and now and then all of them."""
OF_STEPS = {"entity", "order", "entry"}
"""What a funnel given by `name` says itself."""
FITTING = {"where", "segments", "having", "orderBy", "model"}
"""What must fit to what else is asked; at random it seldom does."""

for name, strategy in SCALARS.items():
    scalar(name, strategy)


class _Sensible(Visitor):
    """Leaves out what makes nearly every document at random a contradiction, and the arguments of these names."""

    def __init__(self, without: Collection[str]) -> None:
        super().__init__()
        self._without = without

    def enter_field(self, node: FieldNode, *_: Any) -> FieldNode:
        """One of the arguments that exclude each other."""
        kept = tuple(one for one in _kept(node.arguments) if one.name.value not in self._without)
        if node.name.value == "funnel" and any(argument.name.value == "name" for argument in kept):
            kept = tuple(argument for argument in kept if argument.name.value not in OF_STEPS)
        return FieldNode(alias=node.alias, name=node.name, arguments=kept, selection_set=node.selection_set)

    def enter_object_value(self, node: ObjectValueNode, *_: Any) -> ObjectValueNode:
        """One of the keys that exclude each other."""
        return ObjectValueNode(fields=tuple(_kept(node.fields)))


def _kept(given: Iterable[N] | None) -> Iterable[N]:
    met: set[str] = set()
    for one in given or ():
        if isinstance(one.value, NullValueNode) or one.name.value in met:
            continue
        met |= next((names for names in EXCLUSIVE if one.name.value in names), set())
        yield one


@schemathesis.hook
def map_body(_: schemathesis.HookContext, document: Any) -> Any:
    """A document, or most often one that means more. Bodies of other doors are what they are."""
    if not isinstance(document, DocumentNode):
        return document
    luck = len(print_ast(document)) % 6
    if luck == 0:
        return document
    return visit(document, _Sensible(FITTING if luck > 1 else ()))


@schemathesis.check
def answered_or_refused(_: schemathesis.CheckContext, response: Response, case: schemathesis.Case[Any]) -> None:
    """Data as the schema says, or an error whose code says what the caller can mend."""
    schema = case.operation.schema
    assert isinstance(schema, GraphQLSchema)
    content_type = response.headers["content-type"][0]
    found = list(misfits(schema.client_schema, str(case.body), response.status_code, content_type, response.content))
    assert not found, "; ".join(found)


@schemathesis.check
def refused_with_a_reason(_: schemathesis.CheckContext, response: Response, case: schemathesis.Case[Any]) -> None:
    """What `/v1/table` refuses, it refuses with codes of what the caller can mend."""
    if response.status_code >= 400 and case.path.startswith("/v1/table"):
        told = [error["extensions"] for error in response.json()["errors"]]
        codes = {extensions["code"] for extensions in told}
        assert codes <= (REASONS - LATE) | {BAD_REQUEST}, codes
        assert {extensions["fault"] for extensions in told} == {"user"}
