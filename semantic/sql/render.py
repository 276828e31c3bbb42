"""Plan + dialect → SQL text.

Nodes are folded into as few SELECTs as their meaning allows, so that it reads as if by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from semantic.lower.scope import ARROW
from semantic.plan.expr import All, Col, Window
from semantic.plan.node import Aggregate, Filter, Join, JoinKind, Match, Plan, Project, Scan, Sort, Spine, Union
from semantic.plan.walk import columns as columns_of
from semantic.sql.dialect import Dialect
from semantic.sql.expression import aggregate, conjoined, render
from semantic.sql.fragment import Fragment, build, indent, join
from semantic.sql.matching import grouped, record_columns

AGAIN, LONG = 3, 60
"""So many uses of an expression of so many letters: it gets a name in a SELECT of its own."""

_JOINS = {JoinKind.LEFT: "LEFT JOIN", JoinKind.INNER: "JOIN", JoinKind.CROSS: "CROSS JOIN"}


@dataclass(frozen=True, slots=True)
class Select:
    """One SELECT in the making: a FROM text and the expressions over it, by output name. `aliases`: of its tables, in
    small letters.

    `keys`: the outputs it groups by; None: not grouped. `sealed`: nothing may be folded in any more, only wrapped
    around.
    """

    source: Fragment
    columns: Mapping[str, Fragment]
    aliases: frozenset[str] = frozenset()
    where: tuple[Fragment, ...] = ()
    keys: tuple[str, ...] | None = None
    having: tuple[Fragment, ...] = ()
    tail: Fragment = field(default=Fragment(""))
    sealed: bool = False

    def text(self, dialect: Dialect) -> Fragment:
        """The whole SELECT."""
        names = dialect.names(self.columns)
        columns = [build("{} AS {}", expr, Fragment(names[name])) for name, expr in self.columns.items()]
        lines = [build("SELECT\n{}", indent(join(",\n", columns))), build("FROM {}", self.source)]
        if self.where:
            lines.append(build("WHERE {}", conjoined(self.where, "\n  AND ")))
        if self.keys:
            order = list(self.columns)
            lines.append(Fragment("GROUP BY " + ", ".join(str(order.index(key) + 1) for key in self.keys)))
        if self.having:
            lines.append(build("HAVING {}", conjoined(self.having, "\n  AND ")))
        return join("\n", [*lines, self.tail] if self.tail.text else lines)


class Renderer:
    """Renders plans of one statement. A node used more than once becomes a named subquery (WITH)."""

    def __init__(self, dialect: Dialect, *plans: Plan) -> None:
        self._dialect = dialect
        self._shared = _shared(plans)
        self._named: dict[int, tuple[str, Fragment]] = {}

    def render(self, plan: Plan) -> Fragment:
        """The statement's text."""
        return self.whole(self.body(plan))

    def body(self, plan: Plan) -> Fragment:
        """A plan as a SELECT within the statement."""
        return self._select(plan).text(self._dialect)

    def whole(self, body: Fragment) -> Fragment:
        """The statement's text, after all of its body."""
        if not self._named:
            return body
        named = [build("{} AS (\n{}\n)", Fragment(name), indent(text)) for name, text in self._named.values()]
        return build("WITH {}\n{}", join(",\n", named), body)

    def _select(self, plan: Plan) -> Select:
        if id(plan) not in self._shared:
            return self._node(plan)
        if id(plan) not in self._named:
            text = self._dialect.spine(plan) if isinstance(plan, Spine) else self._node(plan).text(self._dialect)
            self._named[id(plan)] = (self._dialect.quote(f"shared{len(self._named) + 1}#"), text)
        name = self._named[id(plan)][0]
        return self._table(Fragment(name), name, plan.output)

    def _node(self, plan: Plan) -> Select:
        match plan:
            case Scan():
                return self._scan(plan, frozenset())
            case Spine():
                return self._wrapped(self._dialect.spine(plan), "spine#", plan.output)
            case Filter():
                return self._filter(plan)
            case Project():
                return self._project(plan)
            case Join():
                return self._join(plan)
            case Aggregate():
                return self._aggregate(plan)
            case Match():
                return self._match(plan)
            case Union():
                texts = [self._select(member).text(self._dialect) for member in plan.members]
                return self._wrapped(join("\nUNION ALL\n", texts), "facts#", plan.output)
            case Sort():
                return self._sort(plan)
            case _:
                assert_never(plan)

    def _table(self, source: Fragment, alias: str, output: Iterable[str]) -> Select:
        columns = {name: Fragment(f"{alias}.{quoted}") for name, quoted in self._dialect.names(output).items()}
        return Select(source, columns, frozenset([alias.casefold()]))

    def _wrapped(self, text: Fragment, name: str, output: Iterable[str], taken: frozenset[str] = frozenset()) -> Select:
        alias = self._alias(name, taken)
        return self._table(build("(\n{}\n) AS {}", indent(text), Fragment(alias)), alias, output)

    def _alias(self, name: str, taken: frozenset[str]) -> str:
        """A quoted name that no other table of the FROM has."""
        while self._dialect.quote(name).casefold() in taken:
            name += "#"
        return self._dialect.quote(name)

    def _wrap(self, select: Select, name: str = "rows#") -> Select:
        return self._wrapped(select.text(self._dialect), name, select.columns)

    def _open(self, plan: Plan) -> Select:
        """The plan as a SELECT that rows can still be filtered and joined in."""
        select = self._select(plan)
        return self._wrap(select) if select.sealed or select.keys is not None else select

    def _scan(self, plan: Scan, taken: frozenset[str]) -> Select:
        quote = self._dialect.quote
        alias = self._alias(plan.prefix[:-1] or plan.dataset, taken)
        if plan.distinct_on:
            source = build("(\n{}\n) AS {}", indent(self._dialect.distinct_scan(plan)), Fragment(alias))
        else:
            name = quote(plan.dataset)
            source = Fragment(name if name == alias else f"{name} AS {alias}")
        columns = {plan.prefix + column: Fragment(f"{alias}.{quote(column)}") for column in plan.columns}
        return Select(source, columns, frozenset([alias.casefold()]))

    def _filter(self, plan: Filter) -> Select:
        select = self._select(plan.input)
        if select.sealed or (select.keys is not None and not self._dialect.folds_grouped):
            select = self._wrap(select)
        parts = plan.where.parts if isinstance(plan.where, All) else (plan.where,)
        conditions = tuple(render(part, select.columns, self._dialect) for part in parts)
        if select.keys is None:
            return replace(select, where=(*select.where, *conditions))
        return replace(select, having=(*select.having, *conditions))

    def _project(self, plan: Project) -> Select:
        select = self._select(plan.input)
        if select.sealed or not self._folds(plan, select):
            select = self._wrap(select)
        keys = select.keys
        if keys is not None:
            renamed = {expr.name: name for name, expr in reversed(plan.columns) if isinstance(expr, Col)}
            if all(key in renamed for key in keys):
                keys = tuple(renamed[key] for key in keys)
            else:
                select, keys = self._wrap(select), None
        columns = {name: render(expr, select.columns, self._dialect) for name, expr in plan.columns}
        sealed = any(isinstance(expr, Window) for _, expr in plan.columns)
        return replace(select, columns=columns, keys=keys, sealed=sealed)

    def _folds(self, plan: Project, select: Select) -> bool:
        """Whether a grouped SELECT may compute what is asked for itself."""
        computed = columns_of(expr for _, expr in plan.columns if not isinstance(expr, Col))
        return self._dialect.folds_grouped or not select.keys or set(select.keys).isdisjoint(computed)

    def _join(self, plan: Join) -> Select:
        left = self._open(plan.left)
        right = self._joined(plan.right, left.aliases)
        columns = {**left.columns, **right.columns}
        equals = "{} IS NOT DISTINCT FROM {}" if plan.null_safe else "{} = {}"
        conditions = [build(equals, columns[one], columns[other]) for one, other in plan.on]
        source = build(f"{{}}\n{_JOINS[plan.kind]} {{}}", left.source, right.source)
        if conditions:
            source = build("{} ON {}", source, join(" AND ", conditions))
        return replace(left, source=source, columns=columns, aliases=left.aliases | right.aliases)

    def _joined(self, plan: Plan, taken: frozenset[str]) -> Select:
        """The right side of a join: a bare table, or a subquery."""
        if isinstance(plan, Scan):
            return self._scan(plan, taken)
        select = self._select(plan)
        if id(plan) in self._shared or isinstance(plan, Spine):
            return select
        return self._wrapped(select.text(self._dialect), _way(plan) or "joined#", select.columns, taken)

    def _aggregate(self, plan: Aggregate) -> Select:
        select = self._open(plan.input)
        if _is_repeated(plan, select):
            select = self._wrap(select)
        columns = {name: render(expr, select.columns, self._dialect) for name, expr in plan.keys}
        for name, agg in plan.aggregates:
            columns[name] = aggregate(agg, select.columns, self._dialect)
        return replace(select, columns=columns, keys=tuple(name for name, _ in plan.keys))

    def _match(self, plan: Match) -> Select:
        """Events packed and collected per key → the kernel's records, one row each → their columns."""
        events = self._open(plan.input)
        groups = grouped(plan, events.columns, self._dialect)
        collected = replace(events, columns={**groups.keys, "found#": groups.records}, keys=tuple(groups.keys))
        found = self._wrap(collected, "groups#")
        kept = {} if groups.own else {name: found.columns[name] for name in plan.keys}
        record = self._dialect.explode(found.columns["found#"])
        rows = self._wrap(replace(found, columns={**kept, "record#": record}), "records#")
        keys = {name: rows.columns[name] for name in kept}
        numbers = record_columns(plan, groups, rows.columns["record#"], self._dialect)
        return replace(rows, columns={**keys, **numbers})

    def _sort(self, plan: Sort) -> Select:
        select = self._select(plan.input)
        if select.tail.text:
            select = self._wrap(select)
        order = list(select.columns)
        lines: list[Fragment] = []
        if plan.by:
            keys = [
                f"{order.index(name) + 1}{' DESC' if descending else ''} NULLS LAST" for name, descending in plan.by
            ]
            lines.append(Fragment("ORDER BY " + ", ".join(keys)))
        if plan.limit is not None:
            lines.append(Fragment("LIMIT ?", (plan.limit,)))
        if plan.offset:
            lines.append(Fragment("OFFSET ?", (plan.offset,)))
        return replace(select, tail=join("\n", lines), sealed=True)


def _is_repeated(plan: Aggregate, select: Select) -> bool:
    """Whether a long expression would be written out again and again, and not named first."""
    exprs = [expr for _, expr in plan.keys]
    exprs += [part for _, agg in plan.aggregates for part in (agg.arg, agg.where, agg.by) if part is not None]
    uses = Counter(columns_of(exprs))
    return any(uses[name] >= AGAIN and len(expr.text) >= LONG for name, expr in select.columns.items())


def _way(plan: Plan) -> str:
    """The relationships that lead to a plan, by the names of its columns: `buyer` of `buyer→member_level`."""
    return next(iter(plan.output), "").rpartition(ARROW)[0]


def _shared(plans: Iterable[Plan]) -> frozenset[int]:
    """The ids of nodes with several parents (tables of their own names excepted)."""
    uses: Counter[int] = Counter()
    seen: set[int] = set()

    def visit(node: Plan) -> None:
        uses[id(node)] += 1
        if id(node) in seen:
            return
        seen.add(id(node))
        for child in node.inputs:
            visit(child)

    for plan in plans:
        visit(plan)
    return frozenset(key for key, count in uses.items() if count > 1)
