"""The last look at a statement before it runs: one SELECT that reads its own datasets and nothing else.

What authors write is checked when a model is loaded. This holds even if that check had a hole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator
from threading import Lock
from typing import Any

import duckdb
import orjson
from cachetools import LRUCache

from semantic.errors import Code, OurError
from semantic.sql.statement import Statement

TABLE_FUNCTIONS = {"range", "generate_series", "unnest"}
"""Those that make rows from their arguments alone."""
REMEMBERED = 4096


class Guard:
    """Remembers the texts it has seen. Used by several threads."""

    def __init__(self) -> None:
        self._seen: LRUCache[Hashable, bool] = LRUCache(REMEMBERED)
        self._lock = Lock()

    def check(self, cursor: duckdb.DuckDBPyConnection, statement: Statement) -> None:
        """OurError INTERNAL when the statement is anything else."""
        key = hashlib.sha256(statement.sql.encode()).digest(), statement.datasets
        with self._lock:
            if key in self._seen:
                return
        ((text,),) = cursor.execute("SELECT json_serialize_sql(?)", [statement.sql]).fetchall()
        parsed = orjson.loads(text)
        if parsed.get("error") or len(parsed.get("statements", ())) != 1:
            raise _refused("not one SELECT")
        nodes = list(_nodes(parsed))
        known = {name.casefold() for name in (*statement.datasets, *_named(nodes))}
        for node in nodes:
            _check_node(node, known)
        with self._lock:
            self._seen[key] = True


def _check_node(node: dict[str, Any], known: set[str]) -> None:
    match node.get("type"):
        case "TABLE_FUNCTION":
            name = str(node["function"].get("function_name"))
            if name not in TABLE_FUNCTIONS:
                raise _refused(f"calls {name}")
        case "BASE_TABLE":
            name = str(node["table_name"])
            if node.get("schema_name") or node.get("catalog_name") or name.casefold() not in known:
                raise _refused(f"reads {name}")


def _named(nodes: list[dict[str, Any]]) -> Iterator[str]:
    """The names that WITH gives."""
    for node in nodes:
        for entry in node.get("cte_map", {}).get("map", ()):
            yield entry["key"]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _refused(reason: str) -> OurError:
    return OurError(
        Code.INTERNAL, "The query failed. The server's log says why.", detail=f"statement refused: {reason}"
    )
