"""An answer for people: each list of rows a table, the rest as it is; errors with the line they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import orjson
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.terminal import errors, output

NOT_SET = Text("null", style="dim")
NUMBERS = int | Decimal
MOST_DECIMALS, SHOWN_DECIMALS = 6, 4
"""A number with more decimals than money has is rounded: it is a rate."""


def parsed(body: bytes) -> Any:
    """The JSON of an answer, its numbers with all their digits."""
    return json.loads(body, parse_float=Decimal)


def indented(body: bytes) -> str:
    """The JSON of an answer in many lines."""
    return orjson.dumps(parsed(body), option=orjson.OPT_INDENT_2, default=_exact).decode()


def _exact(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value).encode())
    raise TypeError(type(value).__name__)


def print_answer(body: bytes, document: str) -> None:
    """Print data to standard output and errors to standard error."""
    answer = parsed(body)
    console = output()
    for name, value in (answer.get("data") or {}).items():
        print_field(console, name, value)
    for error in answer.get("errors", ()):
        errors().print(error_text(error, document))


def print_field(console: Console, name: str, value: Any) -> None:
    """One root field: its rows as a table with the totals below, then what else was asked for."""
    console.print(Text(name, style="bold"))
    if not isinstance(value, Mapping):
        _print_value(console, "", value)
        console.print()
        return
    rest = dict(value)
    rows = rest.pop("rows", None)
    if isinstance(rows, list) and rows:
        totals = rest.pop("totals", None)
        console.print(rows_table(rows, totals, _keys(rest, rows)))
    elif rows == []:
        console.print(Text("no rows", style="dim"))
    for key, part in rest.items():
        _print_value(console, key, part)
    console.print()


def _keys(rest: dict[str, Any], rows: list[Any]) -> list[str] | None:
    """The names of cells that come in lists, as those of `table` do."""
    if not isinstance(rows[0], list):
        return None
    columns = rest.pop("columns", None) or ()
    named = [str(column.get("key") or column.get("label") or "") for column in columns if isinstance(column, Mapping)]
    return named if len(named) == len(rows[0]) else [str(number + 1) for number in range(len(rows[0]))]


def rows_table(rows: list[Any], totals: Any = None, keys: list[str] | None = None) -> Table:
    """Rows (mappings of scalars; with `keys`, lists of them) as a table; numbers to the right."""
    names = keys or list(dict.fromkeys(name for row in rows for name in row))
    every = [_cells(row, names) for row in (*rows, *((totals,) if totals else ()))]
    columns = [_alike(column) for column in zip(*every, strict=True)]
    table = Table(box=box.SIMPLE, show_footer=bool(totals), pad_edge=False)
    for name, column in zip(names, columns, strict=True):
        footer = _shown(column[-1]) if totals and column[-1] is not None else ""
        justify: Literal["left", "right"] = "right" if any(map(_is_number, column)) else "left"
        table.add_column(name, footer, justify=justify, overflow="fold")
    for line in list(zip(*columns, strict=True))[: len(rows)]:
        table.add_row(*map(_shown, line))
    return table


def unrolled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that hold rows, such as groups with their steps: a line for each inner one, the outer ones said once."""
    rows = [_with_key_as_columns(row) for row in rows]
    held = next((name for name in rows[0] if any(_are_rows(row[name]) for row in rows)), "")
    lines: list[dict[str, Any]] = []
    for row in rows:
        outer = {name: value for name, value in row.items() if name != held}
        inner = [_prefixed(one, f"{held}.", outer) for one in row.get(held) or [{}]]
        lines.append({**outer, **inner[0]})
        lines += [{**dict.fromkeys(outer, ""), **one} for one in inner[1:]]
    return lines


def _with_key_as_columns(row: dict[str, Any]) -> dict[str, Any]:
    """A group's key, `[{dimension, value}]`, as a column for each dimension."""
    key = row.get("key")
    if not _are_rows(key) or not all(part.keys() >= {"dimension", "value"} for part in key or ()):
        return row
    columns = {part["dimension"]: part["value"] for part in key or ()}
    return columns | {name: value for name, value in row.items() if name != "key"}


def _prefixed(row: Mapping[str, Any], prefix: str, taken: Mapping[str, Any]) -> dict[str, Any]:
    return {prefix + name if name in taken else name: value for name, value in row.items()}


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _alike(column: tuple[Any, ...]) -> tuple[Any, ...]:
    """All numbers of a column rounded when one of them is a rate, so that their points stand below each other."""
    if not any(isinstance(value, Decimal) and _is_rate(value) for value in column):
        return column
    return tuple(round(Decimal(value), SHOWN_DECIMALS) if _is_number(value) else value for value in column)


def _is_rate(value: Decimal) -> bool:
    return -int(value.as_tuple().exponent) > MOST_DECIMALS


def _is_number(value: Any) -> bool:
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def _cells(row: Any, names: Sequence[str]) -> list[Any]:
    if isinstance(row, list):
        return row
    return [row.get(name, "") for name in names]


def _shown(value: Any) -> Text:
    if value is None:
        return NOT_SET
    if isinstance(value, bool):
        return Text("true" if value else "false")
    if isinstance(value, Decimal):
        return Text(str(round(value, SHOWN_DECIMALS) if _is_rate(value) else value))
    if isinstance(value, Mapping | list):
        return Text(orjson.dumps(value, default=_exact).decode())
    return Text(str(value))


def _print_value(console: Console, key: str, value: Any) -> None:
    if _are_rows(value):
        if key:
            console.print(Text(key, style="dim"))
        console.print(rows_table(unrolled(value)))
    elif isinstance(value, Mapping):
        for name, part in value.items():
            _print_value(console, f"{key}.{name}" if key else name, part)
    else:
        console.print(Text(f"{key}: ", style="dim") + _shown(value) if key else _shown(value))


def _line(document: str, number: int, column: int) -> tuple[str, str]:
    """The line of that number and its part before the caret; what never came is missing after the last line."""
    lines = document.rstrip().splitlines() or [""]
    if number > len(lines):
        return lines[-1], lines[-1]
    return lines[number - 1], lines[number - 1][:column]


def error_text(error: Mapping[str, Any], document: str) -> Text:
    """An error with the line of the document it is about, a caret, and the suggestion."""
    extensions = error.get("extensions", {})
    text = Text.assemble(("Error: ", "bold red"), error["message"], (f" [{extensions.get('code')}]", "dim"))
    for place in error.get("locations", ())[:1]:
        line, before = _line(document, place["line"], place["column"] - 1)
        text.append(f"\n  {line}\n  {' ' * cell_len(before)}")
        text.append("^", style="bold green")
    suggestion = extensions.get("suggestion")
    if suggestion and suggestion not in error["message"]:
        text.append(f"\n  {suggestion}", style="green")
    return text
