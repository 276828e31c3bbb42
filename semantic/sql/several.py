"""Statements that are asked for at once → fewer statements that answer them all.

Such a statement has one row, and in it for each statement the list of that one's rows, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semantic.model.facts import Kind
from semantic.plan.node import Plan, Sort
from semantic.rewrite.share import Group, share
from semantic.sql.duckdb import DUCKDB
from semantic.sql.fragment import Fragment, build, indent, join
from semantic.sql.render import Renderer
from semantic.sql.statement import Column, Statement

MOST = 32
"""Statements that one is made of: beyond that it would take long to plan, and little would be won."""


@dataclass(frozen=True, slots=True)
class Several:
    """A statement that answers others. `places`: of those it was made of; of one alone it is that one itself."""

    statement: Statement
    places: tuple[int, ...]


def several(statements: Sequence[Statement]) -> tuple[Several, ...]:
    """DuckDB statements that together answer each of these once: those that share work are one. Only such as know their
    plans are made one.
    """
    known = [(place, one.plan) for place, one in enumerate(statements) if one.plan is not None]
    found = [Several(one, (place,)) for place, one in enumerate(statements) if one.plan is None]
    for begin in range(0, len(known), MOST):
        places, plans = zip(*known[begin : begin + MOST], strict=True)
        found += [_several(statements, places, group) for group in share(plans)]
    return tuple(found)


def _several(statements: Sequence[Statement], places: Sequence[int], group: Group) -> Several:
    chosen = tuple(places[place] for place in group.places)
    if len(chosen) == 1:
        return Several(statements[chosen[0]], chosen)
    renderer = Renderer(DUCKDB, *group.plans)
    lists = [_listed(renderer.body(plan), plan) for plan in group.plans]
    names = [str(place) for place in range(len(lists))]
    columns = [build("{} AS {}", one, Fragment(DUCKDB.quote(name))) for name, one in zip(names, lists, strict=True)]
    text = renderer.whole(build("SELECT\n{}", indent(join(",\n", columns))))
    datasets = sorted({name for place in chosen for name in statements[place].datasets})
    kinds = tuple(Column(name, Kind.OTHER) for name in names)
    return Several(Statement(text.text, text.params, kinds, tuple(datasets)), chosen)


def _listed(rows: Fragment, plan: Plan) -> Fragment:
    """The rows as a list. A list is in the order of rows only where it is told to be."""
    names = DUCKDB.names(plan.output)
    order = plan.by if isinstance(plan, Sort) else ()
    return DUCKDB.listed(rows, tuple((names[name], descending) for name, descending in order))
