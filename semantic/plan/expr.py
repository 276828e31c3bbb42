"""Expressions of a plan over a node's columns: a closed union of frozen nodes that know no metric and no dialect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from semantic.model.expression import Expression, Ref
from semantic.model.facts import Kind
from semantic.plan.operators import BinaryOp, Order, Running, TextTest
from semantic.query.query import Scalar
from semantic.time import Grain, Weekday


@dataclass(frozen=True, slots=True)
class Col:
    """A column of the input, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Param:
    """A value from outside, of a kind; rendered as a parameter."""

    value: Scalar | tuple[Scalar, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Const:
    """A constant of the compiler's own (null, a truth value, a small integer); rendered as text."""

    value: bool | int | None


@dataclass(frozen=True, slots=True)
class Authored:
    """An author's expression, with what each of its names stands for; `claims` likewise."""

    expression: Expression
    names: tuple[tuple[Ref, Expr], ...]
    claims: tuple[tuple[str, Param], ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """left op right."""

    op: BinaryOp
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class All:
    """Every part is true (no part: true)."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part is true (no part: false)."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class IsNotTrue:
    """The part is false or null: the two-valued opposite."""

    part: Expr


@dataclass(frozen=True, slots=True)
class IsNull:
    """The part is null."""

    part: Expr


@dataclass(frozen=True, slots=True)
class InList:
    """The part equals one of the values (none: false; a null part: null)."""

    part: Expr
    values: tuple[Param, ...]


@dataclass(frozen=True, slots=True)
class TextMatch:
    """The part, a text, holds another literally. `fold`: in any case."""

    test: TextTest
    part: Expr
    value: Param
    fold: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first condition that is true, else the default."""

    whens: tuple[tuple[Expr, Expr], ...]
    default: Expr


@dataclass(frozen=True, slots=True)
class Coalesce:
    """The first part that is not null."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """The part as another kind. TIMESTAMPTZ → TIMESTAMP gives UTC wall time, and back."""

    part: Expr
    kind: Kind


@dataclass(frozen=True, slots=True)
class Shift:
    """A zone-less timestamp moved by seconds that hold from an instant on, the first for all that is earlier too."""

    part: Expr
    pieces: tuple[tuple[datetime, int], ...]


@dataclass(frozen=True, slots=True)
class Truncate:
    """The first day of the period (part: a date), or the clock unit's first instant (part: a timestamp)."""

    part: Expr
    grain: Grain
    week_start: Weekday = Weekday.MONDAY


@dataclass(frozen=True, slots=True)
class Bits:
    """The sum of 2^bit over the (condition, bit) pairs whose condition is true."""

    parts: tuple[tuple[Expr, int], ...]


@dataclass(frozen=True, slots=True)
class PeriodNumber:
    """A period's start as a small number: days since 1900, or (`clock`) quarter hours since 1970 of an instant."""

    part: Expr
    clock: bool = False


@dataclass(frozen=True, slots=True)
class PeriodStart:
    """The date, or the instant as TIMESTAMPTZ (`clock`), of a period's number."""

    part: Expr
    clock: bool = False


@dataclass(frozen=True, slots=True)
class PeriodIndex:
    """The number of a date's period (day, week or month), of which the next has one more; counted from `since`."""

    part: Expr
    grain: Grain
    week_start: Weekday = Weekday.MONDAY
    since: int = 0


@dataclass(frozen=True, slots=True)
class BitOf:
    """A word with one bit set, the part's, which is less than `places`."""

    part: Expr
    places: int


@dataclass(frozen=True, slots=True)
class LowestBit:
    """The place of the lowest bit that is set in a word; some is."""

    part: Expr


@dataclass(frozen=True, slots=True)
class Shifted:
    """A word moved down by some bits; with `kept`, only so many of its lowest then: a whole number."""

    part: Expr
    by: Expr
    kept: int | None = None


@dataclass(frozen=True, slots=True)
class HasBits:
    """Some bit from `low` to `high` is set in a word."""

    part: Expr
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Shares:
    """Two words have a bit in common."""

    part: Expr
    other: Expr


@dataclass(frozen=True, slots=True)
class Row:
    """Several values as one, compared from the first to the last."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """The value at a place (from 0) of a row."""

    part: Expr
    place: int


@dataclass(frozen=True, slots=True)
class Micros:
    """Microseconds since 1970 of a naive UTC timestamp."""

    part: Expr


@dataclass(frozen=True, slots=True)
class Instant:
    """Microseconds since 1970 as TIMESTAMPTZ."""

    part: Expr


@dataclass(frozen=True, slots=True)
class RowNumber:
    """The place of a row in an order, from 1."""

    order: Order


@dataclass(frozen=True, slots=True)
class Previous:
    """The value of the part in the row before this one in an order; null in the first."""

    part: Expr
    order: Order


@dataclass(frozen=True, slots=True)
class CountSoFar:
    """How many rows of an order, up to and with this one, the part is true of."""

    part: Expr
    order: Order


@dataclass(frozen=True, slots=True)
class RowCount:
    """The number of rows of the whole result, on every row."""


@dataclass(frozen=True, slots=True)
class Lately:
    """A value folded over the rows whose place in the order (one whole number) is at most `reach` before the row's."""

    fold: Running
    part: Expr
    order: Order
    reach: int


Logic = All | AnyOf | IsNotTrue | IsNull | InList | TextMatch
"""Expressions that are true or not."""

Moment = Shift | Truncate | PeriodNumber | PeriodStart | PeriodIndex | Instant | Micros
"""Expressions about time."""

Word = Bits | BitOf | LowestBit | Shifted | HasBits | Shares
"""Expressions about bits."""

Window = RowNumber | Previous | CountSoFar | Lately | RowCount
"""Expressions about other rows than their own: columns of a Project, and never part of another expression."""

Expr = Col | Param | Const | Authored | Binary | Logic | Case | Coalesce | Cast | Row | Item | Moment | Word | Window

NULL = Const(None)
TRUE = Const(True)
FALSE = Const(False)
ZERO = Const(0)
