"""What a plan costs, before it runs: about how many rows it reads, by what is known of the data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from semantic.model.facts import Bounds, Facts
from semantic.plan.expr import All, AnyOf, Binary, Col, Expr, Param
from semantic.plan.node import Filter, Join, Plan, Project, Scan
from semantic.plan.operators import BinaryOp

SECONDS = 24 * 60 * 60
"""Of a day."""


@dataclass(frozen=True, slots=True)
class Range:
    """From one number to another, the end excluded: the least that holds all a condition lets through."""

    low: float = -math.inf
    high: float = math.inf

    def within(self, other: Range) -> Range:
        """What both let through."""
        return Range(max(self.low, other.low), min(self.high, other.high))

    def around(self, other: Range) -> Range:
        """What either lets through, and what lies between."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    @property
    def length(self) -> float:
        """Of what is let through."""
        return max(self.high - self.low, 0.0)


ALL = Range()


def rows_read(plan: Plan, facts: Facts) -> int:
    """About how many rows of files are read: those of every scan, in the share of its time that its filters leave.

    Rows are taken to be spread evenly between the first and the last. A node that is used twice is read once.
    """
    scans = {id(scan): (scan, conditions) for scan, conditions in _scans(plan, (), set())}
    return sum(_rows(scan, conditions, facts) for scan, conditions in scans.values())


def _scans(plan: Plan, conditions: tuple[Expr, ...], seen: set[int]) -> Iterator[tuple[Scan, tuple[Expr, ...]]]:
    """Every scan once, with the conditions that all rows read from it meet."""
    if id(plan) in seen:
        return
    seen.add(id(plan))
    match plan:
        case Scan():
            yield plan, conditions
        case Filter():
            yield from _scans(plan.input, (*conditions, plan.where), seen)
        case Project():
            same = all(expr == Col(name) for name, expr in plan.columns)
            yield from _scans(plan.input, conditions if same else (), seen)
        case Join():
            for side in plan.inputs:
                yield from _scans(side, conditions, seen)
        case _:
            for child in plan.inputs:
                yield from _scans(child, (), seen)


def _rows(scan: Scan, conditions: tuple[Expr, ...], facts: Facts) -> int:
    known = facts.datasets[scan.dataset]
    shares = [1.0]
    for column, bounds in known.bounds.items():
        left = ALL
        for condition in conditions:
            left = left.within(_range(condition, scan.prefix + column))
        shares.append(_share(left, bounds))
    return math.ceil(known.rows * min(shares))


def _range(condition: Expr, column: str) -> Range:
    """What a condition says of one column."""
    match condition:
        case All(parts):
            found = ALL
            for part in parts:
                found = found.within(_range(part, column))
            return found
        case AnyOf(parts) if parts:
            first, *others = (_range(part, column) for part in parts)
            for other in others:
                first = first.around(other)
            return first
        case Binary(op, Col(name), Param(value)) if name == column and isinstance(value, date):
            found = _moment(value)
            if op in (BinaryOp.EQ, BinaryOp.SAME):
                return found
            if op in (BinaryOp.GT, BinaryOp.GTE):
                return Range(low=found.low)
            if op in (BinaryOp.LT, BinaryOp.LTE):
                return Range(high=found.low if op is BinaryOp.LT else found.high)
            return ALL
        case _:
            return ALL


def _share(wanted: Range, bounds: Bounds) -> float:
    """The part of the time from the first to the last row."""
    whole = Range(_moment(bounds.first).low, _moment(bounds.last).high)
    return whole.within(wanted).length / whole.length


def _moment(value: date | datetime) -> Range:
    """The day, or the second, in days since long ago."""
    day = float(value.toordinal())
    if not isinstance(value, datetime):
        return Range(day, day + 1)
    second = day + (value.hour * 3600 + value.minute * 60 + value.second) / SECONDS
    return Range(second, second + 1 / SECONDS)
