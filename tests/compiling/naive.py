"""A renderer that can't be wrong by cleverness: every node a subquery of its own, every part in parentheses.

What the real one folds together must give the same rows as this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import assert_never

from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Match, Plan, Project, Scan, Sort, Spine, Union
from semantic.sql import dialect as dialects
from semantic.sql import duckdb, expression, spark
from semantic.sql.dialect import Dialect
from semantic.sql.expression import aggregate, render
from semantic.sql.fragment import Fragment, build, join
from semantic.sql.matching import matched, record_column

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
    quote = dialect.quote
    match plan:
        case Scan():
            return _scan(plan, dialect)
        case Spine():
            return dialect.spine(plan)
        case Filter():
            where = render(plan.where, _columns(plan.input, dialect), dialect)
            return build("SELECT * FROM ({}) AS t WHERE ({})", _select(plan.input, dialect), where)
        case Project():
            columns = _columns(plan.input, dialect)
            items = [build(f"({{}}) AS {quote(name)}", render(expr, columns, dialect)) for name, expr in plan.columns]
            return build("SELECT {} FROM ({}) AS t", _list(items), _select(plan.input, dialect))
        case Join():
            left, right = _select(plan.left, dialect), _select(plan.right, dialect)
            equals = "IS NOT DISTINCT FROM" if plan.null_safe else "="
            on = " AND ".join(f"l.{quote(one)} {equals} r.{quote(other)}" for one, other in plan.on)
            template = f"SELECT * FROM ({{}}) AS l {_JOINS[plan.kind]} ({{}}) AS r{' ON ' + on if on else ''}"
            return build(template, left, right)
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


def _columns(plan: Plan, dialect: Dialect) -> dict[str, Fragment]:
    return {name: Fragment(f"t.{dialect.quote(name)}") for name in plan.output}


def _list(items: list[Fragment]) -> Fragment:
    return join(", ", items) if items else Fragment("1 AS nothing")


def _scan(plan: Scan, dialect: Dialect) -> Fragment:
    quote = dialect.quote
    source = build("({})", dialect.distinct_scan(plan)) if plan.distinct_on else Fragment(quote(plan.dataset))
    items = [Fragment(f"t.{quote(column)} AS {quote(plan.prefix + column)}") for column in plan.columns]
    return build("SELECT {} FROM {} AS t", _list(items), source)


def _aggregate(plan: Aggregate, dialect: Dialect) -> Fragment:
    columns = _columns(plan.input, dialect)
    keys = [(name, render(expr, columns, dialect)) for name, expr in plan.keys]
    folds = [(name, aggregate(agg, columns, dialect)) for name, agg in plan.aggregates]
    items = [build(f"({{}}) AS {dialect.quote(name)}", item) for name, item in (*keys, *folds)]
    grouped = f" GROUP BY {', '.join(str(number + 1) for number in range(len(keys)))}" if keys else ""
    return build(f"SELECT {{}} FROM ({{}}) AS t{grouped}", _list(items), _select(plan.input, dialect))


def _match(plan: Match, dialect: Dialect) -> Fragment:
    quote = dialect.quote
    keys = [quote(name) for name in plan.keys]
    found = matched(plan, _columns(plan.input, dialect), dialect)
    named = _list([*(Fragment(f"t.{key} AS {key}") for key in keys), build("{} AS found", found)])
    grouped = f" GROUP BY {', '.join(str(number + 1) for number in range(len(keys)))}" if keys else ""
    groups = build(f"SELECT {{}} FROM ({{}}) AS t{grouped}", named, _select(plan.input, dialect))
    record = _list([*map(Fragment, keys), build("{} AS record", dialect.explode(Fragment("found")))])
    numbers = [
        build(f"{{}} AS {quote(name)}", record_column(plan, Fragment("record"), place, dialect))
        for place, name in enumerate(plan.output[len(keys) :], start=1)
    ]
    return build(
        "SELECT {} FROM (SELECT {} FROM ({}) AS t) AS t", _list([*map(Fragment, keys), *numbers]), record, groups
    )


def _sort(plan: Sort, dialect: Dialect) -> Fragment:
    by = ", ".join(
        f"t.{dialect.quote(name)} {'DESC' if descending else 'ASC'} NULLS LAST" for name, descending in plan.by
    )
    parts = [build("SELECT * FROM ({}) AS t", _select(plan.input, dialect))]
    parts += [Fragment(f"ORDER BY {by}")] if by else []
    parts += [Fragment("LIMIT ?", (plan.limit,))] if plan.limit is not None else []
    parts += [Fragment("OFFSET ?", (plan.offset,))] if plan.offset else []
    return join(" ", parts)
