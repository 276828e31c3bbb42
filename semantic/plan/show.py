"""A plan as an indented tree: what `headwater sql --plan` prints and the golden plans hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from semantic.plan.expr import Expr
from semantic.plan.fold import Agg
from semantic.plan.node import Aggregate, Filter, Join, Match, Plan, Project, Scan, Sort, Spine, Union
from semantic.plan.show_expr import show_expr


def show(plan: Plan) -> str:
    """The tree, top first, two spaces a level. A node met again is only named by its line's number."""
    lines: list[str] = []
    seen: dict[int, int] = {}

    def visit(node: Plan, depth: int) -> None:
        indent = "  " * depth
        if id(node) in seen and node.inputs:
            lines.append(f"{indent}(line {seen[id(node)]} again)")
            return
        seen[id(node)] = len(lines) + 1
        lines.append((indent + _line(node)).rstrip())
        for child in node.inputs:
            visit(child, depth + 1)

    visit(plan, 0)
    return "\n".join(lines)


def _line(node: Plan) -> str:
    match node:
        case Scan():
            name = f" as {node.prefix[:-1]}" if node.prefix else ""
            distinct = f" distinct on {', '.join(node.distinct_on)}" if node.distinct_on else ""
            return f"Scan {node.dataset}{name} [{', '.join(node.columns)}]{distinct}"
        case Spine():
            wide = node.expansion
            units = f" by {wide.unit} in [{wide.start}, {wide.end})" if wide else ""
            return f"Spine {len(node.rows)} rows [{', '.join(node.output)}]{units}"
        case Filter():
            return f"Filter {show_expr(node.where)}"
        case Project():
            return f"Project {_named(node.columns)}"
        case Join():
            on = ", ".join(f"{one} = {other}" for one, other in node.on)
            return f"Join {node.kind}{' on ' + on if on else ''}"
        case Aggregate():
            folds = ", ".join(f"{name}: {_agg(agg)}" for name, agg in node.aggregates)
            return f"Aggregate by [{_named(node.keys)}] {folds}"
        case Match():
            return f"Match by [{', '.join(node.keys)}] {node.spec.steps} steps {node.spec.order}"
        case Union():
            return f"Union of {len(node.members)}"
        case Sort():
            by = ", ".join(f"{name}{' desc' if descending else ''}" for name, descending in node.by)
            limit = "" if node.limit is None else f" limit {node.limit}"
            return f"Sort [{by}]{limit}{f' offset {node.offset}' if node.offset else ''}"
        case _:
            assert_never(node)


def _named(columns: Iterable[tuple[str, Expr]]) -> str:
    shown = ((name, show_expr(expr)) for name, expr in columns)
    return ", ".join(name if text == name else f"{name}: {text}" for name, text in shown)


def _agg(agg: Agg) -> str:
    arg = "*" if agg.arg is None else show_expr(agg.arg)
    p = "" if agg.p is None else f", {agg.p}"
    by = "" if agg.by is None else f" by {show_expr(agg.by)}"
    where = "" if agg.where is None else f" where {show_expr(agg.where)}"
    return f"{agg.fold}({arg}{p}){by}{where}"
