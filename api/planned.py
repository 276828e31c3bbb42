"""The plans of operations that come again and again."""

from __future__ import annotations

from api.operations import ExecutableSchema
from api.request import Asked
from api.resolvers.columnar import ColumnarExecutor
from api.resolvers.context import Context
from api.resolvers.limits import MIB
from api.resolvers.plan import Plan, plan
from api.resolvers.weighed import Key, Weighed

KNOWN_PLANS, KNOWN_ONCE = 16 * MIB, 8 * MIB
"""Bytes of plans, and of operations that came once, each with its variables."""
LARGEST = 64 * 1024
"""Bytes of an operation that is planned."""
OVERHEAD, PER_CHARACTER = 4096, 8
"""Bytes that a plan takes: about so many, and so many for each character of what is asked."""


class Plans:
    """Plans by what is asked. Those of one model version, used by one event loop."""

    def __init__(self) -> None:
        self._seen: Weighed[Key, None] = Weighed(KNOWN_ONCE)
        self._made: Weighed[Key, Plan | None] = Weighed(KNOWN_PLANS)

    def has(self, key: Key) -> bool:
        """Whether there is a plan."""
        return self._made.get(key) is not None

    def of(self, schema: ExecutableSchema, asked: Asked, key: Key, context: Context) -> Plan | None:
        """The plan of an operation that was asked for before; None for others and for what has no plan."""
        if key in self._made or key.size > LARGEST:
            return self._made.get(key)
        if key not in self._seen:  # what comes only once is not worth planning
            self._seen.put(key, None, OVERHEAD // 4 + key.size)
            return None
        made = _plan(schema, asked, context)
        self._made.put(key, made, OVERHEAD + PER_CHARACTER * key.size)
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
