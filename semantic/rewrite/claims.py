"""A viewer's claims as the values that a policy compares with, of the kind of the column on the other side."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import sqlglot
from sqlglot import exp

from semantic.errors import Code, QueryError
from semantic.model.expression import Ref
from semantic.model.facts import Kind
from semantic.model.policy import DatasetPolicy
from semantic.plan.expr import Param
from semantic.query.query import Claim, Scalar, Viewer

KindOf = Callable[[Ref], Kind]

_NATURAL: dict[type, Kind] = {bool: Kind.BOOLEAN, int: Kind.INTEGER, float: Kind.FLOAT, str: Kind.STRING}
_WHOLE = re.compile(r"-?\d{1,38}")


@dataclass(frozen=True, slots=True)
class _Use:
    """One place of a claim: the column it is compared with, where it is one, and whether a list may stand there."""

    claim: str
    column: Ref | None
    takes_list: bool


def bound_claims(policy: DatasetPolicy, kind_of: KindOf, viewer: Viewer) -> tuple[tuple[str, Param], ...]:
    """The claims a policy names, as parameters. FORBIDDEN when one is missing or can't be compared so."""
    assert policy.where is not None, policy.name
    claims = dict(viewer.claims)
    bound: dict[str, Param] = {}
    for use in _uses(policy.where.sql):
        if use.claim not in claims:
            raise QueryError(Code.FORBIDDEN, f'This needs the claim "{use.claim}", which you don\'t have.')
        value = claims[use.claim]
        if isinstance(value, tuple) and not use.takes_list:
            raise _unfit(use.claim, policy, f"Write `in (:{use.claim})` for a claim that is a list.")
        kind = kind_of(use.column) if use.column is not None else Kind.OTHER
        kind = _kind(value) if kind is Kind.OTHER else kind
        bound[use.claim] = _param(use.claim, value, kind, policy)
    return tuple(bound.items())


@lru_cache(maxsize=1024)
def _uses(sql: str) -> tuple[_Use, ...]:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return tuple(_use(node) for node in tree.find_all(exp.Placeholder))


def _use(node: exp.Placeholder) -> _Use:
    around = node.parent
    if isinstance(around, exp.In) and node in around.expressions:
        return _Use(node.name, _column(around.this), takes_list=len(around.expressions) == 1)
    if isinstance(around, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return _Use(node.name, _column(around.right if around.left is node else around.left), takes_list=False)
    return _Use(node.name, None, takes_list=False)


def _column(node: exp.Expr) -> Ref | None:
    if not isinstance(node, exp.Column):
        return None
    *path, name = (part.name for part in node.parts)
    return Ref(tuple(path), name)


def _kind(value: Claim) -> Kind:
    sample = next(iter(value), "") if isinstance(value, tuple) else value
    return _NATURAL.get(type(sample), Kind.STRING)


def _param(claim: str, value: Claim, kind: Kind, policy: DatasetPolicy) -> Param:
    try:
        if isinstance(value, tuple):
            return Param(tuple(_as_kind(item, kind) for item in value), kind)
        return Param(_as_kind(value, kind), kind)
    except ValueError as error:
        raise _unfit(claim, policy, f"It is compared with values of kind {kind}.") from error


def _as_kind(value: Scalar, kind: Kind) -> Scalar:
    """A claim's value as a column's kind: tokens often spell numbers as texts, and texts as numbers."""
    match kind, value:
        case _, None:
            return None
        case Kind.INTEGER | Kind.DECIMAL | Kind.FLOAT, str() if _WHOLE.fullmatch(value):
            return int(value)
        case Kind.STRING, int() if not isinstance(value, bool):
            return str(value)
        case Kind.DATE, str():
            return date.fromisoformat(value)
        case Kind.INTEGER, int() if not isinstance(value, bool):
            return value
        case Kind.DECIMAL | Kind.FLOAT, int() | float() if not isinstance(value, bool):
            return value
        case (Kind.STRING, str()) | (Kind.BOOLEAN, bool()):
            return value
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ | Kind.OTHER, _:
            return value
        case _:
            raise ValueError(value)


def _unfit(claim: str, policy: DatasetPolicy, suggestion: str) -> QueryError:
    message = f'Your claim "{claim}" can\'t be compared as the policy "{policy.name}" does.'
    return QueryError(Code.FORBIDDEN, message, suggestion)
