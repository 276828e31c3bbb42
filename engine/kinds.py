"""DuckDB's types as the compiler's kinds."""

from __future__ import annotations

import re

from semantic.model.facts import Kind

NOTHING = '"NULL"'
"""The type of a column in which a writer saw no value."""

_KINDS = {
    Kind.INTEGER: (
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "BIGNUM", "VARINT"),
    ),
    Kind.FLOAT: ("FLOAT", "DOUBLE"),
    Kind.STRING: ("VARCHAR", "UUID"),
    Kind.BOOLEAN: ("BOOLEAN",),
    Kind.DATE: ("DATE",),
    Kind.TIMESTAMP: ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    Kind.TIMESTAMPTZ: ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"),
}
LONGS = frozenset(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"))
"""Types whose values a signed number of 64 bits can hold."""

_BY_NAME = {name: kind for kind, names in _KINDS.items() for name in names}
_PARAMETERS = re.compile(r"(DECIMAL|ENUM|VARCHAR)\(.*\)", re.DOTALL)


def kind_of(type_name: str) -> Kind:
    """The kind of a DuckDB type's values; OTHER for nested types, times of day, binary and the like."""
    found = _PARAMETERS.fullmatch(type_name)
    if found:
        return Kind.DECIMAL if found[1] == "DECIMAL" else Kind.STRING
    return _BY_NAME.get(type_name, Kind.OTHER)
