"""A checked expression → its canonical form: divisions that can't fail, calls that mean the same on every engine."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

MONDAY: Final = "0001-01-01"
"""A Monday before any date that data holds; weekdays are counted from it."""


def canonical(tree: exp.Expr, names_are_claims: bool = False) -> str:
    """The text: DuckDB's dialect, one line, every identifier quoted, claims as `:name`. Changes the tree."""
    root = exp.Paren(this=tree)
    for node in reversed(list(tree.walk())):
        is_claim = names_are_claims and isinstance(node, exp.Column)
        replacement = exp.var(f":{node.name}") if is_claim else _rewritten(node)
        if replacement is not node:
            node.replace(replacement)
    return str(root.this.sql(dialect="duckdb", identify=True, comments=False))


def _rewritten(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Div() | exp.IntDiv() | exp.Mod():
            node.set("expression", _not_zero(node.expression))
        case exp.Neg() if isinstance(node.this, exp.Binary):  # -mod(a, b), written as an operator
            node.set("this", exp.paren(node.this))
        case exp.Ln() | exp.Sqrt():
            node.set("this", _only_if(exp.GT if isinstance(node, exp.Ln) else exp.GTE, node.this))
        case exp.Log():
            node.set("expression", _only_if(exp.GT, node.expression))
        case exp.Interval():
            node.set("unit", exp.var(node.text("unit").upper().rstrip("S")))
        case exp.Week():
            return exp.WeekOfYear(this=node.this)
        case exp.DateDiff():
            node.set("this", _as_date(node.this))
            node.set("expression", _as_date(node.expression))
        case exp.DayOfWeekIso():
            return _weekday(node.this)
        case exp.Placeholder():
            return exp.var(f":{node.name}")
    return node


def _not_zero(divisor: exp.Expr) -> exp.Expr:
    if isinstance(divisor, exp.Literal) and not divisor.is_string and float(divisor.name) != 0:
        return divisor
    guarded = isinstance(divisor, exp.Nullif) and divisor.expression == exp.Literal.number(0)
    return divisor if guarded else exp.Nullif(this=divisor, expression=exp.Literal.number(0))


def _only_if(comparison: type[exp.Expr], value: exp.Expr) -> exp.Expr:
    """`CASE WHEN value > 0 THEN value END`; once, also when the text is read again."""
    if isinstance(value, exp.Case) and len(value.args["ifs"]) == 1:
        inner = value.args["ifs"][0].args["true"]
        return value if value == _case(comparison, inner) else _case(comparison, value)
    return _case(comparison, exp.paren(value) if isinstance(value, exp.Binary) else value)


def _case(comparison: type[exp.Expr], value: exp.Expr) -> exp.Expr:
    condition = comparison(this=value.copy(), expression=exp.Literal.number(0))
    return exp.Case(ifs=[exp.If(this=condition, true=value.copy())])


def _as_date(value: exp.Expr) -> exp.Expr:
    is_date = isinstance(value, exp.Cast) and value.to.this is exp.DataType.Type.DATE
    return value if is_date else exp.cast(value, "date")


def _weekday(value: exp.Expr) -> exp.Expr:
    """1 for Monday to 7 for Sunday, of days counted from a Monday."""
    monday = exp.cast(exp.Literal.string(MONDAY), "date")
    days = exp.DateDiff(this=_as_date(value), expression=monday, unit=exp.var("DAY"))
    return exp.paren(
        exp.Add(this=exp.Mod(this=days, expression=exp.Literal.number(7)), expression=exp.Literal.number(1))
    )
