"""What differs between engines, and nothing else. A dialect is a class of few small methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from semantic.model.facts import Kind
from semantic.plan.expr import Param
from semantic.plan.node import Scan, Spine
from semantic.plan.operators import TextTest
from semantic.sql.fragment import Binding, Fragment, build, join, nest
from semantic.time import Grain

NULL = Fragment("NULL")

SHORT_LIST = 16
"""Values up to which IN is written out."""

MOVES_IN_A_ROW = 5
"""Changes of a zone up to which a CASE tries them one by one."""


class Dialect(ABC):
    """How an engine spells what the plan says. `name` is sqlglot's, for the authors' expressions. `wide`: its type for
    whole numbers beyond 64 bits. `word`: bits of a word. `folds_grouped`: a grouped SELECT can compute with its keys
    and has a HAVING that reads the tables' columns. Elsewhere it is wrapped first.
    """

    name: str
    types: dict[Kind, str]
    wide: str
    word: int
    folds_grouped = True

    @abstractmethod
    def quote(self, name: str) -> str:
        """An identifier, always quoted."""

    def names(self, columns: Iterable[str]) -> dict[str, str]:
        """The columns of a SELECT as identifiers. Engines don't tell capitals from small letters: of two names that
        only differ so, the later gets another.
        """
        found: dict[str, str] = {}
        for name in columns:
            found[name] = _unlike(name, found.values())
        return {name: self.quote(spelled) for name, spelled in found.items()}

    @abstractmethod
    def shift(self, part: Fragment, moves: tuple[tuple[datetime, int], ...]) -> Fragment:
        """A zone-less timestamp moved by the seconds that hold at it (see plan.expr.Shift)."""

    @abstractmethod
    def truncate(self, part: Fragment, grain: Grain, is_date: bool) -> Fragment:
        """The first instant (day) of the period; weeks begin on Monday here. A date stays a date."""

    @abstractmethod
    def plus_days(self, part: Fragment, days: int) -> Fragment:
        """A date some days later."""

    @abstractmethod
    def cast(self, part: Fragment, kind: Kind) -> Fragment:
        """The part as a kind; between TIMESTAMP and TIMESTAMPTZ by UTC."""

    def as_kind(self, part: Fragment, kind: Kind) -> Fragment:
        """The part as a kind, untouched where it is of that kind already."""
        if part.kind is kind:
            return part
        if part == NULL:
            return Fragment(f"CAST(NULL AS {self.types[kind]})", kind=kind)
        return replace(self.cast(part, kind), kind=kind, is_set=part.is_set)

    @abstractmethod
    def percentile(self, part: Fragment, p: float) -> Fragment:
        """The exact percentile, interpolated; nulls ignored."""

    @abstractmethod
    def wholes(self, left: Fragment, right: Fragment) -> Fragment:
        """Division of whole numbers, rounded down."""

    @abstractmethod
    def period_index(self, day: Fragment, grain: Grain, week_start: int, since: int) -> Fragment:
        """The number of a date's period, such that the next period's is one more, counted from the number `since`;
        `week_start`: days after Monday.
        """

    @abstractmethod
    def bit(self, place: Fragment, places: int) -> Fragment:
        """A word with one bit set, of so many."""

    @abstractmethod
    def lowest_bit(self, word: Fragment) -> Fragment:
        """The place of the lowest bit that is set in a word."""

    @abstractmethod
    def shifted(self, word: Fragment, by: Fragment) -> Fragment:
        """A word moved down."""

    @abstractmethod
    def lowest(self, word: Fragment, bits: int) -> Fragment:
        """The lowest bits of a word, no more than a whole number has."""

    @abstractmethod
    def has_bits(self, word: Fragment, bits: int) -> Fragment:
        """Whether a word has any of the bits."""

    @abstractmethod
    def row(self, parts: list[Fragment]) -> Fragment:
        """Several values as one that can be compared."""

    @abstractmethod
    def row_item(self, row: Fragment, place: int) -> Fragment:
        """The value at a place, from 0."""

    @abstractmethod
    def micros(self, part: Fragment) -> Fragment:
        """Microseconds since 1970 of a zone-less timestamp."""

    @abstractmethod
    def instant(self, micros: Fragment) -> Fragment:
        """Microseconds since 1970 as TIMESTAMPTZ."""

    @abstractmethod
    def arg_max(self, part: Fragment, by: Fragment) -> Fragment:
        """The part where `by` is largest."""

    @abstractmethod
    def period_number(self, part: Fragment, clock: bool) -> Fragment:
        """Days since 1900 of a date, or quarter hours since 1970 of an instant."""

    @abstractmethod
    def period_start(self, part: Fragment, clock: bool) -> Fragment:
        """The date or the instant of a period's number."""

    @abstractmethod
    def pack_wide(self, time: Fragment, mask: Fragment, period: Fragment, code: Fragment, bits: int) -> Fragment:
        """A funnel's event as a wide number (see packing.py)."""

    @abstractmethod
    def pack_narrow(self, time: Fragment, mask: Fragment, since: datetime, bits: int) -> Fragment:
        """A funnel's event as a narrow number (see packing.py)."""

    def shared_list(self, entity: Fragment, event: Fragment, events: int) -> tuple[Fragment, Fragment] | None:
        """Where a list for many entities is made faster than one for each: which list an entity's events go into, and
        a narrow event with its entity on top (see packing.py), of about so many `events`. None: where it isn't.
        """
        return None

    @abstractmethod
    def collect(self, part: Fragment) -> Fragment:
        """The aggregate that makes a list of a group's values, in any order."""

    @abstractmethod
    def explode(self, part: Fragment) -> Fragment:
        """One row for each item of a list."""

    @abstractmethod
    def item(self, part: Fragment, place: int) -> Fragment:
        """The item of a list at a place, from 1; null beyond its end."""

    @abstractmethod
    def numbers(self, values: tuple[int, ...]) -> Fragment:
        """A list of whole numbers as a parameter."""

    @abstractmethod
    def text_test(self, test: TextTest, part: Fragment, value: Fragment) -> Fragment:
        """Literal containment of texts."""

    @abstractmethod
    def unnest(self, values: Param) -> Fragment:
        """A SELECT-list expression that gives one row for each item of a list parameter."""

    @abstractmethod
    def spine(self, spine: Spine) -> Fragment:
        """A SELECT of the spine's rows."""

    def param(self, param: Param) -> Fragment:
        """A value as a parameter."""
        return Fragment("?", (param.value,), is_set=param.value is not None)

    def in_list(self, part: Fragment, values: tuple[Param, ...]) -> Fragment:
        """Membership; long lists as one list parameter, which engines bind and probe faster."""
        if not values:
            return Fragment("FALSE")
        if len(values) <= SHORT_LIST:
            written = join(", ", (self.param(value) for value in values))
            return build("{} IN ({})", part, written, binding=Binding.COMPARED)
        return self.in_many(part, Param(tuple(value.value for value in values), values[0].kind))  # type: ignore[misc]

    def in_many(self, part: Fragment, values: Param) -> Fragment:
        """Membership in a list parameter."""
        return build("{} IN (SELECT {})", part, self.unnest(values), binding=Binding.COMPARED)

    def item_type(self, values: Param) -> str:
        """The type of a list parameter's items."""
        listed = values.value if isinstance(values.value, tuple) else ()
        wide = any(isinstance(item, int) and not -(2**63) <= item < 2**63 for item in listed)
        return self.wide if wide and values.kind is Kind.INTEGER else self.types[values.kind]

    def claim(self, param: Param) -> Fragment:
        """A claim's value where an author wrote `:name`; a list stands in `IN (:name)`."""
        if isinstance(param.value, tuple):
            return build("SELECT {}", self.unnest(param))
        return self.param(param)

    def distinct_scan(self, scan: Scan) -> Fragment:
        """A SELECT of a dataset's rows, the first of each key."""
        keys = [self.quote(name) for name in scan.distinct_on]
        order = [f"{self.quote(name)} NULLS LAST" for name in scan.order] or ["1"]
        known = " AND ".join(f"{key} IS NOT NULL" for key in keys)
        number = f"row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY {', '.join(order)})"
        rank = self.quote(_unlike("rank#", (*scan.columns, *scan.distinct_on, *scan.order)))
        columns = [self.quote(name) for name in scan.columns]
        ranked = ",\n    ".join([*columns, f"CASE WHEN {known} THEN {number} ELSE 1 END AS {rank}"])
        return Fragment(
            f"SELECT {', '.join(columns or [rank])}\n"
            f"FROM (\n  SELECT\n    {ranked}\n  FROM {self.quote(scan.dataset)}\n) AS {self.quote('ranked#')}\n"
            f"WHERE {rank} = 1"
        )

    def shift_value(self, part: Fragment, moves: tuple[tuple[datetime, int], ...], value: str) -> Fragment:
        """The shift that holds at `part`: a CASE, latest first, or for many moves a tree of them. `value` formats
        seconds.

        The instants are a zone's transitions, the compiler's own constants and never a caller's values.
        """
        if len(moves) == 1:
            return Fragment(value.format(moves[0][1]))
        at = nest(part, Binding.SUM)
        if len(moves) > MOVES_IN_A_ROW:
            middle = len(moves) // 2
            halves = (self.shift_value(part, half, value) for half in (moves[middle:], moves[:middle]))
            return build(f"CASE WHEN {{}} >= {self._moment(moves[middle][0])} THEN {{}} ELSE {{}} END", at, *halves)
        whens = [
            build(f"WHEN {{}} >= {self._moment(start)} THEN {value.format(seconds)}", at)
            for start, seconds in reversed(moves[1:])
        ]
        return build(f"CASE {{}} ELSE {value.format(moves[0][1])} END", join(" ", whens))

    def _moment(self, instant: datetime) -> str:
        return f"{self.types[Kind.TIMESTAMP]} '{instant}'"


def counted(number: Fragment, since: int) -> Fragment:
    """A number counted from another."""
    return build(f"{{}} - {since}", nest(number, Binding.SUM), binding=Binding.SUM) if since else number


def _unlike(name: str, others: Iterable[str]) -> str:
    """The name, or one like it that none of the others is, whatever their letters' case."""
    taken = {other.casefold() for other in others}
    while name.casefold() in taken:
        name += "#"
    return name
