"""An executor that writes rows to JSON by column instead of completing them cell by cell.

Fields are collected by graphql-core itself, so aliases, fragments and directives mean what they mean everywhere.
Whatever is not rows of plain fields is left to the stock executor, which gives the same answer cell by cell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from graphql import GraphQLList, GraphQLObjectType, GraphQLResolveInfo, get_named_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.resolvers.records import are_flat, write_records
from api.resolvers.rows import AT_ONCE, Cells, Part, Row, Rows, write_arrays, write_objects


def _fragment(rows: Rows, write: Callable[[], bytes]) -> orjson.Fragment | Awaitable[orjson.Fragment]:
    """What is written of rows: of few at once, of many in a thread, in which others are answered meanwhile."""
    return orjson.Fragment(write()) if len(rows) <= AT_ONCE else _in_a_thread(write)


async def _in_a_thread(write: Callable[[], bytes]) -> orjson.Fragment:
    return orjson.Fragment(await asyncio.to_thread(write))


class ColumnarExecutor(StrawberryGraphQLCoreExecutionContext):
    """Completes rows by column: some microseconds a column instead of some a cell.

    What it leaves in the result (JSON fragments, decimals, dates) is for `encode_json`.
    """

    def complete_list_value(
        self,
        return_type: GraphQLList[Any],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Lists of rows and of cells as JSON, of records as plain objects; other lists as usual."""
        of_type = get_named_type(return_type)
        if isinstance(result, Rows):
            parts = self.parts(of_type, field_details_list, result.by_field)
            if parts is not None:
                return _fragment(result, partial(write_objects, result, parts))
        elif isinstance(result, tuple) and isinstance(of_type, GraphQLObjectType):
            parts = self.parts(of_type, field_details_list, by_field=True)
            if parts is not None and are_flat(of_type, parts):
                return write_records(result, of_type, parts)
        elif isinstance(result, Cells) and not self._wrapped:
            return _fragment(result.rows, partial(write_arrays, result.rows, result.columns))
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """A single row as its values; other objects as usual."""
        if isinstance(result, Row):
            parts = self.parts(return_type, field_details_list, result.rows.by_field)
            if parts is not None:
                return {
                    part.name: return_type.name if part.column is None else result.value(part.column) for part in parts
                }
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)

    @property
    def _wrapped(self) -> bool:
        """Whether something wants to see every field resolved. (The manager itself is always truthy.)"""
        return self.middleware_manager is not None and bool(self.middleware_manager.middlewares)

    def parts(self, of_type: Any, field_details_list: FieldDetailsList, by_field: bool) -> list[Part] | None:
        """The fields selected, in order; None when they are not all plain columns."""
        if self._wrapped or not isinstance(of_type, GraphQLObjectType):
            return None
        collected = self.collect_subfields(of_type, field_details_list)
        if collected.new_defer_usages:
            return None
        parts = []
        for key, details in collected.grouped_field_set.items():
            name = details[0].node.name.value
            if name == "__typename":
                parts.append(Part(key, constant=of_type.name))
            elif name in of_type.fields:
                parts.append(Part(key, name if by_field else key))
            else:
                return None
        return parts
