"""What may stand in an expression: an allow-list of the parser's nodes. Anything else is refused with its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from sqlglot import exp

from semantic.errors import did_you_mean
from semantic.load.functions import BY_NODE, FUNCTIONS, INTERVAL_UNITS, REFUSED
from semantic.model.reach import MAX_PATH


class Scope(Enum):
    """What the names in an expression are: columns; metrics; columns next to claims (`:name`); claims."""

    ROWS = auto()
    METRICS = auto()
    POLICY = auto()
    CLAIMS = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where in the text, and what to do."""

    message: str
    offset: int
    suggestion: str | None = None


_PLAIN: Final = (
    exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg, exp.Identifier, exp.Var, exp.DataType, exp.DataTypeParam,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.DPipe,
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.Escape, exp.Case, exp.Column, exp.Dot, exp.Interval,
    exp.Placeholder,
)  # fmt: skip

_DTYPE: Final = exp.DataType.Type
TYPES: Final = {
    "boolean": _DTYPE.BOOLEAN, "tinyint": _DTYPE.TINYINT, "smallint": _DTYPE.SMALLINT, "integer": _DTYPE.INT,
    "bigint": _DTYPE.BIGINT, "decimal": _DTYPE.DECIMAL, "float": _DTYPE.FLOAT, "double": _DTYPE.DOUBLE,
    "varchar": _DTYPE.TEXT, "date": _DTYPE.DATE, "timestamp": _DTYPE.TIMESTAMPNTZ,
}  # fmt: skip
"""What values may be cast to, by the name an author writes."""

_KINDS: Final[tuple[tuple[tuple[type[exp.Expr], ...], str, str | None], ...]] = (
    ((exp.Query, exp.Exists, exp.Table), "A subquery", "Declare a dataset and a relationship to it."),
    ((exp.Window, exp.IgnoreNulls, exp.RespectNulls), "A window function", "See the metric type cumulative."),
    ((exp.Filter,), "A filter clause", "Give the metric a `where`."),
    ((exp.Lambda, exp.Array, exp.Struct, exp.Bracket, exp.Comprehension, exp.Tuple), "A list or structure", None),
    ((exp.Star, exp.Columns), "A star", "Name the column."),
    ((exp.AtTimeZone,), "A time zone", "Zones are the model's: `timezone`, on it or on a dataset."),
    ((exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot, exp.BitwiseLeftShift, exp.BitwiseRightShift),
     "An operation on bits", None),
    ((exp.Collate,), "A collation", None),
    ((exp.Any, exp.All), "A comparison with a list", "Write x in (1, 2)."),
)  # fmt: skip

_QUERY: Final = re.compile(r"\(\s*(select|from|with|values)\b", re.IGNORECASE)


