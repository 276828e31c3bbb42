"""Aggregations of the reference: values in, one number out, None where there is nothing to aggregate."""

from __future__ import annotations

import math
from typing import Any

from semantic.model.metric import Aggregation, Simple


def fold(simple: Simple, values: list[Any]) -> Any:
    """`values`: of the metric's expression, of every row (a row count: anything but None)."""
    known = [value for value in values if value is not None]
    match simple.agg:
        case Aggregation.COUNT:
            return len(known)
        case Aggregation.COUNT_DISTINCT:
            return len(set(known))
    if not known:
        return None
    match simple.agg:
        case Aggregation.SUM:
            return total(known)
        case Aggregation.AVG:
            return float(total(known)) / len(known)
        case Aggregation.MIN:
            return min(known)
        case Aggregation.MAX:
            return max(known)
        case Aggregation.MEDIAN:
            return percentile(known, 0.5)
        case Aggregation.PERCENTILE:
            assert simple.p is not None
            return percentile(known, simple.p)
    raise AssertionError(simple.agg)


def total(values: list[Any]) -> Any:
    """The exact sum; of floats, rounded once."""
    return math.fsum(values) if any(isinstance(value, float) for value in values) else sum(values)


def percentile(values: list[Any], p: float) -> float:
    """Between the two nearest ranks, linearly."""
    ranked = sorted(values)
    place = (len(ranked) - 1) * p
    low = ranked[math.floor(place)]
    high = ranked[math.ceil(place)]
    return float(low) + (float(high) - float(low)) * (place - math.floor(place))
