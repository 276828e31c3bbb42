"""Aggregates of a plan: how columns are folded into one value for each group."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from semantic.plan.expr import Expr


class Fold(StrEnum):
    """How an aggregate folds a column; all ignore nulls, COUNT without an argument counts rows."""

    SUM = "sum"
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    ARG_MAX = "arg_max"
    BIT_OR = "bit_or"
    PERCENTILE = "percentile"


@dataclass(frozen=True, slots=True)
class Agg:
    """One aggregate: of `arg` over the rows where `where` is true. `p`: of PERCENTILE, interpolated. `by`: ARG_MAX
    takes the `arg` of the row where it is largest.
    """

    fold: Fold
    arg: Expr | None = None
    where: Expr | None = None
    p: float | None = None
    by: Expr | None = None