def names_in(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The outermost node of every name read: a column, or a dot around one."""
    for node in tree.walk(prune=lambda node: isinstance(node, exp.Column | exp.Dot)):
        if isinstance(node, exp.Column | exp.Dot):
            yield node


def path_of(node: exp.Expr) -> tuple[tuple[str, ...], str, int]:
    """Of a name: the relationships before it, itself, and its offset in the text."""
    parts: list[exp.Expr] = node.parts if isinstance(node, exp.Column | exp.Dot) else [node]
    *path, name = (part.name for part in parts)
    return tuple(path), name, parts[0].meta.get("start", 0)


def faults_of(tree: exp.Expr, text: str, scope: Scope) -> tuple[Fault, ...]:
    """Everything in a parsed expression that may not stand there, in order."""
    found: dict[Fault, None] = {}
    refused: set[int] = set()
    for node in tree.walk(prune=lambda node: id(node) in refused or isinstance(node, exp.Column | exp.Dot)):
        fault = _fault(node, text, scope)
        if fault is not None:
            refused.add(id(node))
            found[fault] = None
    return tuple(sorted(found, key=lambda fault: fault.offset))


def _fault(node: exp.Expr, text: str, scope: Scope) -> Fault | None:
    match node:
        case exp.Column() | exp.Dot():
            return _name_fault(node, text, scope)
        case exp.Placeholder():
            return _claim_fault(node, text, scope)
        case exp.AggFunc():
            return _aggregate_fault(node, text, scope)
        case exp.Var():
            return None if type(node.parent) in _WITH_UNITS else _refuse(node, text)
        case exp.DataType():
            return _type_fault(node, text)
    function = BY_NODE.get(type(node))
    if function is not None:
        reason = function.limit(node)
        return Fault(f"{reason}.", offset_of(node, text)) if reason else None
    if type(node) not in _PLAIN:
        return _refuse(node, text)
    reason = _shape_reason(node)
    return Fault(reason, offset_of(node, text)) if reason else None


def _name_fault(node: exp.Expr, text: str, scope: Scope) -> Fault | None:
    at = offset_of(node, text)
    parts = node.parts if isinstance(node, exp.Column | exp.Dot) else []
    if isinstance(parts[-1], exp.Star):
        return Fault("A star can't be part of an expression.", at, "Name the column.")
    if len(parts) < (2 if isinstance(node, exp.Dot) else 1) or not all(
        isinstance(part, exp.Identifier) for part in parts
    ):
        return Fault("This can't be the name of a column.", at, 'A name with other letters is quoted: "my column".')
    odd = next((part for part in parts if not part.args.get("quoted") and not re.fullmatch(r"\w+", part.name)), None)
    if odd is not None:
        return Fault(f"{odd.name} can't be a name.", at, f'Quote it: "{odd.name}".')
    if len(parts) - 1 > MAX_PATH:
        return Fault(f"More than {MAX_PATH} relationships in one name.", at)
    if len(parts) > 1 and scope in (Scope.METRICS, Scope.CLAIMS):
        what = "metrics" if scope is Scope.METRICS else "claims of the viewer"
        return Fault(f"Names here are {what}, without a dot.", at)
    return _claim_name_fault(parts[-1].name, at) if scope is Scope.CLAIMS else None


def _claim_fault(node: exp.Expr, text: str, scope: Scope) -> Fault | None:
    at = offset_of(node, text)
    if scope not in (Scope.POLICY, Scope.CLAIMS):
        return Fault("A claim (:name) can stand in a policy only.", at)
    return _claim_name_fault(node.name, at)


def _claim_name_fault(name: str, at: int) -> Fault | None:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return None
    return Fault("The name of a claim is letters, digits and underscores.", at)


_AGGREGATIONS: Final[dict[type[exp.Expr], str]] = {
    exp.Sum: "sum", exp.Count: "count", exp.Avg: "avg", exp.Min: "min", exp.Max: "max", exp.Median: "median",
    exp.ApproxDistinct: "count_distinct", exp.Quantile: "percentile", exp.PercentileCont: "percentile",
}  # fmt: skip


def _aggregate_fault(node: exp.Expr, text: str, scope: Scope) -> Fault:
    written = _written_name(node, text)
    message = f"{written or 'This'} folds rows; an expression reads one row."
    if scope is Scope.METRICS:
        return Fault(message, offset_of(node, text), "Define a metric of type simple, and name it here.")
    agg = _AGGREGATIONS.get(type(node))
    if agg is None:
        return Fault(message, offset_of(node, text), "A simple metric says in `agg` how rows are folded.")
    inner = node.this
    if isinstance(inner, exp.Distinct):
        agg, inner = "count_distinct", inner.expressions[0]
    is_counted = isinstance(inner, exp.Star) or inner is None
    rest = ", without expr" if is_counted else f" and expr: {inner.sql(dialect='duckdb', comments=False)}"
    return Fault(message, offset_of(node, text), f"A simple metric says that with agg: {agg}{rest}.")


_WITH_UNITS: Final = (exp.Interval, exp.Extract, exp.TimestampTrunc, exp.DateDiff)


def _type_fault(node: exp.DataType, text: str) -> Fault | None:
    if not isinstance(node.parent, exp.Cast):
        return _refuse(node, text)
    if node.this in TYPES.values() and not node.args.get("nested"):
        return None
    written = node.sql(dialect="duckdb").lower()
    at = offset_of(node.parent, text)
    return Fault(f"Values can't be cast to {written}.", at, f"Types: {', '.join(TYPES)}.")


def _shape_reason(node: exp.Expr) -> str | None:
    match node:
        case exp.In() if node.args.get("field") or node.args.get("unnest"):
            return "A list is written in parentheses: x in (1, 2)."
        case exp.Is() if not isinstance(node.expression, exp.Null | exp.Boolean):
            return "`is` takes null, true or false."
        case exp.Between() if node.args.get("symmetric") is not None:
            return "between symmetric differs between engines; use least and greatest."
        case exp.Like() | exp.ILike() if "\\" in node.expression.name and not isinstance(node.parent, exp.Escape):
            return "A backslash in a pattern differs between engines: name another character with escape '!'."
        case exp.Interval() if not _is_interval(node):
            units = ", ".join(unit.lower() for unit in INTERVAL_UNITS)
            return f"An interval is a whole number and a unit, such as interval 3 day; units: {units}."
    return None


def _is_interval(node: exp.Interval) -> bool:
    amount = node.this
    unit = node.text("unit").upper().rstrip("S")
    return isinstance(amount, exp.Literal) and amount.name.isdigit() and unit in INTERVAL_UNITS


def _refuse(node: exp.Expr, text: str) -> Fault:
    for kinds, what, suggestion in _KINDS:
        if isinstance(node, kinds):
            query = _QUERY.search(text) if isinstance(node, exp.Query | exp.Exists) else None
            at = query.start() if query else offset_of(node, text)
            return Fault(f"{what} can't be part of an expression.", at, suggestion)
    at, name = offset_of(node, text), _written_name(node, text)
    if name is None:
        return Fault("This can't be part of an expression.", at, "docs/model.md lists what can.")
    if name in REFUSED:
        reason, suggestion = REFUSED[name]
        return Fault(f"{name} can't be used: {reason}.", at, suggestion)
    known = did_you_mean(name, (function.name for function in FUNCTIONS))
    return Fault(f"Expressions have no function {name}.", at, known or "docs/model.md lists those they have.")


def _written_name(node: exp.Expr, text: str) -> str | None:
    """The name of a function as the author wrote it; None for what is not written as a call."""
    if not isinstance(node, exp.Func):
        return None
    word = re.compile(r"[A-Za-z_]\w*").match(text, offset_of(node, text))
    return word[0].lower() if word and re.compile(r"\s*\(|$").match(text, word.end()) else None


def offset_of(node: exp.Expr, text: str) -> int:
    """Where a node begins in the text, as well as the parser remembers it."""
    own = node.meta.get("start")
    if own is not None:
        return int(own)
    begin = min((inner.meta["start"] for inner in node.walk() if "start" in inner.meta), default=0)
    call = re.search(r"\w+\s*\(\s*$", text[:begin]) if isinstance(node, exp.Func) else None
    return call.start() if call else begin
