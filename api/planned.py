"""The plans of operations that come again and again."""

from __future__ import annotations

from collections.abc import Hashable

from cachetools import LRUCache

from api.operations import ExecutableSchema
from api.request import Asked
from api.resolvers.columnar import ColumnarExecutor
from api.resolvers.context import Context
from api.resolvers.plan import Plan, plan

KNOWN_PLANS = 1024
"""Operations remembered, each with its variables."""


class Plans:
    """Plans by what is asked. Those of one model version, used by one event loop."""

    def __init__(self) -> None:
        self._seen: LRUCache[Hashable, None] = LRUCache(KNOWN_PLANS)
        self._made: LRUCache[Hashable, Plan | None] = LRUCache(KNOWN_PLANS)

    def has(self, key: Hashable) -> bool:
        """Whether there is a plan."""
        return self._made.get(key) is not None

    def of(self, schema: ExecutableSchema, asked: Asked, key: Hashable, context: Context) -> Plan | None:
        """The plan of an operation that was asked for before; None for others and for what has no plan."""
        if key in self._made:
            return self._made[key]
        if key not in self._seen:  # what comes only once is not worth planning
            self._seen[key] = None
            return None
        made = self._made[key] = _plan(schema, asked, context)
        return made


def _plan(schema: ExecutableSchema, asked: Asked, context: Context) -> Plan | None:
    checked = schema.check(asked.query, context.limits)
    if checked.document is None:
        return None
    executor = schema.schema.execution_context_class.build(
        schema.graphql,
        checked.document,
        context_value=context,
        raw_variable_values=dict(asked.variables or {}),
        operation_name=asked.operation_name,
    )
    return plan(executor, context) if isinstance(executor, ColumnarExecutor) else None
