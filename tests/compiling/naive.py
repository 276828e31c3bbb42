"""A renderer that can't be wrong by cleverness: every node a subquery of its own, every part in parentheses.

What the real one folds together must give the same rows as this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import assert_never

from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Match, Plan, Project, Scan, Sort, Spine, Union
from semantic.sql import dialect as dialects
from semantic.sql import duckdb, expression, spark
from semantic.sql.dialect import Dialect
from semantic.sql.expression import aggregate, render
from semantic.sql.fragment import Fragment, build, join
from semantic.sql.matching import grouped, record_columns

_JOINS = {JoinKind.LEFT: "LEFT JOIN", JoinKind.INNER: "INNER JOIN", JoinKind.CROSS: "CROSS JOIN"}


def naive(plan: Plan, dialect: Dialect) -> Fragment:
    """The text of a plan."""
    with _parentheses():
        return _select(plan, dialect)


@contextmanager
def _parentheses() -> Iterator[None]:
    modules = (dialects, duckdb, spark, expression)
    known = [(module, module.nest) for module in modules if hasattr(module, "nest")]
    try:
        for module, _ in known:
            module.nest = lambda fragment, *_: build("({})", fragment)  # type: ignore[attr-defined]
        yield
    finally:
        for module, nest in known:
            module.nest = nest  # type: ignore[attr-defined]


def _select(plan: Plan, dialect: Dialect) -> Fragment:
    """Columns c0, c1, … in the order of the plan's output."""
    match plan:
        case Scan():
            return _scan(plan, dialect)
        case Spine():
            quoted = dialect.names(plan.output)
            items = [Fragment(f"t.{quoted[name]}") for name in plan.output]
            return build("SELECT {} FROM ({}) AS t", _numbered(items), dialect.spine(plan))
        case Filter():
            where = render(plan.where, _columns(plan.input), dialect)
            return build("SELECT * FROM ({}) AS t WHERE ({})", _select(plan.input, dialect), where)
        case Project():
            items = [render(expr, _columns(plan.input), dialect) for _, expr in plan.columns]
            return build("SELECT {} FROM ({}) AS t", _numbered(items), _select(plan.input, dialect))
        case Join():
            return _join(plan, dialect)
        case Aggregate():
            return _aggregate(plan, dialect)
        case Match():
            return _match(plan, dialect)
        case Union():
            members = [build("SELECT * FROM ({}) AS t", _select(member, dialect)) for member in plan.members]
            return join(" UNION ALL ", members)
        case Sort():
            return _sort(plan, dialect)
        case _:
            assert_never(plan)


def _columns(plan: Plan, alias: str = "t") -> dict[str, Fragment]:
    return {name: Fragment(f"{alias}.c{place}") for place, name in enumerate(plan.output)}


def _numbered(items: Iterable[Fragment]) -> Fragment:
    listed = [build(f"({{}}) AS c{place}", item) for place, item in enumerate(items)]
    return join(", ", listed) if listed else Fragment("1 AS nothing")


def _by_number(count: int) -> str:
    return f" GROUP BY {', '.join(str(place + 1) for place in range(count))}" if count else ""


def _scan(plan: Scan, dialect: Dialect) -> Fragment:
    source = build("({})", dialect.distinct_scan(plan)) if plan.distinct_on else Fragment(dialect.quote(plan.dataset))
    items = [Fragment(f"t.{dialect.quote(column)}") for column in plan.columns]
    return build("SELECT {} FROM {} AS t", _numbered(items), source)


def _join(plan: Join, dialect: Dialect) -> Fragment:
    left, right = _columns(plan.left, "l"), _columns(plan.right, "r")
    equals = "IS NOT DISTINCT FROM" if plan.null_safe else "="
    on = " AND ".join(f"{left[one].text} {equals} {right[other].text}" for one, other in plan.on)
    template = f"SELECT {{}} FROM ({{}}) AS l {_JOINS[plan.kind]} ({{}}) AS r{' ON ' + on if on else ''}"
    sides = _select(plan.left, dialect), _select(plan.right, dialect)
    return build(template, _numbered([*left.values(), *right.values()]), *sides)


def _aggregate(plan: Aggregate, dialect: Dialect) -> Fragment:
    columns = _columns(plan.input)
    items = [render(expr, columns, dialect) for _, expr in plan.keys]
    items += [aggregate(agg, columns, dialect) for _, agg in plan.aggregates]
    template = f"SELECT {{}} FROM ({{}}) AS t{_by_number(len(plan.keys))}"
    return build(template, _numbered(items), _select(plan.input, dialect))


def _match(plan: Match, dialect: Dialect) -> Fragment:
    """A list for each entity, whoever they are."""
    plan = replace(plan, spec=replace(plan.spec, longs=False))
    collected = grouped(plan, _columns(plan.input), dialect)
    keys = list(collected.keys.values())
    found = _numbered([*keys, collected.records])
    groups = build(f"SELECT {{}} FROM ({{}}) AS t{_by_number(len(keys))}", found, _select(plan.input, dialect))
    kept = [Fragment(f"t.c{place}") for place in range(len(keys))]
    exploded = build(f"{{}} AS c{len(keys)}", dialect.explode(Fragment(f"t.c{len(keys)}")))
    rows = build("SELECT {} FROM ({}) AS t", join(", ", [*kept, exploded]), groups)
    record = Fragment(f"t.c{len(keys)}")
    numbers = list(record_columns(plan, collected, record, dialect).values())
    return build("SELECT {} FROM ({}) AS t", _numbered([*kept, *numbers]), rows)


def _sort(plan: Sort, dialect: Dialect) -> Fragment:
    columns = _columns(plan.input)
    by = [f"{columns[name].text} {'DESC' if descending else 'ASC'} NULLS LAST" for name, descending in plan.by]
    parts = [build("SELECT * FROM ({}) AS t", _select(plan.input, dialect))]
    parts += [Fragment(f"ORDER BY {', '.join(by)}")] if by else []
    parts += [Fragment("LIMIT ?", (plan.limit,))] if plan.limit is not None else []
    parts += [Fragment("OFFSET ?", (plan.offset,))] if plan.offset else []
    return join(" ", parts)
